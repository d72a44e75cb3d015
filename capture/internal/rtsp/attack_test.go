package rtsp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/rtsptest"
	"platewatch/capture/source"
	"platewatch/deploy/tools/addrtest"
)

// eavesdropper takes connections and records what is sent over them.
type eavesdropper struct {
	port  string
	mu    sync.Mutex
	heard []byte
	calls int
}

func newEavesdropper(t *testing.T) *eavesdropper {
	t.Helper()
	e := &eavesdropper{}
	_, e.port, _ = net.SplitHostPort(capturetest.Accept(t, func(c net.Conn) {
		e.mu.Lock()
		e.calls++
		e.mu.Unlock()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		b := make([]byte, 4096)
		n, _ := io.ReadAtLeast(c, b, 1)
		// Asks for the password, as a thief would.
		fmt.Fprint(c, "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Basic realm=\"camera\"\r\n\r\n")
		more, _ := c.Read(b[n:])
		e.mu.Lock()
		e.heard = append(e.heard, b[:n+more]...)
		e.mu.Unlock()
	}))
	return e
}

// credentials is a file with the user's name and password.
func credentials(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A camera answers with status 302 to another port, to another name of its own host,
// and to itself without end: no connection goes there, and no password. One to another
// path of the same address is followed.
func TestAttackRedirect(t *testing.T) {
	t.Parallel()
	thief := newEavesdropper(t)
	free := addrtest.Free(t)
	own := "rtsp://" + free
	s := capturetest.ServeWith(t, free, func(s *rtsptest.Server) {
		s.Username, s.Password = "viewer", "hunter2"
		s.Redirects = map[string]string{"elsewhere": "rtsp://127.0.0.1:" + thief.port + "/gate", "name": "rtsp://localhost:" + thief.port + "/gate",
			"secure": "rtsps://127.0.0.1:" + thief.port + "/gate", "file": "file:///etc/passwd", "nothing": ":", "own": own + "/gate", "again": own + "/again"}
	}, rtsptest.Options{Loop: true}, h264Clip(t))
	c := source.Config{CredentialsFile: credentials(t, "viewer:hunter2"), OpenTimeout: 10 * time.Second}
	for _, path := range []string{"elsewhere", "name", "secure", "file", "nothing", "again"} {
		c.Source = s.URL(path)
		begun := time.Now()
		src, err := sourcetest.Open(t.Context(), Kind, c)
		if err == nil {
			src.Close()
			t.Errorf("%s: it was followed", path)
			continue
		}
		if took := time.Since(begun); took > 2*c.OpenTimeout || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: after %v: %v", path, took, err)
		}
	}
	c.Source = s.URL("own")
	src, err := sourcetest.Open(t.Context(), Kind, c)
	if err != nil {
		t.Errorf("to another path of its own: %v", err)
	} else {
		src.Close()
	}
	thief.mu.Lock()
	defer thief.mu.Unlock()
	if thief.calls > 0 {
		t.Errorf("the other address was called %d times and heard %q", thief.calls, thief.heard)
	}
	t.Attr("outcome", "refused in time; the other address was not called")
}

// A camera that asks for a digest with SHA-256 alone gets one.
func TestDigestSHA256(t *testing.T) {
	s := capturetest.ServeWith(t, "127.0.0.1:0", func(s *rtsptest.Server) { s.Username, s.Password, s.SHA256 = "viewer", "hunter2", true },
		rtsptest.Options{Loop: true}, h264Clip(t))
	c := source.Config{Source: s.URL("gate"), CredentialsFile: credentials(t, "viewer:hunter2")}
	frame(t, c, 160, 120)
	c.CredentialsFile = credentials(t, "viewer:wrong")
	if _, err := sourcetest.Open(t.Context(), Kind, c); !errors.Is(err, fault.ErrCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
}

// frame opens a camera and reads a frame of a size.
func frame(t *testing.T, c source.Config, width, height int) {
	t.Helper()
	src := sourcetest.Opened(t, t.Context(), Kind, c)
	m := gocv.NewMat()
	defer m.Close()
	if _, err := src.Read(&m); err != nil || m.Cols() != width || m.Rows() != height {
		t.Errorf("a picture of %d x %d, %v", m.Cols(), m.Rows(), err)
	}
}

// An impostor answers in the camera's place over rtsps://, with a self-signed
// certificate, one of another authority, and one of another fingerprint: none gets the
// password. The camera's own is accepted by its fingerprint and by its authority.
func TestAttackCertificate(t *testing.T) {
	t.Parallel()
	own := selfSigned()
	s := capturetest.ServeWith(t, "127.0.0.1:0", func(s *rtsptest.Server) {
		s.TLS, s.Username, s.Password = own, "viewer", "hunter2"
	}, rtsptest.Options{Loop: true}, h264Clip(t))
	der := own.Certificates[0].Certificate[0]
	sum := sha256.Sum256(der)
	authority := func(der []byte) string {
		path := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := sum
	other[0] ^= 1
	base := source.Config{Source: s.URL("gate"), CredentialsFile: credentials(t, "viewer:hunter2")}
	for name, set := range map[string]func(*source.Config){
		"by the system's authorities": func(*source.Config) {},
		"another fingerprint":         func(c *source.Config) { c.TLSFingerprint = hex.EncodeToString(other[:]) },
	} {
		c := base
		set(&c)
		_, err := sourcetest.Open(t.Context(), Kind, c)
		var e *fault.Error
		if !errors.Is(err, fault.ErrCredentials) || !errors.As(err, &e) || !strings.Contains(e.Hint(), hex.EncodeToString(sum[:])) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, set := range map[string]func(*source.Config){
		"its fingerprint":             func(c *source.Config) { c.TLSFingerprint = hex.EncodeToString(sum[:]) },
		"its fingerprint with colons": func(c *source.Config) { c.TLSFingerprint = colons(sum[:]) },
		"its authority":               func(c *source.Config) { c.TLSCA = authority(der) },
	} {
		c := base
		set(&c)
		t.Log(name)
		frame(t, c, 160, 120)
	}
	c := base
	c.TLSCA = credentials(t, "no certificate")
	if _, err := sourcetest.Open(t.Context(), Kind, c); !errors.Is(err, fault.ErrConfig) {
		t.Errorf("a file without a certificate: %v", err)
	}
}

// colons is a fingerprint as openssl writes it.
func colons(b []byte) string {
	var parts []string
	for _, x := range b {
		parts = append(parts, fmt.Sprintf("%02X", x))
	}
	return strings.Join(parts, ":")
}

// A link-local IPv6 address names the interface that it is reached by.
func TestZone(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			ip, ok := a.(*net.IPNet)
			if !ok || ip.IP.To4() != nil || !ip.IP.IsLinkLocalUnicast() || i.Flags&net.FlagUp == 0 {
				continue
			}
			l, err := net.Listen("tcp", fmt.Sprintf("[%s%%%s]:0", ip.IP, i.Name))
			if err != nil {
				continue // not assigned yet
			}
			port := l.Addr().(*net.TCPAddr).Port
			l.Close()
			s := capturetest.Serve(t, fmt.Sprintf("[%s%%%s]:%d", ip.IP, i.Name, port), rtsptest.Options{Loop: true}, h264Clip(t))
			t.Log(s.Addr())
			frame(t, source.Config{Source: fmt.Sprintf("rtsp://[%s%%25%s]:%d/gate", ip.IP, i.Name, port)}, 160, 120)
			return
		}
	}
	t.Skip("no interface with a link-local IPv6 address here")
}

// sps8K is the parameter set of H.265 that announces 7680 x 4320, as x265 writes it.
const sps8K = "4201010160000003009000000300000300b4a000f008004385965654a4c2f016808000000300800000030284"

// H.265 announces 7680 × 4320 in the camera's description, in the stream, and in
// mid-stream: it is refused by its parameter set, before anything is decoded.
func TestAttackLargeH265(t *testing.T) {
	t.Parallel()
	large, err := hex.DecodeString(sps8K)
	if err != nil {
		t.Fatal(err)
	}
	var sps h265.SPS
	if err := sps.Unmarshal(large); err != nil || sps.Width() != 7680 || sps.Height() != 4320 {
		t.Fatalf("%d x %d, %v", sps.Width(), sps.Height(), err)
	}
	small := h265Clip(t)
	if _, err := videoOf(&format.H265{PayloadTyp: 96, VPS: small.VPS, SPS: large, PPS: small.PPS}); err == nil || !strings.Contains(err.Error(), "are accepted") {
		t.Errorf("in the description: %v", err)
	}
	swapped := func(from int) *rtsptest.Clip {
		c := *small
		c.Units = nil
		for i, unit := range small.Units {
			var changed [][]byte
			for _, nal := range unit {
				if i >= from && h265.NALUType(nal[0]>>1&0x3f) == h265.NALUType_SPS_NUT {
					nal = large
				}
				changed = append(changed, nal)
			}
			c.Units = append(c.Units, changed)
		}
		return &c
	}
	for name, from := range map[string]int{"in the stream": 0, "in mid-stream": 1} {
		s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, swapped(from))
		if err := lost(t, source.Config{Source: s.URL("gate")}); err == nil || !strings.Contains(err.Error(), "7680 x 4320") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lost opens a camera and reads until it is lost.
func lost(t *testing.T, c source.Config) error {
	t.Helper()
	src, err := sourcetest.Open(t.Context(), Kind, c)
	if err != nil {
		return err
	}
	defer src.Close()
	m := gocv.NewMat()
	defer m.Close()
	for range 200 {
		if _, err := src.Read(&m); err != nil {
			return err
		}
	}
	return nil
}
