package probe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/localbroker"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

const (
	// good is what deploy/broker/mosquitto/acl grants a unit and the server.
	good = `pattern readwrite platewatch/v1/units/%u/state
pattern write platewatch/v1/units/%u/health
pattern write platewatch/v1/units/%u/hits
pattern write platewatch/v1/units/%u/hotlists
pattern read  platewatch/v1/units/%u/acks
pattern read  platewatch/v1/units/%u/verdicts
topic read platewatch/v1/hotlists/stolen/#

user server
topic read  platewatch/v1/#
topic write platewatch/v1/units/+/acks
topic write platewatch/v1/units/+/verdicts
`
	// wide lets each unit write as every other, and read them.
	wide = good + "\nuser unit-1\ntopic readwrite platewatch/v1/#\n"
	// mute forgets hits and acks.
	mute = "pattern readwrite platewatch/v1/units/%u/state\npattern write platewatch/v1/units/%u/health\npattern write platewatch/v1/units/%u/hotlists\n"
)

// mosquitto starts a broker with users that have a password, and an ACL.
func mosquitto(t *testing.T, acl, lines string) (address string) {
	t.Helper()
	program, err := exec.LookPath("mosquitto_passwd")
	if err != nil {
		t.Skip("mosquitto_passwd is not installed (apt install mosquitto)")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "acl"), acl)
	for i, user := range []string{"unit-1", "unit-2", "server"} {
		flags := []string{"-b", filepath.Join(dir, "users"), user, user + "-secret"}
		if i == 0 {
			flags = append([]string{"-c"}, flags...)
		}
		if out, err := exec.Command(program, flags...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return uplinktest.NewMosquitto(t, fmt.Sprintf("allow_anonymous false\npassword_file %s/users\nacl_file %s/acl\n%s", dir, dir, lines)).Addr()
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// as returns the broker with the files of a user's name and password.
func as(t *testing.T, address, user, password string) broker.Broker {
	dir := t.TempDir()
	return broker.Broker{URL: "tcp://" + address, UserFile: write(t, filepath.Join(dir, "user"), user), PasswordFile: write(t, filepath.Join(dir, "password"), password)}
}

func try(t *testing.T, b broker.Broker, s Settings) *Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s.Unit, s.Login = "unit-1", true
	r := Try(ctx, b, s)
	var h interface{ Hint() string }
	if r.Err != nil && (!errors.As(r.Err, &h) || h.Hint() == "") {
		t.Errorf("%v comes without advice", r.Err)
	}
	return r
}

// topics are those that can be written, or, with allowed false, that cannot.
func topics(list []Access, allowed bool) (out []string) {
	for _, a := range list {
		if a.Known && a.Allowed == allowed {
			out = append(out, strings.TrimPrefix(a.Topic, "platewatch/v1/"))
		}
	}
	return out
}

func TestRights(t *testing.T) {
	r := try(t, as(t, mosquitto(t, good, ""), "unit-1", "unit-1-secret"), Settings{})
	if r.Err != nil || !r.MQTT5 || !r.Passed(Rights) || r.Passed(TLS) {
		t.Fatalf("%v: %+v", r.Err, r)
	}
	if got := topics(r.Write, true); !slices.Equal(got, []string{"units/unit-1/state", "units/unit-1/health", "units/unit-1/hits", "units/unit-1/hotlists"}) {
		t.Errorf("it may write %q", got)
	}
	if got := topics(r.Closed, false); len(got) != 5 || len(r.Closed) != 5 {
		t.Errorf("of the others it may not write %q", got)
	}
	if len(r.Others) > 0 || !r.Acks || !r.Verdicts {
		t.Errorf("%+v", r)
	}
}

func TestRightsTooWide(t *testing.T) {
	address := mosquitto(t, wide, "")
	second := try(t, as(t, address, "unit-2", "unit-2-secret"), Settings{}) // as unit-1 with another's password
	if got := topics(second.Write, true); len(got) > 0 {
		t.Errorf("under another's name it may write %q", got)
	}
	leave(t, address)
	r := try(t, as(t, address, "unit-1", "unit-1-secret"), Settings{})
	if got := topics(r.Closed, true); len(got) != 5 {
		t.Errorf("it may write only %q: %v", got, r.Err)
	}
	if !slices.Equal(r.Others, []string{"unit-2"}) {
		t.Errorf("it can read %q", r.Others)
	}
}

// leave leaves a retained state of another unit at the broker.
func leave(t *testing.T, address string) {
	t.Helper()
	out, err := exec.Command("mosquitto_pub", "-h", "127.0.0.1", "-p", address[strings.LastIndexByte(address, ':')+1:],
		"-u", "unit-2", "-P", "unit-2-secret", "-r", "-q", "1", "-t", message.Topic("unit-2", message.KindState), "-m", "{}").CombinedOutput()
	if err != nil {
		t.Skipf("mosquitto_pub: %v: %s", err, out)
	}
}

func TestRightsTooNarrow(t *testing.T) {
	r := try(t, as(t, mosquitto(t, mute, ""), "unit-1", "unit-1-secret"), Settings{})
	if got := topics(r.Write, false); !slices.Equal(got, []string{"units/unit-1/hits"}) {
		t.Errorf("it may not write %q", got)
	}
}

func TestWrongPassword(t *testing.T) {
	r := try(t, as(t, mosquitto(t, good, ""), "unit-1", "guess"), Settings{})
	if r.Failed != Login || !r.Passed(TCP) || !strings.Contains(r.Err.Error(), "not authorized") {
		t.Errorf("%s: %v", r.Failed, r.Err)
	}
	if strings.Contains(fmt.Sprint(r.Err), "guess") {
		t.Error("the password is in the error")
	}
}

func TestTLS(t *testing.T) {
	good, other := uplinktest.NewAuthority(t), uplinktest.NewAuthority(t)
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	good.Issue("broker", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, until)
	address := mosquitto(t, "topic readwrite #\n", fmt.Sprintf("cafile %s\ncertfile %s\nkeyfile %s\n", good.Path("ca.crt"), good.Path("broker.crt"), good.Path("broker.key")))
	b := as(t, address, "unit-1", "unit-1-secret")
	b.URL, b.CAFile = "tls://"+address, good.Path("ca.crt")
	if r := try(t, b, Settings{}); r.Err != nil || !r.Encrypted || r.TLSVersion != "TLS 1.3" || !r.Chain[0].Expires.Equal(until) {
		t.Errorf("%v: %+v", r.Err, r)
	}
	b.CAFile = other.Path("ca.crt")
	r := try(t, b, Settings{})
	if r.Failed != TLS || !r.Passed(TCP) || len(r.Chain) == 0 || !strings.Contains(r.Chain[0].Subject, "broker") {
		t.Errorf("another authority: %s: %v, %+v", r.Failed, r.Err, r.Chain)
	}
	b.CAFile = other.Path("none")
	if r := try(t, b, Settings{}); r.Failed != Setup {
		t.Errorf("no authority: %s: %v", r.Failed, r.Err)
	}
}

func TestTryUnreachable(t *testing.T) {
	if r := try(t, broker.Broker{URL: "tcp://" + addrtest.Free(t)}, Settings{}); r.Failed != TCP || !r.Passed(Name) {
		t.Errorf("%s: %v", r.Failed, r.Err)
	}
	if r := try(t, broker.Broker{URL: "tls://broker.invalid"}, Settings{}); r.Failed != Name {
		t.Errorf("%s: %v", r.Failed, r.Err)
	}
	// One that takes the connection and says nothing ends with the context.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r := Try(ctx, broker.Broker{URL: "tcp://" + l.Addr().String()}, Settings{Unit: "unit-1", Login: true})
	if r.Failed != Login || !errors.Is(r.Err, context.DeadlineExceeded) {
		t.Errorf("%s: %v", r.Failed, r.Err)
	}
}

// The server's program answers a probe without reporting it as a hit, and the round
// trip is measured.
func TestRoundTrip(t *testing.T) {
	address := mosquitto(t, good, "")
	unit := as(t, address, "unit-1", "unit-1-secret")
	if r := try(t, unit, Settings{Server: true, Listen: 300 * time.Millisecond}); r.Err != nil || !r.Acks || r.Answered {
		t.Errorf("without a server: %v, %+v", r.Err, r)
	}
	ctx, stop := context.WithCancel(t.Context())
	linked, ended := make(chan error, 8), make(chan error, 1)
	told := func(what string) error { t.Errorf("the server is told: %s", what); return nil }
	go func() {
		ended <- watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{as(t, address, "server", "server-secret")}, Ack: true}, watch.Handler{
			Link:    func(err error) error { linked <- err; return nil },
			Hit:     func(*message.Hit, []byte) error { return told("a hit") },
			State:   func(*message.State, []byte) error { return told("a state") },
			Invalid: func(topic string, err error) error { return told(topic + " " + err.Error()) },
		}, slog.New(slog.DiscardHandler))
	}()
	if err := <-linked; err != nil {
		t.Fatal(err)
	}
	r := try(t, unit, Settings{Server: true})
	if !r.Answered || r.RoundTrip <= 0 || r.Err != nil {
		t.Errorf("with a server: %v, %+v", r.Err, r)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A broker with the access rules of an earlier version refuses the subscription to one
// topic. (Mosquitto grants every subscription, and passes nothing on.)
func TestRefusedSubscription(t *testing.T) {
	server, err := localbroker.Start("127.0.0.1:0", message.Topic("unit-1", message.KindVerdicts))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r := try(t, broker.Broker{URL: server.URL()}, Settings{})
	if r.Err != nil || !r.Acks || r.Verdicts {
		t.Errorf("%v: %+v", r.Err, r)
	}
	if got := topics(r.Closed, false); !slices.Equal(got, []string{"units/unit-1/verdicts"}) {
		t.Errorf("of the others it may not write %q", got)
	}
}

// A probe is not a valid message of any kind.
func TestProbeIsNotAMessage(t *testing.T) {
	payload := uplinktest.Marshal(t, message.Probe{Unit: "unit-1", Probe: strings.Repeat("a", 24)})
	if _, ok := message.ParseProbe(payload); !ok {
		t.Fatal("it is not a probe either")
	}
	for _, kind := range []message.Kind{message.KindHits, message.KindState, message.KindHealth, message.KindHotlists, message.KindAcks, message.KindVerdicts} {
		if message.Validate(kind, payload) == nil {
			t.Errorf("it is taken for one of kind %s", kind)
		}
	}
	for _, kept := range []string{`{}`, `{"version":1,"unit":"u","probe":"x"}`, `{"version":1,"unit":"+","probe":"aaaaaaaaaaaaaaaa"}`, strings.Repeat(" ", 300)} {
		if _, ok := message.ParseProbe([]byte(kept)); ok {
			t.Errorf("%s is taken for a probe", kept)
		}
	}
}
