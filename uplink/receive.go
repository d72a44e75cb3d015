package uplink

import (
	"strings"
	"time"

	"platewatch/uplink/internal/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// waited is a hit that the broker has and the server did not acknowledge yet.
type awaitingServerAck struct {
	since time.Time
	tries uint
	due   bool // to be sent again
}

// maxServerWait bounds how long a hit that the server does not acknowledge is
// left alone.
const maxServerWait = 15 * time.Minute

// subscribe asks for the server's acknowledgements, if hits wait for them, and
// for the hotlists' manifests. Either channel is closed once the broker
// answered, and nil if there is nothing to ask.
func (s *session) subscribe() (acks, manifests <-chan struct{}) {
	if s.subscribed = s.cfg.Ack != AckServer; !s.subscribed {
		// QoS 0: one that gets lost is no loss, because the hit is sent again, and
		// a cluster need not keep a durable consumer for every unit.
		s.acks = s.link.Subscribe(map[string]byte{message.Topic(s.client.outbox.Unit(), message.KindAcks): 0})
		acks = s.acks.Done()
	}
	if s.cfg.Lists != nil {
		manifests = s.listen()
	}
	return acks, manifests
}

// listen asks for the hotlists' manifests, which the broker sends with every
// subscription. The channel is closed once it answered.
func (s *session) listen() <-chan struct{} {
	s.manifests = s.link.Subscribe(s.cfg.Lists.filters())
	return s.manifests.Done()
}

// granted looks at the broker's answer. Without the acknowledgements no hit
// could ever leave, so a refusal ends the connection and is told.
func (s *session) onAcksSubscribed() error {
	if err := link.SubscriptionError(s.acks); err != nil {
		return &failure.Error{Op: "listen for the server's acknowledgements on", Path: s.broker.Name(), Err: err,
			Advice: `let the unit read its acks topic, or set uplink.ack = "broker"`}
	}
	s.subscribed = true
	return nil
}

// heard looks at the broker's answer about the hotlists. Hits do not
// depend on it.
func (s *session) onManifestsSubscribed() {
	if err := link.SubscriptionError(s.manifests); err != nil {
		if s.client.problems.ShouldLog("manifests: " + err.Error()) {
			s.client.log.Warn("no hotlist updates come over the broker", "broker", s.broker.Name(), "error", err,
				"hint", "let the unit read platewatch/v1/hotlists/#")
		}
	}
}

// await remembers that the server's word is missing.
func (s *session) await(ref outbox.Ref) {
	w := s.awaiting[ref]
	if w == nil {
		w = &awaitingServerAck{}
		s.awaiting[ref] = w
		s.tellAwaiting()
	}
	w.since, w.due = time.Now(), false
	w.tries++
}

func (s *session) tellAwaiting() {
	n := len(s.awaiting)
	s.client.count(func(st *Stats) { st.Awaiting = n })
}

const serverSilent = "the server does not acknowledge hits that the broker has"

// overdue lets hits be sent again that the server did not acknowledge in time.
func (s *session) overdue() {
	again := 0
	for ref, w := range s.awaiting {
		wait := min(s.cfg.ServerAckTimeout<<min(w.tries-1, 8), maxServerWait)
		if !w.due && time.Since(w.since) >= wait {
			w.due = true
			s.client.sent[ref] = true
			again++
		}
	}
	if again == 0 {
		return
	}
	s.client.count(func(st *Stats) { st.LastProblem = serverSilent })
	if s.client.problems.ShouldLog(serverSilent) {
		s.client.log.Warn(serverSilent+"; they stay in the outbox and are sent again", "broker", s.broker.Name(), "hits", again)
	}
}

const (
	// overtakenBy is by how much the server may be out of order.
	overtakenBy = 2 * time.Second
	// overtakenTries is how often a hit is sent in all before only time counts.
	overtakenTries = 4
)

// overtaken lets hits be sent again at once that the broker had well before
// one that the server just acknowledged: it was away then. Only a few times;
// what it does not want to store waits longer and longer.
func (s *session) overtaken(latest time.Time) {
	for ref, w := range s.awaiting {
		if !w.due && w.tries < overtakenTries && latest.Sub(w.since) > overtakenBy {
			w.due = true
			s.client.sent[ref] = true
		}
	}
}

// receive takes one message that came for the unit, which can be anything.
func (s *session) receive(m link.Message) {
	c := s.client
	if m.Topic == message.Topic(c.outbox.Unit(), message.KindAcks) {
		refs, err := parseAcks(c.outbox.Unit(), m.Payload)
		if err != nil {
			if c.problems.ShouldLog("acks: " + err.Error()) {
				c.log.Warn("an acknowledgement of the server was left out", "error", err)
			}
			return
		}
		s.serverHas(refs)
		return
	}
	if c.cfg.Lists != nil && strings.HasPrefix(m.Topic, message.ListRoot) {
		c.cfg.Lists.take(m)
		return
	}
}

// serverHas removes what the server has stored for good.
func (s *session) serverHas(refs []outbox.Ref) {
	if s.cfg.Ack != AckServer {
		return
	}
	var done []outbox.Ref
	var latest time.Time // when the broker had the latest of them
	for _, ref := range refs {
		at, ok := s.client.outbox.PendingRef(ref)
		if !ok {
			continue // again, or of a revision that was replaced
		}
		switch {
		case s.inFlightOf(at) != nil:
			if f := s.inFlightOf(at); !f.withoutPictures { // else its pictures are still to come
				s.early[at] = true
			}
		case s.awaiting[at] == nil && s.client.bare[at]:
			// That was the hit; its pictures are still to come.
		default:
			if w := s.awaiting[at]; w != nil && w.since.After(latest) {
				latest = w.since
			}
			delete(s.awaiting, at)
			done = append(done, at)
		}
	}
	s.overtaken(latest)
	if s.tellAwaiting(); len(done) > 0 {
		s.client.count(func(st *Stats) {
			if st.LastProblem == serverSilent {
				st.LastProblem = ""
			}
		})
	}
	s.delivered(done)
}

// inFlight is the message that an entry's acknowledgement by the broker hangs
// on; nil if there is none on its way.
func (s *session) inFlightOf(ref outbox.Ref) *inFlight {
	for _, f := range s.inFlight {
		if f.entry && f.ref == ref {
			return f
		}
	}
	return nil
}

// request carries out a subscription without waiting for it.
func (s *session) request(r subscription) {
	if r.end {
		s.link.Unsubscribe(r.topic)
		r.done <- nil
		return
	}
	t := s.link.Subscribe(map[string]byte{r.topic: 0})
	lost := s.link.Closed()
	s.cfg.Lists.waits.Go(func() {
		select {
		case <-t.Done():
			r.done <- link.SubscriptionError(t)
		case <-lost:
			r.done <- errNotConnected
		}
	})
}
