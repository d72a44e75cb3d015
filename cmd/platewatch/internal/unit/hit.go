package unit

import (
	"errors"
	"slices"
	"sync"
	"time"

	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist/match"
	"platewatch/ocr/passage"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// decide looks a passage up when its vote became sure or changed. A match goes
// into the outbox as a hit, or as the next revision of it; a passage that
// matches nothing is dropped when it ends.
func (c *cameraPipeline) decide(p passage.Passage, o *openPassage) {
	matches := c.match(p)
	switch {
	case len(matches) > 0:
		o.matches = matches
	case o.hitID == "":
		return
	default:
		// An earlier vote was sent as a hit, and nobody may act on it any more.
		c.withdraw(p, o)
		return
	}
	c.send(p, o)
}

// withdraw takes a hit back whose plate, as it reads now, is on no list. Nothing of
// that plate is stored, logged or sent.
func (c *cameraPipeline) withdraw(p passage.Passage, o *openPassage) {
	o.sentText = "" // no later frame is sent under the hit's id, and none is marked as a hit
	if o.withdrawn {
		return
	}
	h := hit.Withdrawal(&p, o.matches)
	h.Camera, h.CapturedAt, h.Clock = c.name, o.at, message.ClockState(c.u.clock().State)
	c.pulse.does(storesHit)
	if err := c.u.outbox.Update(o.hitID, h); err != nil && !errors.Is(err, outbox.ErrUnknownID) { // unknown: dropped, or delivered long ago
		c.log.Error("withdrawal of a hit not stored", "id", o.hitID, "error", err)
		return
	}
	o.withdrawn, o.sentShot = true, shot{} // receivers remove the pictures
	c.u.countChange(true)
	c.log.Info("hit withdrawn", "id", o.hitID)
	c.u.recent.put(o.hitID, h)
}

// settle sends a hit that waits in the outbox for what its vehicle still tells: with
// the direction as soon as that is known, and as it is when the passage has ended.
func (c *cameraPipeline) settle(p passage.Passage, o *openPassage) {
	if o.hitID == "" || o.settled {
		return
	}
	if !c.u.outbox.Settling(o.hitID) {
		o.settled = true
		return
	}
	if hit.Direction(&p) == "" || p.Text != o.sentText {
		return
	}
	if o.sentDirection == "" {
		c.send(p, o)
	}
	c.release(o)
}

// release ends the wait of a hit, or of its latest revision, in the outbox.
func (c *cameraPipeline) release(o *openPassage) {
	if o.hitID != "" {
		c.u.outbox.Settled(o.hitID)
		o.settled = true
	}
}

// resendIfParked sends a hit again when its vehicle turns out to be parked, so
// that it can be found there.
func (c *cameraPipeline) resendIfParked(p passage.Passage, o *openPassage) {
	if o.hitID != "" && p.Text == o.sentText && p.Parked && o.sentDirection != hit.Parked {
		c.send(p, o)
	}
}

// resendIfBetter sends a hit again at the end of its passage if the vote became
// more confident, the plate larger on its best frame, or the direction known.
func (c *cameraPipeline) resendIfBetter(p passage.Passage, o *openPassage) {
	const moreConfident = 0.1 // probability
	if o.hitID == "" || p.Text != o.sentText {
		return
	}
	if p.Confidence >= o.sentConfidence+moreConfident || o.sentDirection != hit.Direction(&p) || o.better(o.sentShot, false) {
		c.send(p, o)
	}
}

// match looks a passage up in all lists. A list that fails is logged; the
// matches of the others count.
func (c *cameraPipeline) match(p passage.Passage) []message.Match {
	h := c.u.cfg().Hotlist
	c.pulse.does("matching a plate with the lists")
	found, err := c.u.lists.Match(match.Query{
		Text: p.Text, Characters: hit.Reading(p.Characters), Hidden: p.Hidden, Seen: hit.Seen(p.Vehicle), State: h.State, StateConfidence: h.StateShare,
		At: time.Now(), ClockSynchronised: c.u.clock().State == status.ClockSynchronised,
	})
	if err != nil {
		c.log.Error("hotlist lookup failed", "error", err)
	}
	return hit.Matches(found)
}

// send puts a hit, or its next revision, into the outbox.
func (c *cameraPipeline) send(p passage.Passage, o *openPassage) {
	h := hit.Message(&p, o.matches)
	h.Camera, h.Position = c.name, position(c.u.cfg())
	shown := o.shot
	if o.better(o.sentShot, p.Text != o.sentText) {
		h.PlatePicture, h.ContextPicture = o.pictures.Encode(c.u.cfg().Pictures)
	} else {
		shown, h.PicturesUnchanged = o.sentShot, true
	}
	h.CapturedAt, h.Clock = shown.at, message.ClockState(c.u.clock().State)
	model, version := c.reader.Model()
	h.Reader = &message.Reader{Model: model, Version: version, Software: c.u.o.Version.Version}
	for i := range h.Matches {
		m := &h.Matches[i]
		if age := shown.at.Sub(m.ListDated); h.Clock == message.ClockSynchronised && !m.ListDated.IsZero() && age > 0 {
			m.ListAge = age.Seconds()
		}
	}
	h.Region = c.reader.RegionOf(p.Text)
	h.Frame = &message.Frame{Width: shown.frame.X, Height: shown.frame.Y, Box: [4]int{shown.box.Min.X, shown.box.Min.Y, shown.box.Dx(), shown.box.Dy()}}
	c.pulse.does(storesHit)
	id, err := o.hitID, error(nil)
	if id == "" {
		id, err = c.u.outbox.Accept(h)
	} else {
		err = c.u.outbox.Update(id, h)
	}
	if err != nil {
		c.log.Error("hit not stored", "list", h.Matches[0].List, "error", err)
		return
	}
	c.u.book.Sent(id, h.Matches)
	if o.hitID == "" {
		c.mu.Lock()
		c.counts.hits++
		c.mu.Unlock()
		c.pulse.does("writing the audit trail")
		c.u.recordHit(id, h.Matches)
		c.log.Info("hit", "id", id, "list", h.Matches[0].List, "how", h.Matches[0].How)
	}
	if o.hitID != "" && o.sentText != p.Text {
		c.u.countChange(false)
	}
	o.withdrawn = false
	o.hitID, o.sentText, o.sentDirection, o.sentConfidence, o.sentShot = id, p.Text, h.Direction, p.Confidence, shown
	c.u.recent.put(id, h)
}

// recentHits holds the latest hits for the status page, oldest first.
type recentHits struct {
	mu   sync.Mutex
	hits []recentHit
}

type recentHit struct {
	hit  message.Hit
	id   string
	when time.Time // accepted; carries the monotonic clock
}

// maxRecent is the number of hits on the status page.
const maxRecent = 20

func (r *recentHits) put(id string, h message.Hit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := recentHit{h, id, time.Now()}
	for i := range r.hits {
		if r.hits[i].id == id {
			n.when = r.hits[i].when
			if h.PicturesUnchanged {
				n.hit.PlatePicture = r.hits[i].hit.PlatePicture
			}
			r.hits[i] = n
			return
		}
	}
	if len(r.hits) == maxRecent {
		r.hits = slices.Delete(r.hits, 0, 1)
	}
	r.hits = append(r.hits, n)
}

// expire forgets hits that were accepted longer ago.
func (r *recentHits) expire(after time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hits = slices.DeleteFunc(r.hits, func(h recentHit) bool { return time.Since(h.when) > after })
}

// latest returns the hits, newest first.
func (r *recentHits) latest() []recentHit {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.hits)
	slices.Reverse(out)
	return out
}
