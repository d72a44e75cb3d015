package uplink

import (
	"encoding/json"
	"errors"
	"time"

	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// step takes what was acknowledged off the list and publishes what may go: all
// that is due, or only what is about the unit itself.
func (s *session) step(controlOnly bool) error {
	if err := s.processAcks(); err != nil {
		return err
	}
	for s.link.Ready() && s.mayLaunch() {
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

// mayLaunch bounds what is in flight, in messages and in bytes. After several
// connections that ended without any acknowledgement it is one message, so
// that one the broker chokes on does not take the others down with it.
func (s *session) mayLaunch() bool {
	if s.choking() {
		return len(s.inFlight) == 0
	}
	bytes := 0
	for _, f := range s.inFlight {
		bytes += f.size
	}
	return len(s.inFlight) == 0 || len(s.inFlight) < s.cfg.Window && bytes < s.pace.window
}

func (s *session) choking() bool { return s.client.barren >= stubbornAfter && s.acked == 0 }

// publishNext publishes one message or one entry's messages, if there are any:
// first what is about the unit itself, then hits, then the pictures of hits
// that went without.
func (s *session) publishNext(controlOnly bool) (more bool, err error) {
	if len(s.control) > 0 {
		m := s.control[0]
		s.control = s.control[1:]
		s.launch(&inFlight{}, m.topic, true, m.payload)
		return true, nil
	}
	if controlOnly || !s.subscribed {
		return false, nil
	}
	c := s.client
	pictures := false // of an entry whose hit was delivered already
	e, err := c.outbox.Next(func(r outbox.Ref) bool { return c.bare[r] || s.skip(r) })
	if err == nil && e == nil && len(c.bare) > 0 {
		pictures = true
		e, err = c.outbox.Next(func(r outbox.Ref) bool { return !c.bare[r] || s.skip(r) })
		if err == nil && e == nil && !s.barePending() {
			clear(c.bare) // dropped or updated meanwhile
		}
	}
	if err != nil {
		if errors.Is(err, outbox.ErrClosed) {
			return false, err
		}
		// The link is fine; the disk is not. What is in memory goes on.
		c.log.Error("cannot read the outbox", "error", err)
		return false, nil
	}
	if e == nil {
		return false, nil
	}
	return true, s.publishEntry(e, pictures)
}

// barePending is true while a hit whose pictures are to follow is on its way.
func (s *session) barePending() bool {
	for _, f := range s.inFlight {
		if f.entry {
			return true
		}
	}
	return len(s.awaiting) > 0
}

// publishEntry publishes an entry: the hit, and what else is made of it.
func (s *session) publishEntry(e *outbox.Queued, pictures bool) error {
	c, h := s.client, &e.Hit
	f := &inFlight{entry: true, ref: e.Ref, late: e.Historical && !pictures}
	h.Historical = e.Historical
	if has := h.PlatePicture != nil || h.ContextPicture != nil; has && s.choking() {
		h.PlatePicture, h.ContextPicture, h.PicturesDropped = nil, nil, true
		c.count(func(s *Stats) { s.WithoutPictures++ })
	} else if has && !pictures && s.slow() {
		f.withoutPictures, h.PicturesFollow = true, true
	}
	if f.withoutPictures {
		h.PlatePicture, h.ContextPicture = nil, nil
	}
	var event []byte
	if c.cfg.ONVIF.Enabled && !pictures { // only once, so without a picture that is to follow
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
		s.launch(&inFlight{}, c.cfg.ONVIF.Topic(h), false, event)
	}
	s.launch(f, message.Topic(c.outbox.Unit(), message.KindHits), false, payload)
	s.published++
	return nil
}

// skip leaves out what is in flight, with the broker, or delivered already. A
// newer revision of an entry in flight waits, so that revisions arrive in order.
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

func (s *session) launch(f *inFlight, topic string, retained bool, payload []byte) {
	if len(s.inFlight) == 0 {
		s.stalled = time.Now()
	}
	f.size, f.launched = len(payload)+len(topic), time.Now()
	f.behind = f.size
	for _, g := range s.inFlight {
		f.behind += g.size
	}
	f.token = s.link.Publish(topic, retained, payload)
	s.inFlight = append(s.inFlight, f)
}

// pace fits what is in flight to the link: its delay beyond the shortest seen
// on this connection is time spent in queues, which grow with what is in
// flight (the idea of LEDBAT, RFC 6817). A ping behind a long queue looks like
// a dead link.
type pace struct {
	window   int           // bytes in flight
	shortest time.Duration // delay of an acknowledgement; 0 if none came yet
}

const (
	firstWindow = 64 << 10
	minWindow   = 4 << 10
	maxWindow   = 4 << 20
	// queueing above longQueue halves the window, below shortQueue doubles it.
	shortQueue = 500 * time.Millisecond
	longQueue  = 2 * time.Second
	// slowLink is the speed in bytes a second below which hits go without their
	// pictures first, and which an unknown link is taken for.
	slowLink = 8 << 10
)

// measure learns from an acknowledgement.
func (s *session) measure(f *inFlight) {
	delay := max(time.Since(f.launched), time.Microsecond)
	p := &s.pace
	if p.shortest == 0 || delay < p.shortest {
		p.shortest = delay
	}
	queueing := delay - p.shortest
	switch {
	case queueing > longQueue:
		p.window = max(p.window/2, minWindow)
	case queueing < shortQueue && f.behind > p.window/4:
		p.window = min(p.window*2, maxWindow)
	}
	if f.behind < 1<<10 {
		return // too little to tell
	}
	s.client.doubt = false
	speed := float64(f.behind) / max(queueing.Seconds(), 0.001)
	if old := s.client.speed; old > 0 {
		speed = old + (speed-old)/4
	}
	s.client.speed = speed
}

// slow is true on a link where a hit should not wait for its pictures.
func (s *session) slow() bool {
	c := s.client
	return c.cfg.Bandwidth > 0 || c.doubt || c.speed > 0 && c.speed < slowLink
}
