package uplink

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// store is a central server: it watches, stores and acknowledges.
func store(t *testing.T, addr string, handle func(h *Hit) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	up := make(chan struct{}, 10)
	done := make(chan error, 1)
	go func() {
		done <- Watch(ctx, WatchConfig{Brokers: []Broker{{URL: "tcp://" + addr}}, Ack: true, MaxBackoff: 100 * time.Millisecond}, WatchHandler{
			Link: func(err error) error {
				if err == nil {
					up <- struct{}{}
				}
				return nil
			},
			Hit:     func(h *Hit, _ []byte) error { return handle(h) },
			Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
		}, testLog(t))
	}()
	<-up
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, errNoStore) {
			t.Errorf("the server: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

var errNoStore = errors.New("the server's disk is full")

// In server mode the broker's word removes nothing; the server's does.
func TestServerAcknowledges(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		p := newProxy(t, b.addr())
		o := testOutbox(t, OutboxOptions{})
		ids := acceptMany(t, o, 20)
		c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, ServerAck: true, ServerAckTimeout: 300 * time.Millisecond})
		p.wait("all hits with the broker, and again for want of the server's word", func(p *proxy) bool { return len(p.acked) >= 40 })
		if n := o.Stats().Entries; n != 20 {
			t.Fatalf("%d hits are pending without the server's word", n)
		}
		if s := c.Stats(); s.Delivered != 0 || s.LastProblem == "" || s.Resent == 0 {
			t.Errorf("stats: %+v", s)
		}
		if p := c.Problems(); len(p) != 1 || !strings.Contains(p[0], "does not acknowledge") {
			t.Errorf("problems: %v", p)
		}
		var stored []string
		stop := store(t, b.addr(), func(h *Hit) error { // ends with the seventh, which it has
			if stored = append(stored, h.ID); len(stored) == 7 {
				return ErrStop
			}
			return nil
		})
		waitStats(t, c, "the end of the first server", func(s ClientStats) bool { return s.Delivered == 7 })
		stop()
		store(t, b.addr(), func(h *Hit) error { return nil })
		waitEmpty(t, c, o)
		// An update after that has its own acknowledgement.
		if err := o.Update(ids[3], testHit("NEWER")); err != nil {
			t.Fatal(err)
		}
		waitEmpty(t, c, o)
		if s := c.Stats(); s.Delivered != 21 || s.LastProblem != "" || len(c.Problems()) > 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A hit that the server missed while it was away is sent again as soon as the
// server acknowledges a later one; a few times, because it may never want it.
func TestServerWasAway(t *testing.T) {
	t.Parallel()
	s := &session{client: &Client{sent: map[Ref]bool{}}, awaiting: map[Ref]*waited{}}
	now := time.Now()
	missed, tried, recent := Ref{Seq: 1}, Ref{Seq: 2}, Ref{Seq: 3}
	s.awaiting[missed] = &waited{since: now.Add(-3 * time.Second), tries: 1}
	s.awaiting[tried] = &waited{since: now.Add(-3 * time.Second), tries: overtakenTries}
	s.awaiting[recent] = &waited{since: now.Add(-time.Second), tries: 1}
	s.overtaken(time.Time{})
	if s.awaiting[missed].due {
		t.Error("without an acknowledgement")
	}
	s.overtaken(now)
	if !s.awaiting[missed].due || s.awaiting[tried].due || s.awaiting[recent].due {
		t.Errorf("missed %+v, tried %+v, recent %+v", s.awaiting[missed], s.awaiting[tried], s.awaiting[recent])
	}
	eachBroker(t, func(t *testing.T, b testBroker) {
		o := testOutbox(t, OutboxOptions{})
		c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: "tcp://" + b.addr()}}, ServerAck: true, ServerAckTimeout: time.Hour})
		mustAccept(t, o, testHit("MISSED"))
		waitStats(t, c, "the broker to have it", func(s ClientStats) bool { return s.Awaiting == 1 })
		store(t, b.addr(), func(*Hit) error { return nil })
		limit := testTimeout(t)
		for o.Stats().Entries > 0 { // the traffic goes on
			mustAccept(t, o, testHit("LATER"))
			select {
			case <-time.After(100 * time.Millisecond):
			case <-limit:
				t.Fatalf("%v wait; client %+v", pendingIDs(o), c.Stats())
			}
		}
		if s := c.Stats(); s.Resent == 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A broker that forgets what it acknowledged loses nothing in server mode.
func TestWipedBrokerInServerMode(t *testing.T) {
	b := newMosquitto(t, "allow_anonymous true\n")
	p := newProxy(t, b.addr())
	o := testOutbox(t, OutboxOptions{})
	ids := acceptMany(t, o, 30)
	c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, ServerAck: true})
	p.wait("all hits with the broker", func(p *proxy) bool { return len(p.acked) >= 30 })
	b.kill(t) // nobody subscribed: all of them are gone
	b.start(t)
	stored := map[string]bool{}
	stop := store(t, b.addr(), func(h *Hit) error { stored[h.ID] = true; return nil })
	p.cut()
	waitEmpty(t, c, o)
	stop()
	for _, id := range ids {
		if !stored[id] {
			t.Errorf("%s is lost", id)
		}
	}
}

// Without the right to listen for acknowledgements no hit would ever leave:
// that is said, and nothing is lost.
func TestServerModeWithoutAcks(t *testing.T) {
	acl := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(acl, []byte("topic write platewatch/v1/units/#\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newMosquitto(t, "allow_anonymous true\nacl_file "+acl+"\n")
	o := testOutbox(t, OutboxOptions{})
	id := mustAccept(t, o, testHit("A"))
	c, stop := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: "tcp://" + b.addr()}}, ServerAck: true, ServerAckTimeout: 50 * time.Millisecond})
	// Mosquitto grants the subscription and then sends nothing: the word is
	// missing all the same.
	waitStats(t, c, "a problem", func(s ClientStats) bool { return strings.Contains(s.LastProblem, "does not acknowledge") })
	stop()
	if diff := cmp.Diff([]string{id + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func waitStats(t *testing.T, c *Client, what string, cond func(ClientStats) bool) {
	t.Helper()
	limit := testTimeout(t)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond(c.Stats()) {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited too long for %s; stats %+v", what, c.Stats())
		}
	}
}

// The preferred broker when it is there, the next one when it is not, and back.
func TestSeveralBrokers(t *testing.T) {
	first, second := newMosquitto(t, "allow_anonymous true\n"), newMosquitto(t, "allow_anonymous true\n")
	first.kill(t)
	o := testOutbox(t, OutboxOptions{})
	mustAccept(t, o, testHit("A"))
	c, _ := startClient(t, o, ClientConfig{PreferEvery: 50 * time.Millisecond,
		Brokers: []Broker{{URL: "tcp://" + first.addr()}, {URL: "tcp://" + second.addr()}}})
	waitStats(t, c, "a delivery to the second broker", func(s ClientStats) bool { return s.Delivered == 1 })
	if s := c.Stats(); s.Broker != "tcp://"+second.addr() {
		t.Errorf("stats: %+v", s)
	}
	first.start(t)
	waitStats(t, c, "the first broker again", func(s ClientStats) bool { return s.Connected && s.Broker == "tcp://"+first.addr() })
	mustAccept(t, o, testHit("B"))
	waitStats(t, c, "a delivery to the first broker", func(s ClientStats) bool { return s.Delivered == 2 })
	first.kill(t)
	mustAccept(t, o, testHit("C"))
	waitStats(t, c, "the second broker again", func(s ClientStats) bool { return s.Delivered == 3 })
	// The state that the second broker retained while the unit was away is offline.
}

// Renewed certificates are taken up while the connection stands.
func TestCertificatesAreReloaded(t *testing.T) {
	a := newAuthority(t)
	server := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	client := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	a.issue("server", &server, time.Now().Add(time.Hour))
	a.issue("unit", &client, time.Now().Add(time.Hour))
	m := newMosquitto(t, fmt.Sprintf("allow_anonymous true\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\n",
		a.path("ca.crt"), a.path("server.crt"), a.path("server.key")))
	o := testOutbox(t, OutboxOptions{})
	c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: "tls://" + m.addr(),
		CAFile: a.path("ca.crt"), CertFile: a.path("unit.crt"), KeyFile: a.path("unit.key")}}})
	waitStats(t, c, "a connection", func(s ClientStats) bool { return s.Connects == 1 })
	// A half-written pair is left alone.
	key, err := os.ReadFile(a.path("unit.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.path("unit.key"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustAccept(t, o, testHit("A"))
	waitStats(t, c, "a delivery", func(s ClientStats) bool { return s.Delivered == 1 })
	if err := os.WriteFile(a.path("unit.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	a.issue("unit", &client, time.Now().Add(2*time.Hour))
	waitStats(t, c, "a connection with the new certificate", func(s ClientStats) bool { return s.Connects >= 2 && s.Connected })
	mustAccept(t, o, testHit("B"))
	waitStats(t, c, "a delivery", func(s ClientStats) bool { return s.Delivered == 2 })
}

// On a bounded link hits go first, and their pictures follow.
func TestPicturesFollow(t *testing.T) {
	b := newMosquitto(t, "allow_anonymous true\n")
	p := newProxy(t, b.addr())
	o := testOutbox(t, OutboxOptions{})
	var told []string
	store(t, b.addr(), func(h *Hit) error {
		told = append(told, fmt.Sprintf("%s follow=%t picture=%t", h.ID, h.PicturesFollow, h.PlatePicture != nil))
		return nil
	})
	for i := range 3 {
		mustAccept(t, o, withPictures(testHit(fmt.Sprintf("P%d", i)), 500, 8000))
	}
	mustAccept(t, o, testHit("NONE"))
	const bandwidth = 40_000
	begin := time.Now()
	c, stop := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, Bandwidth: bandwidth, ONVIF: &ONVIF{}})
	waitEmpty(t, c, o)
	took := time.Since(begin)
	stop()
	var got []string
	p.mu.Lock()
	for _, m := range p.others {
		if e := decode[onvifEvent](t, m.Payload); e.Data.Image != "" {
			t.Errorf("an event has its picture: %+v", e)
		}
	}
	if len(p.others) != 4 {
		t.Errorf("%d ONVIF events", len(p.others))
	}
	for _, h := range p.acked {
		got = append(got, fmt.Sprintf("%s follow=%t picture=%t", h.ID, h.Follow, h.Pictures))
	}
	p.mu.Unlock()
	want := []string{"unit-7-1 follow=true picture=false", "unit-7-2 follow=true picture=false", "unit-7-3 follow=true picture=false",
		"unit-7-4 follow=false picture=false",
		"unit-7-1 follow=false picture=true", "unit-7-2 follow=false picture=true", "unit-7-3 follow=false picture=true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("acknowledged (-want +got):\n%s", diff)
	}
	// 3 × 8.5 kB as base64, and four hits twice, at 40 kB/s.
	if low := time.Duration(float64(3*8500*4/3-4096) / bandwidth * float64(time.Second)); took < low {
		t.Errorf("took %v, and at this bandwidth it takes at least %v", took, low)
	}
}

// The hit and what else is made of it leave the outbox together.
func TestONVIFAndHomeAssistant(t *testing.T) {
	b := newMosquitto(t, "allow_anonymous true\n")
	p := newProxy(t, b.addr())
	o := testOutbox(t, OutboxOptions{})
	h := withPictures(testHit("M5XSX"), 300, 300)
	h.Region = "us-ca"
	id := mustAccept(t, o, h)
	p.swallow = func(h wireHit) bool { return h.Conn == 1 } // the hit's own acknowledgement
	c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, Software: "1.2.3",
		ONVIF: &ONVIF{TopicPrefix: "site/a"}, HomeAssistant: &HomeAssistant{Cameras: []string{"north"}}})
	p.wait("the hit", func(p *proxy) bool { return len(p.acked) == 1 })
	if n := o.Stats().Entries; n != 1 {
		t.Errorf("%d hits are pending before the last acknowledgement", n)
	}
	p.cut()
	p.wait("the hit again", func(p *proxy) bool { return len(p.acked) == 2 })
	waitEmpty(t, c, o)
	p.mu.Lock()
	defer p.mu.Unlock()
	var topics []string
	for _, m := range p.others {
		topics = append(topics, fmt.Sprintf("%s %t", m.Topic, m.Retained))
	}
	event, device := "site/a/onvif-ej/RuleEngine/Recognition/LicensePlate/&north/platewatch false", "homeassistant/device/unit-7/config true"
	if diff := cmp.Diff([]string{device, event, device, event}, topics); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
	want := h
	want.ID, want.Number, want.Revision, want.Unit = id, 1, 1, "unit-7"
	if b, err := (&ONVIF{}).event(&want); err != nil || !bytes.Equal(b, p.others[1].Payload) {
		t.Errorf("event of %s: %s, %v", id, p.others[1].Payload, err)
	}
}
