package uplink

import (
	"encoding/json"
	"errors"
	"time"

	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// step processes acknowledgements and publishes as much as the link can carry:
// hits too, or only messages about the unit itself.
func (s *session) step(controlOnly bool) error {
	if err := s.processAcks(); err != nil {
		return err
	}
	for s.link.Ready() && s.client.flow.mayPublish(len(s.inFlight), s.bytesInFlight()) {
		more, err := s.publishNext(controlOnly)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	return nil
}

// publishNext publishes one message, or the messages of one entry, if there are
// any: first those about the unit itself, then hits, then the pictures of hits
// that were sent without them.
func (s *session) publishNext(controlOnly bool) (more bool, err error) {
	if len(s.control) > 0 {
		m := s.control[0]
		s.control = s.control[1:]
		s.launch(&inFlight{acked: m.acked}, m.topic, true, m.payload)
		return true, nil
	}
	if controlOnly || !s.subscribed {
		return false, nil
	}
	c := s.client
	pictures := false // the entry's hit was delivered already, its pictures follow
	e, err := c.outbox.Next(func(r outbox.Ref) bool { return c.withoutPictures[r] || s.skip(r) })
	if err == nil && e == nil && len(c.withoutPictures) > 0 {
		pictures = true
		e, err = c.outbox.Next(func(r outbox.Ref) bool { return !c.withoutPictures[r] || s.skip(r) })
		if err == nil && e == nil && !s.picturesPending() {
			clear(c.withoutPictures) // dropped or updated meanwhile
		}
	}
	if err != nil {
		if errors.Is(err, outbox.ErrClosed) {
			return false, err
		}
		// The disk fails, the link does not: hits in memory are still sent.
		c.log.Error("cannot read the outbox", "error", err)
		return false, nil
	}
	if e == nil {
		return false, nil
	}
	return true, s.publishEntry(e, pictures)
}

// picturesPending is true while a hit is under way whose pictures may follow.
func (s *session) picturesPending() bool {
	for _, f := range s.inFlight {
		if f.entry {
			return true
		}
	}
	return len(s.awaiting) > 0
}

// publishEntry publishes an entry: the hit, and its ONVIF event.
func (s *session) publishEntry(e *outbox.Queued, pictures bool) error {
	c, h := s.client, &e.Hit
	f := &inFlight{entry: true, ref: e.Ref, historical: e.Historical && !pictures}
	h.Historical = e.Historical
	if has := h.PlatePicture != nil || h.ContextPicture != nil; has && c.flow.suspectMessageSize() {
		h.PlatePicture, h.ContextPicture, h.PicturesDropped = nil, nil, true
		c.count(func(s *Stats) { s.WithoutPictures++ })
	} else if has && !pictures && c.flow.slow() {
		f.withoutPictures, h.PicturesFollow = true, true
	}
	if f.withoutPictures {
		h.PlatePicture, h.ContextPicture = nil, nil
	}
	var event []byte
	// One event a vehicle: the profile has none that replaces another. It is sent
	// with the first revision, so without pictures that follow.
	if c.cfg.ONVIF.Enabled && !pictures && !h.Withdrawn && e.First && !c.announced[e.Number] {
		var err error
		if event, err = c.cfg.ONVIF.Event(h); err != nil {
			return c.outbox.Quarantine(e.Ref, err.Error())
		}
	}
	payload, err := json.Marshal(h)
	if err != nil {
		return c.outbox.Quarantine(e.Ref, err.Error())
	}
	if c.sent[e.Ref] {
		delete(c.sent, e.Ref)
		c.count(func(s *Stats) { s.Resent++ })
	}
	// The entry is delivered by the acknowledgement of its last message.
	if event != nil {
		s.launch(&inFlight{acked: func() { c.announced[e.Number] = true }}, c.cfg.ONVIF.Topic(h), false, event)
	}
	s.launch(f, message.Topic(c.outbox.Unit(), message.KindHits), false, payload)
	c.flow.published++
	return nil
}

// skip passes over entries that are in flight, wait for the server, or were
// delivered already. A newer revision of an entry in flight waits, so that
// revisions arrive in order.
func (s *session) skip(ref outbox.Ref) bool {
	if w := s.awaiting[ref]; s.client.removed[ref] || w != nil && !w.due {
		return true
	}
	for _, f := range s.inFlight {
		if f.entry && f.ref.Number == ref.Number {
			return true
		}
	}
	return false
}

// launch publishes a message with QoS 1.
func (s *session) launch(f *inFlight, topic string, retained bool, payload []byte) {
	if len(s.inFlight) == 0 {
		s.stalled = time.Now()
	}
	f.size, f.launched = len(payload)+len(topic), time.Now()
	f.behind = f.size + s.bytesInFlight()
	f.token = s.link.Publish(topic, retained, payload)
	s.inFlight = append(s.inFlight, f)
}

func (s *session) bytesInFlight() (n int) {
	for _, f := range s.inFlight {
		n += f.size
	}
	return n
}
