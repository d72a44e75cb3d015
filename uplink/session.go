package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// session is the client's work on one connection. All of it happens in the
// goroutine of run.
type session struct {
	client *Client
	link   *link.Link
	cfg    Settings
	broker broker.Broker
	at     int // the broker's place in the order of preference

	control  []control   // messages about the unit itself that are due
	inFlight []*inFlight // published and not acknowledged, in that order
	stalled  time.Time   // when the first in flight began to wait; zero if nothing is
	written  uint64      // PUBLISH packets that were written when this was last looked at
	pace     pace

	acks       mqtt.Token                        // of the subscription to the server's acknowledgements
	manifests  mqtt.Token                        // of that to the hotlists' manifests
	subscribed bool                              // the broker granted what must be granted before hits go
	awaiting   map[outbox.Ref]*awaitingServerAck // what the broker has and the server did not acknowledge
	early      map[outbox.Ref]bool               // what the server acknowledged before the broker did

	published uint64 // hits
	acked     uint64 // hits
}

// control is a message that is not a hit. There are at most a handful: one of
// each topic.
type control struct {
	topic   string
	payload []byte
}

// flight is a message on its way.
type inFlight struct {
	token    mqtt.Token
	launched time.Time
	size     int // of the payload
	behind   int // payloads in flight when it was launched, with its own

	entry           bool // it is the last message of an entry's stage
	ref             outbox.Ref
	withoutPictures bool // the entry's pictures are still to follow
	late            bool
}

var (
	errAckTimeout = errors.New("the broker does not acknowledge messages")
	errSilent     = errors.New("nothing comes over the connection any more")
	// errMove: the connection was ended to make another one at once.
	errMove = errors.New("a new connection is due")
)

func newSession(c *Client, l *link.Link, at int) *session {
	s := &session{client: c, link: l, cfg: c.cfg, broker: c.cfg.Brokers[at], at: at,
		pace: pace{window: firstWindow}, awaiting: map[outbox.Ref]*awaitingServerAck{}, early: map[outbox.Ref]bool{}}
	if s.slow() {
		s.pace.window = minWindow
	}
	return s
}

// run publishes until the connection is lost or ctx is done.
func (s *session) run(ctx context.Context) error {
	c := s.client
	s.due(message.Topic(c.outbox.Unit(), message.KindState), message.State{Unit: c.outbox.Unit(), State: message.Online, Since: time.Now(), Software: s.cfg.Software, Insecure: s.broker.Plaintext()})
	s.announce()
	s.dueHotlists()
	s.dueHealth()
	granted, listening := s.subscribe()

	health := time.NewTicker(s.cfg.HealthEvery)
	defer health.Stop()
	look := time.NewTicker(checkEvery)
	defer look.Stop()
	probing, stopProbing := context.WithCancel(ctx)
	better := s.lookForBetter(probing)
	defer func() {
		stopProbing()
		for range better {
		}
	}()
	found := better
	stamp := s.broker.Stamp()
	var requests <-chan subscription
	var refresh <-chan time.Time
	if s.cfg.Lists != nil {
		again := time.NewTicker(s.cfg.Lists.cfg.Refresh)
		defer again.Stop()
		refresh = again.C
		s.cfg.Lists.connected()
		defer s.cfg.Lists.disconnected()
		requests = s.cfg.Lists.requests
	}

	stop := ctx.Done()
	var drained <-chan time.Time // runs once no more hits are to be published
	var deadline time.Time
	var leaving error
	leave := func(why error) {
		if stop = nil; leaving == nil {
			leaving = why
			deadline = time.Now().Add(s.cfg.DrainTimeout)
			drained = time.After(s.cfg.DrainTimeout - min(farewellWait, s.cfg.DrainTimeout/2))
		}
	}
	for {
		if err := s.step(errors.Is(leaving, errMove)); err != nil {
			s.link.Cut()
			return err
		}
		// An acknowledgement can come before the write that it is for has returned:
		// until then nothing was launched, though more may be due.
		if leaving != nil && len(s.inFlight) == 0 && s.link.Ready() {
			return s.farewell(deadline, leaving)
		}
		var ack <-chan struct{}
		if len(s.inFlight) > 0 {
			ack = s.inFlight[0].token.Done()
		}
		select {
		case <-ack:
		case <-s.link.Progress():
			// A slow link that moves is not a silent broker. A ping is no move.
			if n := s.link.Published(); n != s.written || !s.link.Ready() {
				s.written, s.stalled = n, time.Now()
			}
		case <-c.outbox.Added():
		case <-health.C:
			s.dueHealth()
		case <-c.report:
			s.dueHotlists()
			s.dueHealth() // which tells of the lists too
		case m := <-s.link.Inbox.Messages:
			s.receive(m)
		case r := <-requests:
			s.request(r)
		case <-granted:
			granted = nil
			if err := s.onAcksSubscribed(); err != nil {
				s.link.Cut()
				return err
			}
		case <-listening:
			listening = nil
			s.onManifestsSubscribed()
		case <-refresh:
			listening = s.listen()
		case <-look.C:
			if err := s.checkTimeouts(); err != nil {
				s.link.Cut()
				return err
			}
			if now := s.broker.Stamp(); now != stamp {
				if _, err := s.broker.Credentials(); err == nil {
					leave(fmt.Errorf("%w: the certificates or the password changed", errMove))
				}
				stamp = now
			}
		case yes := <-found:
			if found = nil; yes {
				leave(fmt.Errorf("%w: a more preferred broker answers", errMove))
			}
		case err := <-s.link.Lost:
			s.link.Cut()
			return errors.Join(link.ErrLost, err)
		case <-stop:
			leave(ctx.Err())
		case <-drained:
			return s.farewell(deadline, leaving)
		}
	}
}

const (
	// lookEvery is how often the session looks after what no event tells.
	checkEvery = 250 * time.Millisecond
	// farewellWait is the part of the DrainTimeout that is kept for saying that
	// the unit is offline.
	farewellWait = time.Second
)

// look finds what is overdue.
func (s *session) checkTimeouts() error {
	if len(s.client.removed) > 0 {
		s.remove(nil)
	}
	s.overdue()
	extra := s.onItsWay()
	if s.link.Silence() > s.link.KeepAlive*5/2+extra {
		return errSilent
	}
	if len(s.inFlight) > 0 && time.Since(s.stalled) > s.cfg.AckTimeout+extra {
		return errAckTimeout
	}
	return nil
}

// onItsWay is how long what is in flight takes on this link, by what was
// measured of it.
func (s *session) onItsWay() time.Duration {
	bytes := 0
	for _, f := range s.inFlight {
		bytes += f.size
	}
	speed := s.client.speed
	switch {
	case s.client.doubt:
		speed = slowLink / 8
	case speed == 0:
		speed = slowLink
	}
	if s.cfg.Bandwidth > 0 {
		speed = min(speed, float64(s.cfg.Bandwidth))
	}
	return min(time.Duration(float64(bytes)/max(speed, 1)*float64(time.Second)), 10*time.Minute)
}

// lookForBetter tells once, with true, that a more preferred broker answers.
// The channel is closed at the end.
func (s *session) lookForBetter(ctx context.Context) chan bool {
	found := make(chan bool, 1)
	go func() {
		defer close(found)
		if s.at == 0 {
			return
		}
		tick := time.NewTicker(s.cfg.PreferEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for _, b := range s.cfg.Brokers[:s.at] {
				limited, cancel := context.WithTimeout(ctx, 15*time.Second)
				ok := b.Reachable(limited)
				cancel()
				if ok {
					found <- true
					return
				}
			}
		}
	}()
	return found
}

// settle takes what was acknowledged off the head of the flight, and removes
// the entries that are delivered by that, in one transaction.
func (s *session) processAcks() error {
	var done []outbox.Ref
	var err error
	n := 0
	for n < len(s.inFlight) && acknowledged(s.inFlight[n].token) {
		f := s.inFlight[n]
		// A token of this link that completed without error got its PUBACK on
		// this connection: paho has neither a store nor a reconnect here, and
		// sets an error on all others when the connection ends.
		if ferr := f.token.Error(); ferr != nil {
			err = errors.Join(link.ErrLost, ferr)
			break
		}
		n++
		s.measure(f)
		if !f.entry {
			continue
		}
		s.acked++
		switch {
		case f.withoutPictures:
			s.client.bare[f.ref] = true
		case s.cfg.Ack == AckServer && !s.early[f.ref]:
			s.await(f.ref)
		default:
			done = append(done, f.ref)
		}
		delete(s.early, f.ref)
		if f.late {
			s.client.count(func(s *Stats) { s.Historical++ })
		}
	}
	if n > 0 {
		s.inFlight = append(s.inFlight[:0], s.inFlight[n:]...)
		s.stalled = time.Now()
	}
	s.delivered(done)
	return err
}

func acknowledged(t mqtt.Token) bool {
	select {
	case <-t.Done():
		return true
	default:
		return false
	}
}

// delivered takes entries out of the outbox.
func (s *session) delivered(done []outbox.Ref) {
	if len(done) == 0 {
		return
	}
	s.client.count(func(st *Stats) { st.Delivered += uint64(len(done)) })
	s.remove(done)
}

// remove takes delivered entries out of the outbox, and those of earlier
// attempts that failed.
func (s *session) remove(done []outbox.Ref) {
	c := s.client
	for _, ref := range done {
		delete(c.sent, ref)
		delete(c.bare, ref)
		c.removed[ref] = true
	}
	if len(c.removed) == 0 {
		return
	}
	refs := make([]outbox.Ref, 0, len(c.removed))
	for ref := range c.removed {
		refs = append(refs, ref)
	}
	if err := c.outbox.Remove(refs...); err != nil {
		c.log.Error("delivered hits cannot be removed from the outbox; trying again", "hits", len(refs), "error", err)
		return
	}
	clear(c.removed)
}

// due puts a control message into line. A newer one replaces an older one of
// its topic that was not sent yet.
func (s *session) due(topic string, message any) {
	payload, err := json.Marshal(message)
	s.queueControl(topic, payload, err)
}

// queueControl is [session.due] for a message that is encoded already.
func (s *session) queueControl(topic string, payload []byte, err error) {
	if err != nil {
		s.client.log.Error("a message cannot be encoded", "topic", topic, "error", err)
		return
	}
	for i := range s.control {
		if s.control[i].topic == topic {
			s.control[i].payload = payload
			s.client.mu.Lock()
			s.client.drops++
			s.client.mu.Unlock()
			return
		}
	}
	s.control = append(s.control, control{topic, payload})
}

func (s *session) dueHealth() {
	if s.cfg.Health != nil {
		s.due(message.Topic(s.client.outbox.Unit(), message.KindHealth), s.client.health(s.broker))
	}
}

func (s *session) dueHotlists() {
	s.client.mu.Lock()
	r := s.client.hotlists
	s.client.mu.Unlock()
	if r != nil {
		s.due(message.Topic(s.client.outbox.Unit(), message.KindHotlists), *r)
	}
}

// farewell says that the unit is offline and disconnects, by the deadline. It
// returns the reason for leaving, or nil if that was the end of the client.
func (s *session) farewell(deadline time.Time, leaving error) error {
	reason, result := "stopped", error(nil)
	if errors.Is(leaving, errMove) {
		reason, result = "connecting anew", leaving
	}
	payload, err := json.Marshal(message.State{
		Unit: s.client.outbox.Unit(), State: message.Offline, Reason: reason, Since: time.Now(), Software: s.cfg.Software,
	})
	if err != nil {
		s.link.Cut()
		return err
	}
	timeout := time.NewTimer(time.Until(deadline) - link.DisconnectWait)
	defer timeout.Stop()
	// What is still being written must be through first.
	for !s.link.Ready() {
		select {
		case <-s.link.Progress():
		case err := <-s.link.Lost:
			s.link.Cut()
			return errors.Join(link.ErrLost, err)
		case <-timeout.C:
			s.link.Cut() // the broker publishes the last will
			return errors.Join(result, errors.New("no time was left to say that the unit is offline"))
		}
	}
	token := s.link.Publish(message.Topic(s.client.outbox.Unit(), message.KindState), true, payload)
	select {
	case <-token.Done():
		err = token.Error()
	case <-s.link.Lost:
		err = link.ErrLost
	case <-timeout.C:
		err = errAckTimeout
	}
	// Acknowledgements that came in the meantime still count.
	if serr := s.processAcks(); err == nil {
		err = serr
	}
	if err != nil {
		s.link.Cut()
		return errors.Join(result, err)
	}
	s.link.Close()
	return result
}

// announce puts the discovery message into line, if Home Assistant is to know.
func (s *session) announce() {
	if a := s.cfg.HomeAssistant; a.Enabled {
		payload, err := a.Message(s.client.outbox.Unit(), s.cfg.Software)
		s.queueControl(a.Topic(s.client.outbox.Unit()), payload, err)
	}
}
