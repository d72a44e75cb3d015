package uplink

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"platewatch/uplink/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
)

// subscribe asks for the server's acknowledgements, if hits wait for them, and
// for the hotlists' manifests. Either channel is closed once the broker
// answered, and nil where nothing was asked.
func (s *session) subscribe() (acks, manifests <-chan struct{}) {
	if s.subscribed = s.cfg.Ack != AckServer; !s.subscribed {
		// QoS 0: if one gets lost, the hit is resent, and a cluster keeps no durable
		// consumer for every unit.
		s.acks = s.link.Subscribe(map[string]byte{message.Topic(s.client.outbox.Unit(), message.KindAcks): 0})
		acks = s.acks.Done()
	}
	if s.cfg.Lists != nil {
		manifests = s.subscribeManifests()
	}
	return acks, manifests
}

// subscribeManifests asks for the hotlists' manifests, which the broker sends with
// every subscription. The channel is closed once it answered.
func (s *session) subscribeManifests() <-chan struct{} {
	s.manifests = s.link.Subscribe(s.cfg.Lists.filters())
	return s.manifests.Done()
}

// onAcksSubscribed handles the broker's answer. Without the acknowledgements no
// hit would ever be removed, so a refusal ends the connection.
func (s *session) onAcksSubscribed() error {
	if err := link.SubscriptionError(s.acks); err != nil {
		return &failure.Error{Op: "subscribe to the server's acknowledgements on", Path: s.broker.Name(), Err: err,
			Advice: `let the unit read its acks topic, or set uplink.ack = "broker"`}
	}
	s.subscribed = true
	return nil
}

// onManifestsSubscribed handles the broker's answer about the hotlists. Hits do
// not depend on it.
func (s *session) onManifestsSubscribed() {
	if err := link.SubscriptionError(s.manifests); err != nil {
		if s.client.logged.ShouldLog("manifests: " + err.Error()) {
			s.client.log.Warn("the broker refuses hotlist updates", "broker", s.broker.Name(), "error", err,
				"hint", "let the unit read platewatch/v1/hotlists/#")
		}
	}
}

// decode reads a message of kind k for a unit into m, which may hold anything. of is
// where m names the unit that it is for.
func decode(k message.Kind, payload []byte, m any, of *string, unit string) error {
	if err := message.Validate(k, payload); err != nil {
		return err
	}
	if err := json.Unmarshal(payload, m); err != nil {
		return err
	}
	if *of != unit {
		return fmt.Errorf("it is for unit %.80q", *of)
	}
	return nil
}

// receive handles one message that came for the unit. It may hold anything.
func (s *session) receive(m link.Message) {
	c := s.client
	if m.Topic == message.Topic(c.outbox.Unit(), message.KindAcks) {
		refs, err := parseAcks(c.outbox.Unit(), c.outbox.Owns, m.Payload)
		switch {
		case err != nil:
			c.unexpectedAcks(1, "an acknowledgement is not valid: "+err.Error())
		case m.Retained:
			c.unexpectedAcks(len(refs), "a retained message acknowledges hits")
		default:
			s.onServerAcks(refs)
		}
		return
	}
	if m.Topic == message.Topic(c.outbox.Unit(), message.KindVerdicts) {
		s.onVerdicts(m)
		return
	}
	if m.Topic == message.Topic(c.outbox.Unit(), message.KindState) {
		s.onState(m)
		return
	}
	if c.cfg.Lists != nil && strings.HasPrefix(m.Topic, message.ListRoot) {
		c.cfg.Lists.take(m)
	}
}

// onState looks for another unit of this name in the state topic: a birth of another
// run that comes now, or what the broker kept of another after a birth of this run. The
// first that it kept may be of this unit's last run, and so may a last will. The other unit is answered once
// with a birth, so that it notices too.
func (s *session) onState(m link.Message) {
	c := s.client
	var other message.State
	if message.Validate(message.KindState, m.Payload) != nil || json.Unmarshal(m.Payload, &other) != nil {
		return
	}
	switch {
	case other.Run == c.run:
		c.born = true
		return
	case other.Run == "" || m.Retained && !c.born || !m.Retained && other.State != message.Online:
		return
	}
	c.count(func(st *Stats) { st.Namesake = cmp.Or(other.Installation, other.Run) })
	if c.answered != other.Run {
		c.answered = other.Run
		c.log.Error("another unit uses this unit's name; hits of both arrive, under different ids", "unit", c.outbox.Unit(),
			"installation", c.outbox.Installation(), "other_installation", other.Installation, "hint", "give one of the two another name and a certificate of its own")
		s.queueBirth()
	}
}

// request carries out a subscription without waiting for the answer.
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
