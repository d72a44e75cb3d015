package link

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"platewatch/uplink/broker"
	"platewatch/uplink/failure"
	"platewatch/uplink/internal/uplinktest"
)

func TestTLSAndPassword(t *testing.T) {
	a := uplinktest.NewAuthority(t)
	server := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	client := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	a.Issue("server", &server, time.Now().Add(time.Hour))
	a.Issue("unit", &client, time.Now().Add(time.Hour))
	a.Issue("expired", &client, time.Now().Add(-time.Minute))
	other := uplinktest.NewAuthority(t)
	other.Issue("stranger", &client, time.Now().Add(time.Hour))

	for name, content := range map[string]string{"user": "unit-7\n", "password": "s3cret\n", "wrong": "wr0ng\n"} {
		if err := os.WriteFile(a.Path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	passwd, err := exec.LookPath("mosquitto_passwd")
	if err != nil {
		t.Skip("mosquitto_passwd is not installed (apt install mosquitto)")
	}
	if out, err := exec.Command(passwd, "-b", "-c", a.Path("passwd"), "unit-7", "s3cret").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m := uplinktest.NewMosquitto(t, fmt.Sprintf("allow_anonymous false\npassword_file %s\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\n",
		a.Path("passwd"), a.Path("ca.crt"), a.Path("server.crt"), a.Path("server.key")))
	good := broker.Broker{
		URL: "tls://" + m.Addr(), CAFile: a.Path("ca.crt"), CertFile: a.Path("unit.crt"), KeyFile: a.Path("unit.key"),
		UserFile: a.Path("user"), PasswordFile: a.Path("password"),
	}
	opts := Options{ClientID: "t", KeepAlive: 10 * time.Second, Limit: 1 << 20}
	l, err := Connect(t.Context(), good, opts)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()

	for name, change := range map[string]func(b *broker.Broker){
		"wrong password":    func(b *broker.Broker) { b.PasswordFile = a.Path("wrong") },
		"no password":       func(b *broker.Broker) { b.UserFile, b.PasswordFile = "", "" },
		"no certificate":    func(b *broker.Broker) { b.CertFile, b.KeyFile = "", "" },
		"expired":           func(b *broker.Broker) { b.CertFile, b.KeyFile = a.Path("expired.crt"), a.Path("expired.key") },
		"stranger":          func(b *broker.Broker) { b.CertFile, b.KeyFile = other.Path("stranger.crt"), other.Path("stranger.key") },
		"another authority": func(b *broker.Broker) { b.CAFile = other.Path("ca.crt") },
		"another name":      func(b *broker.Broker) { b.URL = strings.Replace(b.URL, "127.0.0.1", "localhost", 1) },
		"plaintext to TLS":  func(b *broker.Broker) { *b = broker.Broker{URL: "tcp://" + m.Addr()} },
	} {
		b := good
		change(&b)
		l, err := Connect(t.Context(), b, opts)
		if err == nil {
			l.Close()
			t.Errorf("%s: connected", name)
			continue
		}
		var e *failure.Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %v (%s)", name, err, e.Hint())
	}
}

// A connection to a peer that accepts and sends nothing, or nonsense, times out.
func TestSilentPeersTimeOut(t *testing.T) {
	for name, talk := range map[string]func(net.Conn){
		"silent":        func(net.Conn) {},
		"http":          func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"huge packet":   func(c net.Conn) { c.Write([]byte{0x20, 0xff, 0xff, 0xff, 0x7f}) },
		"bad length":    func(c net.Conn) { c.Write([]byte{0x20, 0xff, 0xff, 0xff, 0xff, 0x7f}) },
		"closes":        func(c net.Conn) { c.Close() },
		"a second will": func(c net.Conn) { c.Write([]byte{0x30, 3, 0, 1, 'a'}) },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept()
				if err != nil {
					return
				}
				talk(c)
				_, _ = bytes.NewBuffer(nil).ReadFrom(c) // until the other side gives up
				c.Close()
			}()
			begin := time.Now()
			_, err = Connect(t.Context(), broker.Broker{URL: "tcp://" + l.Addr().String(), DialTimeout: 300 * time.Millisecond},
				Options{ClientID: "t", KeepAlive: time.Second, Limit: 1000})
			if err == nil {
				t.Error("connected")
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			l.Close()
			<-done
		})
	}
}

// The frame follower finds the packets wherever the stream is cut.
func FuzzFrames(f *testing.F) {
	publish := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	publish.TopicName, publish.Payload, publish.Qos, publish.MessageID = "a/b", bytes.Repeat([]byte("x"), 300), 1, 7
	var b bytes.Buffer
	for range 2 {
		if err := publish.Write(&b); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes(), uint8(1))
	f.Add(b.Bytes(), uint8(200))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f}, uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint8) {
		follow := func(step int) (kinds []byte, err error) {
			fr := frames{limit: 1000, onPacket: func(k byte) { kinds = append(kinds, k) }}
			for i := 0; i < len(stream) && err == nil; i += step {
				err = fr.feed(stream[i:min(i+step, len(stream))])
			}
			return kinds, err
		}
		whole, err := follow(len(stream) + 1)
		parts, perr := follow(int(cut) + 1)
		if !bytes.Equal(whole, parts) || (err == nil) != (perr == nil) {
			t.Errorf("whole: %v, %v; in parts: %v, %v", whole, err, parts, perr)
		}
	})
}

func TestBackoff(t *testing.T) {
	b := Backoff{Max: MaxBackoff}
	want := firstBackoff
	for range 100 {
		d := b.Next()
		if d < want/2 || d > want {
			t.Fatalf("attempt %d waits %v, want %v to %v", b.Attempts, d, want/2, want)
		}
		want = min(2*want, MaxBackoff)
	}
	b.Reset()
	if d := b.Next(); d > firstBackoff {
		t.Errorf("after a reset: %v", d)
	}
}
