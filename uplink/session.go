package uplink

import (
	"context"
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
	stalled  time.Time   // since when nothing was written and nothing acknowledged; meaningless if nothing is in flight
	written  uint64      // PUBLISH packets that were written at the last look

	acks       mqtt.Token                        // of the subscription to the server's acknowledgements
	manifests  mqtt.Token                        // of the subscription to the hotlists' manifests
	subscribed bool                              // hits may go: the subscription that they need was granted
	awaiting   map[outbox.Ref]*awaitingServerAck // acknowledged by the broker, not by the server
	early      map[outbox.Ref]bool               // acknowledged by the server, not yet by the broker
}

// inFlight is a message that was published and not acknowledged.
type inFlight struct {
	token    mqtt.Token
	launched time.Time
	size     int // bytes of topic and payload
	behind   int // bytes in flight when it was published, its own included

	acked func() // called when it was acknowledged; may be nil

	entry           bool // its acknowledgement is that of the outbox's entry
	ref             outbox.Ref
	withoutPictures bool // the entry's pictures are still to follow
	historical      bool
}

var (
	errAckTimeout = errors.New("the broker does not acknowledge messages")
	errSilent     = errors.New("the connection is silent")
	// errMove: the connection was closed on purpose, to make another one at once.
	errMove = errors.New("a new connection is due")
)

func newSession(c *Client, l *link.Link, at int) *session {
	c.flow.connected()
	return &session{client: c, link: l, cfg: c.cfg, broker: c.cfg.Brokers[at], at: at,
		awaiting: map[outbox.Ref]*awaitingServerAck{}, early: map[outbox.Ref]bool{}}
}

// run publishes until the connection is lost or ctx is done.
func (s *session) run(ctx context.Context) error {
	c := s.client
	// Before the birth, so that a birth of another unit, which the broker kept, comes
	// first. A broker that refuses the subscription only hides such a unit.
	s.link.Subscribe(map[string]byte{message.Topic(c.outbox.Unit(), message.KindState): 0})
	if s.cfg.Verdicts != nil {
		// QoS 0, as the unit's answer in its health message is what counts. A broker that
		// refuses it only keeps the verdicts away.
		s.link.Subscribe(map[string]byte{message.Topic(c.outbox.Unit(), message.KindVerdicts): 0})
	}
	s.queueBirth()
	s.queueAnnouncement()
	s.queueHotlists()
	s.queueHealth()
	acksSubscribed, manifestsSubscribed := s.subscribe()

	health := time.NewTicker(s.cfg.HealthEvery)
	defer health.Stop()
	check := time.NewTicker(checkEvery)
	defer check.Stop()
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
	var drained <-chan time.Time // the time to deliver what is pending is over
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
		c.goesRound(checkEvery)
		if err := s.step(errors.Is(leaving, errMove)); err != nil {
			s.link.Cut()
			return err
		}
		// An acknowledgement can come before the write of its message returns: until
		// then nothing more was published, though more may be due.
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
			// A broker is not silent while a slow link still writes. Pings do not count.
			if n := s.link.Published(); n != s.written || !s.link.Ready() {
				s.written, s.stalled = n, time.Now()
			}
		case <-c.outbox.Added():
			s.forgetReplaced()
		case <-health.C:
			s.forgetReplaced()
			s.queueHealth()
		case <-c.report:
			s.queueHotlists()
			s.queueHealth() // lists are part of it too
		case <-c.healthDue:
			s.queueHealth()
		case m := <-s.link.Inbox.Messages:
			s.receive(m)
		case r := <-requests:
			s.request(r)
		case <-acksSubscribed:
			acksSubscribed = nil
			if err := s.onAcksSubscribed(); err != nil {
				s.link.Cut()
				return err
			}
		case <-manifestsSubscribed:
			manifestsSubscribed = nil
			s.onManifestsSubscribed()
		case <-refresh:
			manifestsSubscribed = s.subscribeManifests()
		case <-check.C:
			if err := s.checkTimeouts(); err != nil {
				s.link.Cut()
				return err
			}
			if now := s.broker.Stamp(); now != stamp {
				if _, err := s.broker.Credentials(); err == nil {
					leave(fmt.Errorf("%w: the certificates or the password were renewed", errMove))
				}
				stamp = now
			}
		case yes := <-found:
			if found = nil; yes {
				leave(fmt.Errorf("%w: a more preferred broker can be reached", errMove))
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
	// checkEvery is the poll interval for timeouts and changed credential files.
	checkEvery = 250 * time.Millisecond
	// farewellWait is the part of the DrainTimeout that is kept for saying that
	// the unit is offline.
	farewellWait = time.Second
)

// checkTimeouts resends hits whose acknowledgement by the server is overdue, and
// gives an error if the link or the broker is silent.
func (s *session) checkTimeouts() error {
	if len(s.client.removed) > 0 {
		s.removeDelivered(nil)
	}
	s.resendOverdue()
	extra := s.client.flow.timeFor(s.bytesInFlight())
	if s.link.Silence() > s.link.KeepAlive*5/2+extra {
		return errSilent
	}
	if len(s.inFlight) > 0 && time.Since(s.stalled) > s.cfg.AckTimeout+extra {
		return errAckTimeout
	}
	return nil
}

// lookForBetter sends true once, when a more preferred broker can be reached.
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
