package uplink

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
	"platewatch/uplink/watch"

	bolt "go.etcd.io/bbolt"
)

// startClient runs a client until the test ends or stop is called; stop
// returns once Run did.
func startClient(t *testing.T, o *outbox.Outbox, cfg Settings) (c *Client, stop func()) {
	t.Helper()
	if cfg.MaxBackoff == 0 {
		cfg.MaxBackoff = 300 * time.Millisecond
	}
	c, err := NewClient(cfg, o, uplinktest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return c, stop
}

// wantDelivered checks that the broker acknowledged exactly these hits, each
// for the first time in this order.
func wantDelivered(t *testing.T, p *uplinktest.Proxy, ids []string) {
	t.Helper()
	p.Mu.Lock()
	defer p.Mu.Unlock()
	var got []string
	for _, h := range uplinktest.Firsts(p.Acked) {
		got = append(got, h.ID)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("acknowledged hits (-want +got):\n%s", diff)
	}
}

func acceptMany(t *testing.T, o *outbox.Outbox, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("P%d", i)), 500, 3000))
	}
	return ids
}

// waitEmpty waits until the outbox is empty. The last acknowledgement was seen
// before; the removal follows it.
func waitEmpty(t *testing.T, c *Client, o *outbox.Outbox) {
	t.Helper()
	limit := uplinktest.Timeout(t)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for o.Stats().Entries > 0 {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("the outbox still holds %v; client %+v", pendingIDs(o), c.Stats())
		}
	}
}

// The conformance suite: what every broker must provide.

func TestDeliveryInOrder(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		o := testOutbox(t, outbox.Settings{})
		before := acceptMany(t, o, 20)

		// A subscriber on the other side gets everything once.
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		up := make(chan struct{}, 1)
		var got []string
		states := make(chan message.Presence, 10)
		watched := make(chan error, 1)
		go func() {
			watched <- watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}}, watch.Handler{
				Link: func(err error) error { up <- struct{}{}; return err },
				Hit: func(h *message.Hit, _ []byte) error {
					got = append(got, h.ID)
					if len(got) == 40 {
						return watch.ErrStop
					}
					return nil
				},
				State:   func(s *message.State, _ []byte) error { states <- s.State; return nil },
				Gap:     func(g *watch.Gap) error { return fmt.Errorf("gap: %+v", g) },
				Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
			}, uplinktest.Log(t))
		}()
		<-up

		c, stop := startClient(t, o, Settings{
			Brokers: []broker.Broker{{URL: p.URL()}}, Software: "1.2.3", HealthEvery: 100 * time.Millisecond,
			Health: func() message.Health {
				temp := 41.5
				return message.Health{Clock: message.ClockSynchronised, Uptime: 1, Passages: 9, Hits: 3, Temperature: &temp,
					Cameras: []message.CameraHealth{{Name: "north", State: "online", FPS: 25, Drops: map[string]uint64{"busy": 3}, LastFrame: time.Now()}},
					Lists:   []message.ListHealth{{Name: "state", Version: "41", Entries: 12, Imported: time.Now()}},
					Disk:    &message.DiskHealth{Free: 1, Total: 2}, Problems: []string{"camera south is offline"}}
			},
		})
		c.ReportHotlists(message.HotlistReport{At: time.Now(), Lists: []message.ListHealth{{Name: "state", Entries: 12}},
			Refused: []message.ListRefusal{{Name: "x", Reason: "signature", At: time.Now()}}})
		after := acceptMany(t, o, 20)
		ids := append(before, after...)
		if err := <-watched; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("watched hits (-want +got):\n%s", diff)
		}
		p.Wait("a second health message that knows of all hits", func(p *uplinktest.Proxy) bool {
			n := len(p.Healths)
			return n >= 2 && p.Healths[n-1].Outbox.Accepted == 40
		})
		waitEmpty(t, c, o)
		wantDelivered(t, p, ids)
		stop()
		if s := <-states; s != message.Online {
			t.Errorf("first state is %s", s)
		}
		p.Mu.Lock()
		defer p.Mu.Unlock()
		if n := len(p.States); n != 2 || p.States[0].State != message.Online || p.States[1].State != message.Offline || p.States[1].Reason != "stopped" {
			t.Errorf("states: %+v", p.States)
		}
		if h := p.Healths[len(p.Healths)-1]; h.Unit != "unit-7" || h.Outbox.Accepted != 40 || h.Link.Connects != 1 {
			t.Errorf("health: %+v", h)
		}
		if s := c.Stats(); s.Delivered != 40 || s.Resent != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A retained last will follows a connection that ends without a farewell.
func TestLastWill(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		o := testOutbox(t, outbox.Settings{})
		startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, MaxBackoff: 10 * time.Second})
		p.Wait("the birth message", func(p *uplinktest.Proxy) bool { return len(p.States) > 0 })

		var states []message.State
		err := watch.Run(t.Context(), watch.Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Unit: "unit-7"}, watch.Handler{
			State: func(s *message.State, _ []byte) error {
				// The birth message can come twice: retained, and as it is published.
				if s.State == message.Online && len(states) > 0 {
					return nil
				}
				states = append(states, *s)
				if len(states) == 1 {
					p.Cut()
					return nil
				}
				return watch.ErrStop
			},
		}, uplinktest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(states) != 2 || states[0].State != message.Online || states[1].State != message.Offline || states[1].Reason != "connection lost" {
			t.Errorf("states: %+v", states)
		}
	})
}

func TestBrokerRestartInMidDelivery(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		o := testOutbox(t, outbox.Settings{})
		ids := acceptMany(t, o, 200)
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
		for restart := range 3 {
			want := 40 * (restart + 1)
			p.Wait("some acknowledgements", func(p *uplinktest.Proxy) bool { return len(uplinktest.Firsts(p.Acked)) >= want })
			b.Kill(t)
			b.Start(t)
		}
		p.Wait("all acknowledgements", func(p *uplinktest.Proxy) bool { return len(uplinktest.Firsts(p.Acked)) == len(ids) })
		waitEmpty(t, c, o)
		wantDelivered(t, p, ids)
	})
}

// The token of a message whose acknowledgement is lost must not count as
// delivery after the reconnect.
func TestSwallowedAcknowledgements(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		o := testOutbox(t, outbox.Settings{})
		ids := acceptMany(t, o, 10)
		p.Swallow = func(h uplinktest.WireHit) bool { return h.Conn == 1 && h.Number >= 4 }
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, AckTimeout: time.Minute})
		// The broker has all of them; the unit knows of three.
		p.Wait("ten acknowledgements", func(p *uplinktest.Proxy) bool { return len(p.Acked) == 10 })
		limit := uplinktest.Timeout(t)
		for c.Stats().Delivered < 3 || o.Stats().Entries > 7 { // counted first, then removed
			select {
			case <-limit:
				t.Fatalf("stats: %+v, %d hits are pending", c.Stats(), o.Stats().Entries)
			default:
				runtime.Gosched()
			}
		}
		if n := o.Stats().Entries; n != 7 {
			t.Fatalf("%d hits are pending, want 7", n)
		}
		p.Cut()
		p.Wait("the rest again", func(p *uplinktest.Proxy) bool { return len(p.Acked) == 17 })
		waitEmpty(t, c, o)
		wantDelivered(t, p, ids)
		if s := c.Stats(); s.Resent != 7 || s.Delivered != 10 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A broker that answers pings and never acknowledges is given up.
func TestAcknowledgementTimeout(t *testing.T) {
	b := uplinktest.NewMochi(t)
	p := uplinktest.NewProxy(t, b.Addr())
	o := testOutbox(t, outbox.Settings{})
	p.Swallow = func(h uplinktest.WireHit) bool { return h.Conn <= 2 }
	id := uplinktest.MustAccept(t, o, uplinktest.Hit("A1"))
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, AckTimeout: 200 * time.Millisecond})
	p.Wait("three connections", func(p *uplinktest.Proxy) bool { return p.Accepted >= 3 && len(p.Acked) >= 3 })
	waitEmpty(t, c, o)
	wantDelivered(t, p, []string{id})
}

func TestConnectionCutEveryFewMessages(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		p.CutEvery = 20
		o := testOutbox(t, outbox.Settings{})
		ids := acceptMany(t, o, 200)
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, MaxBackoff: 20 * time.Millisecond})
		p.Wait("all acknowledgements", func(p *uplinktest.Proxy) bool { return len(uplinktest.Firsts(p.Acked)) == len(ids) })
		p.Set(func(p *uplinktest.Proxy) { p.CutEvery = 0 })
		waitEmpty(t, c, o)
		wantDelivered(t, p, ids)
		if s := c.Stats(); s.Connects < 10 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A link that swallows everything without closing is noticed by keep-alive.
func TestDeadLinkIsNoticed(t *testing.T) {
	b := uplinktest.NewMochi(t)
	p := uplinktest.NewProxy(t, b.Addr())
	o := testOutbox(t, outbox.Settings{})
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, KeepAlive: time.Second})
	p.Wait("the birth message", func(p *uplinktest.Proxy) bool { return len(p.States) == 1 })
	p.Set(func(p *uplinktest.Proxy) { p.Silent = true })
	dead := time.Now()
	p.Wait("a second connection", func(p *uplinktest.Proxy) bool {
		if p.Accepted < 2 {
			return false
		}
		p.Silent = false
		return true
	})
	if took := time.Since(dead); took > 3500*time.Millisecond {
		t.Errorf("with a keep-alive of 1 s the dead link was noticed after %v", took)
	}
	p.Wait("a second birth message", func(p *uplinktest.Proxy) bool { return len(p.States) >= 2 })
	_ = c
}

func TestRevisionsArriveInOrder(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		o := testOutbox(t, outbox.Settings{})
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
		id := uplinktest.MustAccept(t, o, uplinktest.Hit("M5XSX"))
		p.Wait("revision 1", func(p *uplinktest.Proxy) bool { return len(p.Acked) >= 1 })
		waitEmpty(t, c, o)
		for _, text := range []string{"M5XSXA", "M5XSXB"} {
			if err := o.Update(id, uplinktest.Hit(text)); err != nil {
				t.Fatal(err)
			}
		}
		p.Wait("the last revision", func(p *uplinktest.Proxy) bool {
			return len(p.Acked) > 0 && p.Acked[len(p.Acked)-1].Text == "M5XSXB"
		})
		waitEmpty(t, c, o)
		p.Mu.Lock()
		defer p.Mu.Unlock()
		last := 0
		for _, h := range p.Acked {
			if h.ID != id || h.Revision <= last {
				t.Errorf("revisions: %+v", p.Acked)
			}
			last = h.Revision
		}
		if last != 3 {
			t.Errorf("the last revision is %d, want 3", last)
		}
	})
}

// A revision that comes while the one before is in flight is not lost with it.
func TestUpdateOfHitInFlight(t *testing.T) {
	b := uplinktest.NewMochi(t)
	p := uplinktest.NewProxy(t, b.Addr())
	o := testOutbox(t, outbox.Settings{})
	id := uplinktest.MustAccept(t, o, uplinktest.Hit("A1"))
	held := make(chan struct{})
	updated := make(chan struct{})
	var once sync.Once
	p.Swallow = func(h uplinktest.WireHit) bool {
		once.Do(func() { close(held); <-updated })
		return false
	}
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
	<-held
	if err := o.Update(id, uplinktest.Hit("A2")); err != nil {
		t.Fatal(err)
	}
	close(updated)
	p.Wait("revision 2", func(p *uplinktest.Proxy) bool { return len(p.Acked) == 2 && p.Acked[1].Revision == 2 })
	waitEmpty(t, c, o)
}

func TestHistorical(t *testing.T) {
	b := uplinktest.NewMochi(t)
	p := uplinktest.NewProxy(t, b.Addr())
	start := time.Now()
	var passed atomic.Int64 // since the start
	o := testOutbox(t, outbox.Settings{Now: func() time.Time { return start.Add(time.Duration(passed.Load())) }})
	uplinktest.MustAccept(t, o, uplinktest.Hit("OLD"))
	passed.Store(int64(20 * time.Second))
	uplinktest.MustAccept(t, o, uplinktest.Hit("NEW"))
	passed.Store(int64(31 * time.Second))
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
	p.Wait("both", func(p *uplinktest.Proxy) bool { return len(p.Acked) == 2 })
	waitEmpty(t, c, o)
	if p.Acked[0].Historical || p.Acked[0].Text != "NEW" || !p.Acked[1].Historical { // live hits go first
		t.Errorf("acknowledged: %+v", p.Acked)
	}
	if s := c.Stats(); s.Historical != 1 {
		t.Errorf("stats: %+v", s)
	}
}

// Shutdown delivers what it can, says goodbye, and takes no longer than told.
func TestDrain(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		o := testOutbox(t, outbox.Settings{})
		_, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
		p.Wait("the birth message", func(p *uplinktest.Proxy) bool { return len(p.States) == 1 })
		ids := acceptMany(t, o, 50)
		stop()
		wantDelivered(t, p, ids)
		if n := o.Stats().Entries; n != 0 {
			t.Errorf("%d hits are pending", n)
		}
	})
}

func TestDrainIsBounded(t *testing.T) {
	b := uplinktest.NewMochi(t)
	p := uplinktest.NewProxy(t, b.Addr())
	p.Swallow = func(uplinktest.WireHit) bool { return true }
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, outbox.Settings{})
	_, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, DrainTimeout: time.Second})
	acceptMany(t, o, 30)
	p.Wait("a full window", func(p *uplinktest.Proxy) bool { return len(p.Acked) >= 8 })
	begin := time.Now()
	stop()
	if took := time.Since(begin); took > 1500*time.Millisecond {
		t.Errorf("shutdown took %v", took)
	}
	if n := o.Stats().Entries; n != 30 {
		t.Errorf("%d hits are pending, want all 30", n)
	}
	p.Mu.Lock()
	defer p.Mu.Unlock()
	if last := p.States[len(p.States)-1]; last.State != message.Offline || last.Reason != "stopped" {
		t.Errorf("the last state is %+v", last)
	}
}

// Without a broker the client stops at once and the hits stay.
func TestNoBroker(t *testing.T) {
	o := testOutbox(t, outbox.Settings{})
	uplinktest.MustAccept(t, o, uplinktest.Hit("A1"))
	c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + addrtest.Free(t)}}})
	limit := uplinktest.Timeout(t)
	for c.Stats().LastProblem == "" {
		select {
		case <-limit:
			t.Fatal("no problem is reported")
		default:
		}
	}
	begin := time.Now()
	stop()
	if took := time.Since(begin); took > time.Second {
		t.Errorf("shutdown took %v", took)
	}
	if n := o.Stats().Entries; n != 1 {
		t.Errorf("%d hits are pending", n)
	}
}

// A message with pictures over which the broker closes the connection is sent again
// without them, and does not block the hits after it.
func TestBrokerChokesOnPictures(t *testing.T) {
	m := uplinktest.NewMosquitto(t, "allow_anonymous true\nmax_packet_size 20000\n")
	p := uplinktest.NewProxy(t, m.Addr())
	o := testOutbox(t, outbox.Settings{})
	ids := []string{uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("BIG"), 1000, 40_000)), uplinktest.MustAccept(t, o, uplinktest.Hit("SMALL"))}
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, MaxBackoff: 20 * time.Millisecond})
	p.Wait("both", func(p *uplinktest.Proxy) bool { return len(uplinktest.Firsts(p.Acked)) == 2 })
	waitEmpty(t, c, o)
	wantDelivered(t, p, ids)
	if s := c.Stats(); s.WithoutPictures == 0 {
		t.Errorf("stats: %+v", s)
	}
}

// A full disk on removal must not send the same hit over and over.
func TestRemovalFails(t *testing.T) {
	b := uplinktest.NewMochi(t)
	p := uplinktest.NewProxy(t, b.Addr())
	var full atomic.Bool
	o := testOutbox(t, outbox.Settings{Commit: func(db *bolt.DB, f func(*bolt.Tx) error) error {
		return db.Update(func(tx *bolt.Tx) error {
			if err := f(tx); err != nil || !full.Load() {
				return err
			}
			return errors.New("no space left on device")
		})
	}})
	ids := acceptMany(t, o, 3)
	full.Store(true)
	c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
	p.Wait("three acknowledgements", func(p *uplinktest.Proxy) bool { return len(p.Acked) == 3 })
	limit := uplinktest.Timeout(t)
	for c.Stats().Delivered < 3 {
		select {
		case <-limit:
			t.Fatalf("stats: %+v", c.Stats())
		default:
		}
	}
	full.Store(false)
	ids = append(ids, uplinktest.MustAccept(t, o, uplinktest.Hit("LAST"))) // its removal takes the others along
	waitEmpty(t, c, o)
	stop()
	if len(p.Published) != 4 {
		t.Errorf("published %d hits, want each of 4 once", len(p.Published))
	}
	wantDelivered(t, p, ids)
}
