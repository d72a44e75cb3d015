package reach

import (
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"platewatch/capture/fault"
)

// The kernel's errors for networks, which no test can cause for real, are told apart.
func TestExplain(t *testing.T) {
	u, err := url.Parse("rtsp://192.0.2.7/live")
	if err != nil {
		t.Fatal(err)
	}
	c := Camera{Where: u.String(), Address: u, Port: "554", Protocol: "RTSP", Bound: 5 * time.Second}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		err        error
		says, hint string
	}{
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no route to 192.0.2.7", "ip route"},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "nothing answers at 192.0.2.7", "power and cable"},
		{dial(os.ErrDeadlineExceeded), "no answer from 192.0.2.7, port 554, within 5s", "firewall"},
		{dial(&net.DNSError{Err: "server misbehaving", IsTemporary: true}), "no name server", "IP address"},
		{dial(errors.New("something else")), "something else", "address, port"},
	} {
		var e *fault.Error
		got := c.Explain(tt.err)
		if !errors.As(got, &e) || !errors.Is(got, fault.ErrUnreachable) || !strings.Contains(got.Error(), tt.says) || !strings.Contains(e.Hint(), tt.hint) {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
	if got := c.Explain(x509.UnknownAuthorityError{}); got != nil {
		t.Errorf("an error of another kind: %v", got)
	}
}
