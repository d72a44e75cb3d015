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
	bolt "go.etcd.io/bbolt"
)

// startClient runs a client until the test ends or stop is called; stop
// returns once Run did.
func startClient(t *testing.T, o *Outbox, cfg ClientConfig) (c *Client, stop func()) {
	t.Helper()
	if cfg.MaxBackoff == 0 {
		cfg.MaxBackoff = 300 * time.Millisecond
	}
	c, err := NewClient(cfg, o, testLog(t))
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
func wantDelivered(t *testing.T, p *proxy, ids []string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []string
	for _, h := range firsts(p.acked) {
		got = append(got, h.ID)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("acknowledged hits (-want +got):\n%s", diff)
	}
}

func acceptMany(t *testing.T, o *Outbox, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = mustAccept(t, o, withPictures(testHit(fmt.Sprintf("P%d", i)), 500, 3000))
	}
	return ids
}

// empty waits until the outbox is empty. The last acknowledgement was seen
// before; the removal follows it.
func waitEmpty(t *testing.T, c *Client, o *Outbox) {
	t.Helper()
	limit := testTimeout(t)
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

// The conformance suite: what every broker must give.

func TestDeliveryInOrder(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		p := newProxy(t, b.addr())
		o := testOutbox(t, OutboxOptions{})
		before := acceptMany(t, o, 20)

		// A subscriber on the other side gets everything once.
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		up := make(chan struct{}, 1)
		var got []string
		states := make(chan Presence, 10)
		watched := make(chan error, 1)
		go func() {
			watched <- Watch(ctx, WatchConfig{Brokers: []Broker{{URL: "tcp://" + b.addr()}}}, WatchHandler{
				Link: func(err error) error { up <- struct{}{}; return err },
				Hit: func(h *Hit, _ []byte) error {
					got = append(got, h.ID)
					if len(got) == 40 {
						return ErrStop
					}
					return nil
				},
				State:   func(s *State, _ []byte) error { states <- s.State; return nil },
				Gap:     func(g *Gap) error { return fmt.Errorf("gap: %+v", g) },
				Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
			}, testLog(t))
		}()
		<-up

		c, stop := startClient(t, o, ClientConfig{
			Brokers: []Broker{{URL: p.url()}}, Software: "1.2.3", HealthEvery: 100 * time.Millisecond,
			Health: func() Health {
				temp := 41.5
				return Health{Clock: ClockSynchronised, Uptime: 1, Passages: 9, Hits: 3, Temperature: &temp,
					Cameras: []CameraHealth{{Name: "north", State: "online", FPS: 25, Drops: map[string]uint64{"busy": 3}, LastFrame: time.Now()}},
					Lists:   []ListHealth{{Name: "state", Version: "41", Entries: 12, Imported: time.Now()}},
					Disk:    &DiskHealth{Free: 1, Total: 2}, Problems: []string{"camera south is offline"}}
			},
		})
		c.ReportHotlists(HotlistReport{At: time.Now(), Lists: []ListHealth{{Name: "state", Entries: 12}},
			Refused: []ListRefusal{{Name: "x", Reason: "signature", At: time.Now()}}})
		after := acceptMany(t, o, 20)
		ids := append(before, after...)
		if err := <-watched; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("watched hits (-want +got):\n%s", diff)
		}
		p.wait("a second health message that knows of all hits", func(p *proxy) bool {
			n := len(p.healths)
			return n >= 2 && p.healths[n-1].Outbox.Accepted == 40
		})
		waitEmpty(t, c, o)
		wantDelivered(t, p, ids)
		stop()
		if s := <-states; s != Online {
			t.Errorf("first state is %s", s)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if n := len(p.states); n != 2 || p.states[0].State != Online || p.states[1].State != Offline || p.states[1].Reason != "stopped" {
			t.Errorf("states: %+v", p.states)
		}
		if h := p.healths[len(p.healths)-1]; h.Unit != "unit-7" || h.Outbox.Accepted != 40 || h.Link.Connects != 1 {
			t.Errorf("health: %+v", h)
		}
		if s := c.Stats(); s.Delivered != 40 || s.Resent != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A retained last will follows a connection that ends without a farewell.
func TestLastWill(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		p := newProxy(t, b.addr())
		o := testOutbox(t, OutboxOptions{})
		startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, MaxBackoff: 10 * time.Second})
		p.wait("the birth message", func(p *proxy) bool { return len(p.states) > 0 })

		var states []State
		err := Watch(t.Context(), WatchConfig{Brokers: []Broker{{URL: "tcp://" + b.addr()}}, Unit: "unit-7"}, WatchHandler{
			State: func(s *State, _ []byte) error {
				states = append(states, *s)
				if len(states) == 1 {
					p.cut()
					return nil
				}
				return ErrStop
			},
		}, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		if states[0].State != Online || states[1].State != Offline || states[1].Reason != "connection lost" {
			t.Errorf("states: %+v", states)
		}
	})
}

func TestBrokerRestartInMidDelivery(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		p := newProxy(t, b.addr())
		o := testOutbox(t, OutboxOptions{})
		ids := acceptMany(t, o, 200)
		c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}})
		for restart := range 3 {
			want := 40 * (restart + 1)
			p.wait("some acknowledgements", func(p *proxy) bool { return len(firsts(p.acked)) >= want })
			b.kill(t)
			b.start(t)
		}
		p.wait("all acknowledgements", func(p *proxy) bool { return len(firsts(p.acked)) == len(ids) })
		waitEmpty(t, c, o)
		wantDelivered(t, p, ids)
	})
}

// The token of a message whose acknowledgement is lost must not count as
// delivery after the reconnect.
func TestSwallowedAcknowledgements(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		p := newProxy(t, b.addr())
		o := testOutbox(t, OutboxOptions{})
		ids := acceptMany(t, o, 10)
		p.swallow = func(h wireHit) bool { return h.Conn == 1 && h.Number >= 4 }
		c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, AckTimeout: time.Minute})
		// The broker has all of them; the unit knows of three.
		p.wait("ten acknowledgements", func(p *proxy) bool { return len(p.acked) == 10 })
		limit := testTimeout(t)
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
		p.cut()
		p.wait("the rest again", func(p *proxy) bool { return len(p.acked) == 17 })
		waitEmpty(t, c, o)
		wantDelivered(t, p, ids)
		if s := c.Stats(); s.Resent != 7 || s.Delivered != 10 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A broker that answers pings and never acknowledges is given up.
func TestAcknowledgementTimeout(t *testing.T) {
	b := newMochi(t)
	p := newProxy(t, b.addr())
	o := testOutbox(t, OutboxOptions{})
	p.swallow = func(h wireHit) bool { return h.Conn <= 2 }
	id := mustAccept(t, o, testHit("A1"))
	c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, AckTimeout: 200 * time.Millisecond})
	p.wait("three connections", func(p *proxy) bool { return p.accepted >= 3 && len(p.acked) >= 3 })
	waitEmpty(t, c, o)
	wantDelivered(t, p, []string{id})
}

func TestConnectionCutEveryFewMessages(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		p := newProxy(t, b.addr())
		p.cutEvery = 20
		o := testOutbox(t, OutboxOptions{})
		ids := acceptMany(t, o, 200)
		c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, MaxBackoff: 20 * time.Millisecond})
		p.wait("all acknowledgements", func(p *proxy) bool { return len(firsts(p.acked)) == len(ids) })
		p.set(func(p *proxy) { p.cutEvery = 0 })
		waitEmpty(t, c, o)
		wantDelivered(t, p, ids)
		if s := c.Stats(); s.Connects < 10 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// A link that swallows everything without closing is noticed by keep-alive.
func TestDeadLinkIsNoticed(t *testing.T) {
	b := newMochi(t)
	p := newProxy(t, b.addr())
	o := testOutbox(t, OutboxOptions{})
	c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, KeepAlive: time.Second})
	p.wait("the birth message", func(p *proxy) bool { return len(p.states) == 1 })
	p.set(func(p *proxy) { p.silent = true })
	dead := time.Now()
	p.wait("a second connection", func(p *proxy) bool {
		if p.accepted < 2 {
			return false
		}
		p.silent = false
		return true
	})
	if took := time.Since(dead); took > 3500*time.Millisecond {
		t.Errorf("with a keep-alive of 1 s the dead link was noticed after %v", took)
	}
	p.wait("a second birth message", func(p *proxy) bool { return len(p.states) >= 2 })
	_ = c
}

func TestRevisionsArriveInOrder(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		p := newProxy(t, b.addr())
		o := testOutbox(t, OutboxOptions{})
		c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}})
		id := mustAccept(t, o, testHit("M5XSX"))
		p.wait("revision 1", func(p *proxy) bool { return len(p.acked) >= 1 })
		waitEmpty(t, c, o)
		for _, text := range []string{"M5XSXA", "M5XSXB"} {
			if err := o.Update(id, testHit(text)); err != nil {
				t.Fatal(err)
			}
		}
		p.wait("the last revision", func(p *proxy) bool {
			return len(p.acked) > 0 && p.acked[len(p.acked)-1].Text == "M5XSXB"
		})
		waitEmpty(t, c, o)
		p.mu.Lock()
		defer p.mu.Unlock()
		last := 0
		for _, h := range p.acked {
			if h.ID != id || h.Revision <= last {
				t.Errorf("revisions: %+v", p.acked)
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
	b := newMochi(t)
	p := newProxy(t, b.addr())
	o := testOutbox(t, OutboxOptions{})
	id := mustAccept(t, o, testHit("A1"))
	held := make(chan struct{})
	updated := make(chan struct{})
	var once sync.Once
	p.swallow = func(h wireHit) bool {
		once.Do(func() { close(held); <-updated })
		return false
	}
	c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}})
	<-held
	if err := o.Update(id, testHit("A2")); err != nil {
		t.Fatal(err)
	}
	close(updated)
	p.wait("revision 2", func(p *proxy) bool { return len(p.acked) == 2 && p.acked[1].Revision == 2 })
	waitEmpty(t, c, o)
}

func TestHistorical(t *testing.T) {
	b := newMochi(t)
	p := newProxy(t, b.addr())
	start := time.Now()
	var passed atomic.Int64 // since the start
	o := testOutbox(t, OutboxOptions{Now: func() time.Time { return start.Add(time.Duration(passed.Load())) }})
	mustAccept(t, o, testHit("OLD"))
	passed.Store(int64(20 * time.Second))
	mustAccept(t, o, testHit("NEW"))
	passed.Store(int64(31 * time.Second))
	c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}})
	p.wait("both", func(p *proxy) bool { return len(p.acked) == 2 })
	waitEmpty(t, c, o)
	if p.acked[0].Historical || p.acked[0].Text != "NEW" || !p.acked[1].Historical { // live hits go first
		t.Errorf("acknowledged: %+v", p.acked)
	}
	if s := c.Stats(); s.Historical != 1 {
		t.Errorf("stats: %+v", s)
	}
}

// Shutdown delivers what it can, says goodbye, and takes no longer than told.
func TestDrain(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		p := newProxy(t, b.addr())
		o := testOutbox(t, OutboxOptions{})
		_, stop := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}})
		p.wait("the birth message", func(p *proxy) bool { return len(p.states) == 1 })
		ids := acceptMany(t, o, 50)
		stop()
		wantDelivered(t, p, ids)
		if n := o.Stats().Entries; n != 0 {
			t.Errorf("%d hits are pending", n)
		}
	})
}

func TestDrainIsBounded(t *testing.T) {
	b := newMochi(t)
	p := newProxy(t, b.addr())
	p.swallow = func(wireHit) bool { return true }
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, OutboxOptions{})
	_, stop := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, DrainTimeout: time.Second})
	acceptMany(t, o, 30)
	p.wait("a full window", func(p *proxy) bool { return len(p.acked) >= 8 })
	begin := time.Now()
	stop()
	if took := time.Since(begin); took > 1500*time.Millisecond {
		t.Errorf("shutdown took %v", took)
	}
	if n := o.Stats().Entries; n != 30 {
		t.Errorf("%d hits are pending, want all 30", n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := p.states[len(p.states)-1]; last.State != Offline || last.Reason != "stopped" {
		t.Errorf("the last state is %+v", last)
	}
}

// Without a broker the client stops at once and the hits stay.
func TestNoBroker(t *testing.T) {
	o := testOutbox(t, OutboxOptions{})
	mustAccept(t, o, testHit("A1"))
	c, stop := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: "tcp://" + freeAddr(t)}}})
	limit := testTimeout(t)
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

// A broker that closes the connection over a message with pictures gets it
// without, and the hits behind it are not held up for ever.
func TestBrokerChokesOnPictures(t *testing.T) {
	m := newMosquitto(t, "allow_anonymous true\nmax_packet_size 20000\n")
	p := newProxy(t, m.addr())
	o := testOutbox(t, OutboxOptions{})
	ids := []string{mustAccept(t, o, withPictures(testHit("BIG"), 1000, 40_000)), mustAccept(t, o, testHit("SMALL"))}
	c, _ := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}, MaxBackoff: 20 * time.Millisecond})
	p.wait("both", func(p *proxy) bool { return len(firsts(p.acked)) == 2 })
	waitEmpty(t, c, o)
	wantDelivered(t, p, ids)
	if s := c.Stats(); s.Bare == 0 {
		t.Errorf("stats: %+v", s)
	}
}

// A full disk on removal must not send the same hit over and over.
func TestRemovalFails(t *testing.T) {
	b := newMochi(t)
	p := newProxy(t, b.addr())
	var full atomic.Bool
	o := testOutbox(t, OutboxOptions{Commit: func(db *bolt.DB, f func(*bolt.Tx) error) error {
		return db.Update(func(tx *bolt.Tx) error {
			if err := f(tx); err != nil || !full.Load() {
				return err
			}
			return errors.New("no space left on device")
		})
	}})
	ids := acceptMany(t, o, 3)
	full.Store(true)
	c, stop := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}})
	p.wait("three acknowledgements", func(p *proxy) bool { return len(p.acked) == 3 })
	limit := testTimeout(t)
	for c.Stats().Delivered < 3 {
		select {
		case <-limit:
			t.Fatalf("stats: %+v", c.Stats())
		default:
		}
	}
	full.Store(false)
	ids = append(ids, mustAccept(t, o, testHit("LAST"))) // its removal takes the others along
	waitEmpty(t, c, o)
	stop()
	if len(p.published) != 4 {
		t.Errorf("published %d hits, want each of 4 once", len(p.published))
	}
	wantDelivered(t, p, ids)
}
