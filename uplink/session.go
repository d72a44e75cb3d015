package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// session is the client's work on one connection. All of it happens in the
// goroutine of run.
type session struct {
	client *Client
	link   *link
	cfg    ClientConfig

	control []control // messages about the unit itself that are due
	flight  []*flight // published and not acknowledged, in that order
	stalled time.Time // when the first in flight began to wait; zero if nothing is

	published uint64 // hits
	acked     uint64 // hits
}

// control is a message that is not a hit. There are at most a handful: one of
// each kind.
type control struct {
	kind    Kind
	payload []byte
}

// flight is a message on its way.
type flight struct {
	token mqtt.Token
	entry *Queued // nil for a control message
	late  bool
}

var (
	errAckTimeout = errors.New("the broker does not acknowledge messages")
	errLost       = errors.New("the connection was lost")
)

// run publishes until the connection is lost or ctx is done.
func (s *session) run(ctx context.Context) error {
	c := s.client
	birth := State{Unit: c.outbox.unit, State: Online, Since: time.Now(), Software: s.cfg.Software, Insecure: s.cfg.Broker.plaintext()}
	s.due(KindState, birth)
	s.dueHotlists()
	s.dueHealth()

	health := time.NewTicker(s.cfg.HealthEvery)
	defer health.Stop()
	retry := time.NewTicker(retryRemoval)
	defer retry.Stop()

	stop := ctx.Done()
	var drained <-chan time.Time // runs once ctx is done
	var deadline time.Time
	for {
		if err := s.step(); err != nil {
			s.link.cut()
			return err
		}
		if stop == nil && len(s.flight) == 0 {
			return s.farewell(deadline)
		}
		var ack <-chan struct{}
		var overdue <-chan time.Time
		if len(s.flight) > 0 {
			ack = s.flight[0].token.Done()
			overdue = time.After(time.Until(s.stalled.Add(s.cfg.AckTimeout)))
		}
		select {
		case <-ack:
		case <-s.link.conn.progress:
			s.stalled = time.Now() // a slow link that moves is not a silent broker
		case <-c.outbox.added:
		case <-health.C:
			s.dueHealth()
		case <-c.report:
			s.dueHotlists()
		case <-retry.C:
			s.remove(nil)
		case <-overdue:
			s.link.cut()
			return errAckTimeout
		case err := <-s.link.lost:
			s.link.cut()
			return errors.Join(errLost, err)
		case <-stop:
			stop = nil
			deadline = time.Now().Add(s.cfg.DrainTimeout)
			t := time.NewTimer(s.cfg.DrainTimeout - min(farewellWait, s.cfg.DrainTimeout/2))
			defer t.Stop()
			drained = t.C
		case <-drained:
			return s.farewell(deadline)
		}
	}
}

// farewellWait is the part of the DrainTimeout that is kept for saying that
// the unit is offline.
const farewellWait = time.Second

// retryRemoval is how often a failed removal is tried again.
const retryRemoval = 5 * time.Second

// step takes what was acknowledged off the list and publishes what may go.
func (s *session) step() error {
	if err := s.settle(); err != nil {
		return err
	}
	for s.link.ready() && len(s.flight) < s.window() {
		more, err := s.publishNext()
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	return nil
}

// window is how many messages may be in flight. After several connections
// that ended without any acknowledgement it is one, so that a message the
// broker chokes on does not take the others down with it.
func (s *session) window() int {
	if s.client.barren >= stubbornAfter && s.acked == 0 {
		return 1
	}
	return s.cfg.Window
}

// settle removes every acknowledged entry at the head of the flight, in one
// transaction.
func (s *session) settle() error {
	var done []Ref
	n := 0
	for n < len(s.flight) && acknowledged(s.flight[n].token) {
		f := s.flight[n]
		// A token of this link that completed without error got its PUBACK on
		// this connection: paho has neither a store nor a reconnect here, and
		// sets an error on all others when the connection ends.
		if err := f.token.Error(); err != nil {
			s.finish(n, done)
			return errors.Join(errLost, err)
		}
		if f.entry != nil {
			done = append(done, f.entry.Ref)
			if f.late {
				s.client.count(func(s *ClientStats) { s.Historical++ })
			}
		}
		n++
	}
	s.finish(n, done)
	return nil
}

func acknowledged(t mqtt.Token) bool {
	select {
	case <-t.Done():
		return true
	default:
		return false
	}
}

func (s *session) finish(n int, done []Ref) {
	if n == 0 {
		return
	}
	s.flight = append(s.flight[:0], s.flight[n:]...)
	s.stalled = time.Now()
	if len(done) == 0 {
		return
	}
	s.acked += uint64(len(done))
	s.client.count(func(st *ClientStats) { st.Delivered += uint64(len(done)) })
	s.remove(done)
}

// remove takes delivered entries out of the outbox, and those of earlier
// attempts that failed.
func (s *session) remove(done []Ref) {
	c := s.client
	for _, ref := range done {
		delete(c.sent, ref)
		c.removed[ref] = true
	}
	if len(c.removed) == 0 {
		return
	}
	refs := make([]Ref, 0, len(c.removed))
	for ref := range c.removed {
		refs = append(refs, ref)
	}
	if err := c.outbox.Remove(refs...); err != nil {
		c.log.Error("delivered hits cannot be removed from the outbox; trying again", "hits", len(refs), "error", err)
		return
	}
	clear(c.removed)
}

// publishNext publishes one message, if there is one.
func (s *session) publishNext() (more bool, err error) {
	if len(s.control) > 0 {
		m := s.control[0]
		s.control = s.control[1:]
		s.launch(&flight{}, m.kind, true, m.payload)
		return true, nil
	}
	c := s.client
	e, err := c.outbox.Next(s.skip)
	if err != nil {
		if errors.Is(err, ErrClosed) {
			return false, err
		}
		// The link is fine; the disk is not. What is in memory goes on.
		c.log.Error("cannot read the outbox", "error", err)
		return false, nil
	}
	if e == nil {
		return false, nil
	}
	if s.window() == 1 && (e.Hit.PlatePicture != nil || e.Hit.ContextPicture != nil) {
		e.Hit.PlatePicture, e.Hit.ContextPicture, e.Hit.PicturesDropped = nil, nil, true
		c.count(func(s *ClientStats) { s.Bare++ })
	}
	e.Hit.Historical = e.Historical
	payload, err := json.Marshal(&e.Hit)
	if err != nil {
		return true, c.outbox.Quarantine(e.Ref, err.Error())
	}
	f := &flight{entry: e, late: e.Hit.Historical}
	// The pictures are in the payload now; only the reference is needed.
	e.Hit = Hit{}
	if c.sent[e.Ref] {
		c.count(func(s *ClientStats) { s.Resent++ })
	}
	s.launch(f, KindHits, false, payload)
	s.published++
	return true, nil
}

// skip leaves out what is in flight or delivered already. A newer revision of
// an entry in flight waits, so that revisions arrive in order.
func (s *session) skip(ref Ref) bool {
	if s.client.removed[ref] {
		return true
	}
	for _, f := range s.flight {
		if f.entry != nil && f.entry.Number == ref.Number {
			return true
		}
	}
	return false
}

func (s *session) launch(f *flight, k Kind, retained bool, payload []byte) {
	if len(s.flight) == 0 {
		s.stalled = time.Now()
	}
	f.token = s.link.publish(Topic(s.client.outbox.unit, k), retained, payload)
	s.flight = append(s.flight, f)
}

// due puts a control message into line. A newer one replaces an older one of
// its kind that was not sent yet.
func (s *session) due(k Kind, message any) {
	payload, err := json.Marshal(message)
	if err != nil {
		s.client.log.Error("a message cannot be encoded", "kind", string(k), "error", err)
		return
	}
	for i := range s.control {
		if s.control[i].kind == k {
			s.control[i].payload = payload
			s.client.mu.Lock()
			s.client.drops++
			s.client.mu.Unlock()
			return
		}
	}
	s.control = append(s.control, control{k, payload})
}

func (s *session) dueHealth() {
	if s.cfg.Health != nil {
		s.due(KindHealth, s.client.health())
	}
}

func (s *session) dueHotlists() {
	s.client.mu.Lock()
	r := s.client.hotlists
	s.client.mu.Unlock()
	if r != nil {
		s.due(KindHotlists, *r)
	}
}

// farewell says that the unit is offline and disconnects, by the deadline.
func (s *session) farewell(deadline time.Time) error {
	payload, err := json.Marshal(State{
		Unit: s.client.outbox.unit, State: Offline, Reason: "stopped", Since: time.Now(), Software: s.cfg.Software,
	})
	if err != nil {
		s.link.cut()
		return err
	}
	timeout := time.NewTimer(time.Until(deadline) - disconnectWait)
	defer timeout.Stop()
	// What is still being written must be through first.
	for !s.link.ready() {
		select {
		case <-s.link.conn.progress:
		case err := <-s.link.lost:
			s.link.cut()
			return errors.Join(errLost, err)
		case <-timeout.C:
			s.link.cut() // the broker publishes the last will
			return fmt.Errorf("no time was left to say that the unit is offline")
		}
	}
	token := s.link.publish(Topic(s.client.outbox.unit, KindState), true, payload)
	select {
	case <-token.Done():
		err = token.Error()
	case <-s.link.lost:
		err = errLost
	case <-timeout.C:
		err = errAckTimeout
	}
	// Acknowledgements that came in the meantime still count.
	if serr := s.settle(); err == nil {
		err = serr
	}
	if err != nil {
		s.link.cut()
		return err
	}
	s.link.close()
	return nil
}
