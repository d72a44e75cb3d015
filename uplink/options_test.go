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

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
	"platewatch/uplink/watch"
)

// store is a central server: it watches, stores and acknowledges.
func store(t *testing.T, addr string, handle func(h *message.Hit) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	up := make(chan struct{}, 10)
	done := make(chan error, 1)
	go func() {
		done <- watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{{URL: "tcp://" + addr}}, Ack: true, MaxBackoff: 100 * time.Millisecond}, watch.Handler{
			Link: func(err error) error {
				if err == nil {
					up <- struct{}{}
				}
				return nil
			},
			Hit:     func(h *message.Hit, _ []byte) error { return handle(h) },
			Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
		}, uplinktest.Log(t))
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

// In server mode the broker's acknowledgement removes nothing; the server's does.
func TestServerAcknowledges(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		o := testOutbox(t, outbox.Settings{})
		ids := acceptMany(t, o, 20)
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, Ack: AckServer, ServerAckTimeout: 300 * time.Millisecond})
		p.Wait("all hits with the broker, and again for want of the server's word", func(p *uplinktest.Proxy) bool { return len(p.Acked) >= 40 })
		if n := o.Stats().Entries; n != 20 {
			t.Fatalf("%d hits are pending without the server's acknowledgement", n)
		}
		if s := c.Stats(); s.Delivered != 0 || s.LastProblem == "" || s.Resent == 0 {
			t.Errorf("stats: %+v", s)
		}
		if s := c.Stats(); !s.ServerSilent {
			t.Errorf("the server is silent; stats: %+v", s)
		}
		var stored []string
		stop := store(t, b.Addr(), func(h *message.Hit) error { // ends with the seventh, which it has
			if stored = append(stored, h.ID); len(stored) == 7 {
				return watch.ErrStop
			}
			return nil
		})
		waitStats(t, c, "the end of the first server", func(s Stats) bool { return s.Delivered == 7 })
		stop()
		store(t, b.Addr(), func(h *message.Hit) error { return nil })
		waitEmpty(t, c, o)
		// An update after that has its own acknowledgement.
		if err := o.Update(ids[3], uplinktest.Hit("NEWER")); err != nil {
			t.Fatal(err)
		}
		waitEmpty(t, c, o)
		if s := c.Stats(); s.Delivered != 21 || s.LastProblem != "" || s.ServerSilent {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A hit that the server missed while it was away is sent again as soon as the server
// acknowledges a later one, but only a few times, because the server may never
// acknowledge it.
func TestServerWasAway(t *testing.T) {
	s := &session{client: &Client{sent: map[outbox.Ref]bool{}}, awaiting: map[outbox.Ref]*awaitingServerAck{}}
	now := time.Now()
	missed, tried, recent := outbox.Ref{Seq: 1}, outbox.Ref{Seq: 2}, outbox.Ref{Seq: 3}
	s.awaiting[missed] = &awaitingServerAck{since: now.Add(-3 * time.Second), tries: 1}
	s.awaiting[tried] = &awaitingServerAck{since: now.Add(-3 * time.Second), tries: overtakenTries}
	s.awaiting[recent] = &awaitingServerAck{since: now.Add(-time.Second), tries: 1}
	s.resendOvertaken(time.Time{})
	if s.awaiting[missed].due {
		t.Error("without an acknowledgement")
	}
	s.resendOvertaken(now)
	if !s.awaiting[missed].due || s.awaiting[tried].due || s.awaiting[recent].due {
		t.Errorf("missed %+v, tried %+v, recent %+v", s.awaiting[missed], s.awaiting[tried], s.awaiting[recent])
	}
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		o := testOutbox(t, outbox.Settings{})
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Ack: AckServer, ServerAckTimeout: time.Hour})
		uplinktest.MustAccept(t, o, uplinktest.Hit("MISSED"))
		waitStats(t, c, "the broker to have it", func(s Stats) bool { return s.Awaiting == 1 })
		store(t, b.Addr(), func(*message.Hit) error { return nil })
		limit := uplinktest.Timeout(t)
		for o.Stats().Entries > 0 { // the traffic goes on
			uplinktest.MustAccept(t, o, uplinktest.Hit("LATER"))
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
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	p := uplinktest.NewProxy(t, b.Addr())
	o := testOutbox(t, outbox.Settings{})
	ids := acceptMany(t, o, 30)
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, Ack: AckServer})
	p.Wait("all hits with the broker", func(p *uplinktest.Proxy) bool { return len(p.Acked) >= 30 })
	b.Kill(t) // nobody subscribed: all of them are gone
	b.Start(t)
	stored := map[string]bool{}
	stop := store(t, b.Addr(), func(h *message.Hit) error { stored[h.ID] = true; return nil })
	p.Cut()
	waitEmpty(t, c, o)
	stop()
	for _, id := range ids {
		if !stored[id] {
			t.Errorf("%s is lost", id)
		}
	}
}

// Without the right to listen for acknowledgements no hit would ever leave: that is
// reported, and nothing is lost.
func TestServerModeWithoutAcks(t *testing.T) {
	acl := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(acl, []byte("topic write platewatch/v1/units/#\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\nacl_file "+acl+"\n")
	o := testOutbox(t, outbox.Settings{})
	id := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Ack: AckServer, ServerAckTimeout: 50 * time.Millisecond})
	// Mosquitto grants the subscription and then sends nothing: the acknowledgements
	// are missing all the same.
	waitStats(t, c, "a problem", func(s Stats) bool { return strings.Contains(s.LastProblem, "does not acknowledge") })
	stop()
	if diff := cmp.Diff([]string{id + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func waitStats(t *testing.T, c *Client, what string, cond func(Stats) bool) {
	t.Helper()
	limit := uplinktest.Timeout(t)
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
	first, second := uplinktest.NewMosquitto(t, "allow_anonymous true\n"), uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	first.Kill(t)
	o := testOutbox(t, outbox.Settings{})
	uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	c, _ := startClient(t, o, Settings{PreferEvery: 50 * time.Millisecond,
		Brokers: []broker.Broker{{URL: "tcp://" + first.Addr()}, {URL: "tcp://" + second.Addr()}}})
	waitStats(t, c, "a delivery to the second broker", func(s Stats) bool { return s.Delivered == 1 })
	if s := c.Stats(); s.Broker != "tcp://"+second.Addr() {
		t.Errorf("stats: %+v", s)
	}
	first.Start(t)
	waitStats(t, c, "the first broker again", func(s Stats) bool { return s.Connected && s.Broker == "tcp://"+first.Addr() })
	uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
	waitStats(t, c, "a delivery to the first broker", func(s Stats) bool { return s.Delivered == 2 })
	first.Kill(t)
	uplinktest.MustAccept(t, o, uplinktest.Hit("C"))
	waitStats(t, c, "the second broker again", func(s Stats) bool { return s.Delivered == 3 })
	// The state that the second broker retained while the unit was away is offline.
}

// Renewed certificates are taken up while the connection stands.
func TestCertificatesAreReloaded(t *testing.T) {
	a := uplinktest.NewAuthority(t)
	server := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	client := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	a.Issue("server", &server, time.Now().Add(time.Hour))
	a.Issue("unit", &client, time.Now().Add(time.Hour))
	m := uplinktest.NewMosquitto(t, fmt.Sprintf("allow_anonymous true\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\n",
		a.Path("ca.crt"), a.Path("server.crt"), a.Path("server.key")))
	o := testOutbox(t, outbox.Settings{})
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tls://" + m.Addr(),
		CAFile: a.Path("ca.crt"), CertFile: a.Path("unit.crt"), KeyFile: a.Path("unit.key")}}})
	waitStats(t, c, "a connection", func(s Stats) bool { return s.Connects == 1 })
	// A half-written pair is left alone.
	key, err := os.ReadFile(a.Path("unit.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.Path("unit.key"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	waitStats(t, c, "a delivery", func(s Stats) bool { return s.Delivered == 1 })
	if err := os.WriteFile(a.Path("unit.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	a.Issue("unit", &client, time.Now().Add(2*time.Hour))
	waitStats(t, c, "a connection with the new certificate", func(s Stats) bool { return s.Connects >= 2 && s.Connected })
	uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
	waitStats(t, c, "a delivery", func(s Stats) bool { return s.Delivered == 2 })
}

// On a bounded link hits go first, and their pictures follow.
func TestPicturesFollow(t *testing.T) {
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	p := uplinktest.NewProxy(t, b.Addr())
	o := testOutbox(t, outbox.Settings{})
	var told []string
	store(t, b.Addr(), func(h *message.Hit) error {
		told = append(told, fmt.Sprintf("%s follow=%t picture=%t", h.ID, h.PicturesFollow, h.PlatePicture != nil))
		return nil
	})
	for i := range 3 {
		uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("P%d", i)), 500, 8000))
	}
	uplinktest.MustAccept(t, o, uplinktest.Hit("NONE"))
	const bandwidth = 40_000
	begin := time.Now()
	c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, Bandwidth: bandwidth, ONVIF: message.ONVIF{Enabled: true}})
	waitEmpty(t, c, o)
	took := time.Since(begin)
	stop()
	var got []string
	p.Mu.Lock()
	for _, m := range p.Others {
		if bytes.Contains(m.Payload, []byte(`"Image"`)) {
			t.Errorf("an event has its picture: %.400s", m.Payload)
		}
	}
	if len(p.Others) != 4 {
		t.Errorf("%d ONVIF events", len(p.Others))
	}
	for _, h := range p.Acked {
		got = append(got, fmt.Sprintf("%s follow=%t picture=%t", h.ID, h.Follow, h.Pictures))
	}
	p.Mu.Unlock()
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

// A hit and the messages that are derived from it leave the outbox together.
func TestONVIFAndHomeAssistant(t *testing.T) {
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	p := uplinktest.NewProxy(t, b.Addr())
	o := testOutbox(t, outbox.Settings{})
	h := uplinktest.WithPictures(uplinktest.Hit("M5XSX"), 300, 300)
	h.Region = "us-ca"
	id := uplinktest.MustAccept(t, o, h)
	p.Swallow = func(h uplinktest.WireHit) bool { return h.Conn == 1 } // the hit's own acknowledgement
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, Software: "1.2.3",
		ONVIF: message.ONVIF{Enabled: true, TopicPrefix: "site/a"}, HomeAssistant: message.HomeAssistant{Enabled: true, Cameras: []string{"north"}}})
	p.Wait("the hit", func(p *uplinktest.Proxy) bool { return len(p.Acked) == 1 })
	if n := o.Stats().Entries; n != 1 {
		t.Errorf("%d hits are pending before the last acknowledgement", n)
	}
	p.Cut()
	p.Wait("the hit again", func(p *uplinktest.Proxy) bool { return len(p.Acked) == 2 })
	waitEmpty(t, c, o)
	p.Mu.Lock()
	defer p.Mu.Unlock()
	var topics []string
	for _, m := range p.Others {
		topics = append(topics, fmt.Sprintf("%s %t", m.Topic, m.Retained))
	}
	event, device := "site/a/onvif-ej/RuleEngine/Recognition/LicensePlate/&north/platewatch false", "homeassistant/device/unit-7/config true"
	// The event was acknowledged at the first time.
	if diff := cmp.Diff([]string{device, event, device}, topics); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
	want := h
	want.ID, want.Number, want.Revision, want.Unit = id, 1, 1, "unit-7"
	if b, err := (&message.ONVIF{}).Event(&want); err != nil || !bytes.Equal(b, p.Others[1].Payload) {
		t.Errorf("event of %s: %s, %v", id, p.Others[1].Payload, err)
	}
}

// A revision that replaces one which waits for the server's acknowledgement ends
// that wait, as does an eviction: the server may never acknowledge those.
func TestReplacedRevisionsDoNotWait(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		o := testOutbox(t, outbox.Settings{MaxEntries: 16})
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, Ack: AckServer, ServerAckTimeout: time.Hour})
		acked := func(what string, n int) {
			t.Helper()
			p.Wait(what, func(p *uplinktest.Proxy) bool { return len(p.Acked) == n })
			waitStats(t, c, what+", and no other waiting", func(s Stats) bool { return s.Awaiting == 16 })
		}
		ids := acceptMany(t, o, 16)
		acked("all hits with the broker", 16)
		for i, id := range ids {
			if err := o.Update(id, uplinktest.Hit("NEWER")); err != nil {
				t.Fatal(err)
			}
			acked("a second revision with the broker", 17+i)
		}
		acceptMany(t, o, 3) // three of the oldest are evicted
		acked("the youngest with the broker", 35)
		store(t, b.Addr(), func(*message.Hit) error { return nil })
		p.Cut() // all that wait are sent again
		waitEmpty(t, c, o)
		waitStats(t, c, "nothing to wait for", func(s Stats) bool { return s.Awaiting == 0 })
	})
}

// A vehicle has one ONVIF event, however often its hit is revised, and Home Assistant
// loses the device when it is switched off, also after a restart.
func TestOneEventAndNoDeviceLeft(t *testing.T) {
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	p := uplinktest.NewProxy(t, b.Addr())
	o := testOutbox(t, outbox.Settings{})
	cfg := Settings{Brokers: []broker.Broker{{URL: p.URL()}}, ONVIF: message.ONVIF{Enabled: true},
		HomeAssistant: message.HomeAssistant{Enabled: true, Note: filepath.Join(t.TempDir(), "note")}}
	c, stop := startClient(t, o, cfg)
	id := uplinktest.MustAccept(t, o, uplinktest.Hit("M5XSX"))
	waitEmpty(t, c, o)
	for range 2 {
		if err := o.Update(id, uplinktest.Hit("M5XSX")); err != nil {
			t.Fatal(err)
		}
		waitEmpty(t, c, o)
	}
	stop()
	cfg.HomeAssistant.Enabled = false
	for range 2 {
		c, stop = startClient(t, o, cfg)
		uplinktest.MustAccept(t, o, uplinktest.Hit("OTHER"))
		waitEmpty(t, c, o)
		stop()
	}
	p.Mu.Lock()
	defer p.Mu.Unlock()
	var got []string
	for _, m := range p.Others {
		got = append(got, fmt.Sprintf("%s %d", m.Topic, min(len(m.Payload), 1)))
	}
	const event, device = "unit-7/onvif-ej/RuleEngine/Recognition/LicensePlate/&north/platewatch", "homeassistant/device/unit-7/config"
	if diff := cmp.Diff([]string{device + " 1", event + " 1", device + " 0", event + " 1", event + " 1"}, got); diff != "" {
		t.Errorf("topics, and whether they have a payload (-want +got):\n%s", diff)
	}
}
