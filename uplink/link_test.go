package uplink

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
)

func TestTLSAndPassword(t *testing.T) {
	a := newAuthority(t)
	server := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	client := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	a.issue("server", &server, time.Now().Add(time.Hour))
	a.issue("unit", &client, time.Now().Add(time.Hour))
	a.issue("expired", &client, time.Now().Add(-time.Minute))
	other := newAuthority(t)
	other.issue("stranger", &client, time.Now().Add(time.Hour))

	for name, content := range map[string]string{"user": "unit-7\n", "password": "s3cret\n", "wrong": "wr0ng\n"} {
		if err := os.WriteFile(a.path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	passwd, err := exec.LookPath("mosquitto_passwd")
	if err != nil {
		t.Skip("mosquitto_passwd is not installed (apt install mosquitto)")
	}
	if out, err := exec.Command(passwd, "-b", "-c", a.path("passwd"), "unit-7", "s3cret").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m := newMosquitto(t, fmt.Sprintf("allow_anonymous false\npassword_file %s\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\n",
		a.path("passwd"), a.path("ca.crt"), a.path("server.crt"), a.path("server.key")))
	good := Broker{
		URL: "tls://" + m.addr(), CAFile: a.path("ca.crt"), CertFile: a.path("unit.crt"), KeyFile: a.path("unit.key"),
		UserFile: a.path("user"), PasswordFile: a.path("password"),
	}
	opts := linkOptions{clientID: "t", keepAlive: 10 * time.Second, limit: 1 << 20}
	l, err := connect(t.Context(), good, opts)
	if err != nil {
		t.Fatal(err)
	}
	l.close()

	for name, change := range map[string]func(b *Broker){
		"wrong password":    func(b *Broker) { b.PasswordFile = a.path("wrong") },
		"no password":       func(b *Broker) { b.UserFile, b.PasswordFile = "", "" },
		"no certificate":    func(b *Broker) { b.CertFile, b.KeyFile = "", "" },
		"expired":           func(b *Broker) { b.CertFile, b.KeyFile = a.path("expired.crt"), a.path("expired.key") },
		"stranger":          func(b *Broker) { b.CertFile, b.KeyFile = other.path("stranger.crt"), other.path("stranger.key") },
		"another authority": func(b *Broker) { b.CAFile = other.path("ca.crt") },
		"another name":      func(b *Broker) { b.URL = strings.Replace(b.URL, "127.0.0.1", "localhost", 1) },
		"plaintext to TLS":  func(b *Broker) { *b = Broker{URL: "tcp://" + m.addr()} },
	} {
		b := good
		change(&b)
		l, err := connect(t.Context(), b, opts)
		if err == nil {
			l.close()
			t.Errorf("%s: connected", name)
			continue
		}
		var e *Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %v (%s)", name, err, e.Hint())
	}
}

// A peer that accepts and says nothing, or nonsense, is given up in time.
func TestStrangePeers(t *testing.T) {
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
			_, err = connect(t.Context(), Broker{URL: "tcp://" + l.Addr().String(), DialTimeout: 300 * time.Millisecond},
				linkOptions{clientID: "t", keepAlive: time.Second, limit: 1000})
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

// The frame follower finds the packets whatever the cuts.
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
	b := backoff{max: maxBackoff}
	want := firstBackoff
	for range 100 {
		d := b.next()
		if d < want/2 || d > want {
			t.Fatalf("attempt %d waits %v, want %v to %v", b.attempts, d, want/2, want)
		}
		want = min(2*want, maxBackoff)
	}
	b.reset()
	if d := b.next(); d > firstBackoff {
		t.Errorf("after a reset: %v", d)
	}
}
