// Package passage turns the plates read on single frames into passages: one
// vehicle going by, with one vote over all its frames.
//
// A [Tracker] belongs to one camera. It decides which plate of a frame
// continues which passage, by text and by place, and lets every frame vote for
// each character. A passage is reported once its vote is sure enough (event
// [Sure]), again under the same number when the vote changes its mind
// ([Corrected]), and at its end ([Ended]).
//
// Time is the caller's: the position of the frame, from any monotonic clock.
// Nothing here reads a clock, so a recorded clip and a live camera give the
// same passages.
package passage

import (
	"fmt"
	"image"
	"time"

	"platewatch/ocr"
	"platewatch/ocr/read"
)

// Event says why a passage is reported.
type Event int

const (
	Seen      Event = iota // another frame; nothing to report
	Sure                   // the vote became sure enough to act on
	Corrected              // it was sure, and now says something else
	Ended                  // the vehicle is gone
)

func (e Event) String() string {
	switch e {
	case Seen:
		return "seen"
	case Sure:
		return "sure"
	case Corrected:
		return "corrected"
	case Ended:
		return "ended"
	}
	return fmt.Sprintf("event %d", int(e))
}

// Passage is one vehicle going by.
type Passage struct {
	Number      uint64 // grows by one per passage of a tracker
	Text        string
	Confidence  float64 // 0–1, that all of Text is right
	Characters  []read.Character
	First, Last time.Duration   // position of the first and the latest frame
	Frames      int             // on which the plate was read
	Agreeing    int             // of those, how many read exactly Text
	Sure        bool            // the vote is sure enough to act on
	Box         image.Rectangle // of the plate on the latest of them, pixels
	Best        time.Duration   // position of the frame that shows the plate best
	BestBox     image.Rectangle // of the plate on it
	Direction   Direction
	Parked      bool // it has stood still for [Params.Parked]
}

// Update is what a frame did to a passage.
type Update struct {
	Passage Passage
	Event   Event
	Plate   int  // index of the frame's plate; −1 when there is none
	Best    bool // this frame shows the plate best so far
}

// Params are a tracker's settings.
type Params struct {
	// Agree is how many frames must read the same text before a passage is
	// sure. One is for cameras that give a single frame per vehicle.
	Agree int
	// Gap is how long a plate may go unread before its passage ends.
	Gap time.Duration
	// MinConfidence is the least confidence of the vote for a passage to be
	// sure.
	MinConfidence float64
	// StillConfidence is the same for a plate that was never seen to move: most
	// of what stands before a camera for ever, signs and the camera's own clock,
	// is no plate. The default lies between the surest sign of `make traffic`
	// (hours of parking, 0.63) and the standing cars of the Dutch clips (0.68
	// and more, but for one of 0.56).
	StillConfidence float64
	// Parked is how long a plate must stay in its place to count as parked.
	Parked time.Duration
	// Open bounds the passages that are open at once; the one unseen for the
	// longest ends when another begins.
	Open int
}

// DefaultParams suit a camera at 5 frames a second and more.
func DefaultParams() Params {
	return Params{Agree: 2, Gap: 1500 * time.Millisecond, MinConfidence: 0.5, StillConfidence: 0.65,
		Parked: 10 * time.Second, Open: 64}
}

// Validate reports the first setting that makes no sense.
func (p Params) Validate() error {
	switch {
	case p.Agree < 1 || p.Agree > 100:
		return fmt.Errorf("passage: %d agreeing frames: 1 to 100", p.Agree)
	case p.Gap <= 0:
		return fmt.Errorf("passage: a gap of %v: it must be positive", p.Gap)
	case p.MinConfidence < 0 || p.MinConfidence > 1:
		return fmt.Errorf("passage: a confidence of %g: it is a probability, 0 to 1", p.MinConfidence)
	case p.StillConfidence < 0 || p.StillConfidence > 1:
		return fmt.Errorf("passage: a confidence of %g for what does not move: it is a probability, 0 to 1", p.StillConfidence)
	case p.Parked <= 0:
		return fmt.Errorf("passage: parked after %v: it must be positive", p.Parked)
	case p.Open < 1 || p.Open > 1000:
		return fmt.Errorf("passage: %d open passages: 1 to 1000", p.Open)
	}
	return nil
}

// Tracker follows the vehicles in front of one camera. One goroutine uses it.
type Tracker struct {
	p    Params
	open []*track
	next uint64
}

// NewTracker returns a tracker whose first passage has number first.
func NewTracker(p Params, first uint64) (*Tracker, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Tracker{p: p, next: first}, nil
}

// Observe takes the plates of the frame at position at, which must not go
// back. It returns what happened to every passage the frame touched or ended,
// those that ended first.
//
// still tells whether nothing moves at a place: a vehicle that was read
// standing there is there still, whether or not the frame was looked at. It may
// be nil, where nobody knows: then a vehicle must be read to be there.
func (t *Tracker) Observe(at time.Duration, plates []ocr.Plate, still func(image.Rectangle) bool) []Update {
	if still == nil {
		still = func(image.Rectangle) bool { return false }
	}
	for _, k := range t.open {
		k.stay(still(k.way.box), at)
	}
	updates := t.end(func(k *track) bool { return k.over(t.p, at) })
	touched := t.assign(plates, at)
	fresh := make([]bool, len(plates)) // the best frame of its passage so far
	for i, k := range touched {
		if k == nil {
			if len(t.open) >= t.p.Open {
				updates = append(updates, t.end(t.oldest())...)
			}
			k = &track{number: t.next}
			t.next++
			t.open = append(t.open, k)
			touched[i] = k
		}
		fresh[i] = k.add(plates[i], at)
		k.stands = still(k.way.box)
	}
	for i, k := range touched {
		if beside(k, touched) {
			k.beside++
		}
		now := k.passage(t.p)
		updates = append(updates, Update{Passage: now, Event: k.event(now), Plate: i, Best: fresh[i]})
	}
	return updates
}

// Wanted are the places at which a plate is expected in a frame at position at
// and should be looked for even if nothing moves there, in pixels.
func (t *Tracker) Wanted(at time.Duration) []image.Rectangle {
	var places []image.Rectangle
	for _, k := range t.open {
		if k.wanted(at) {
			to, from := k.way.expected(at), middle(k.way.box)
			moved := image.Pt(int(to.x-from.x), int(to.y-from.y))
			places = append(places, k.way.box.Union(k.way.box.Add(moved)).Inset(-k.way.box.Dy()))
		}
	}
	return places
}

// Flush ends every open passage: the camera's stream is over.
func (t *Tracker) Flush() []Update { return t.end(func(*track) bool { return true }) }

// Open is how many passages are open.
func (t *Tracker) Open() int { return len(t.open) }

// end closes the passages that over says are over.
func (t *Tracker) end(over func(*track) bool) []Update {
	var updates []Update
	left := t.open[:0]
	for _, k := range t.open {
		if !over(k) {
			left = append(left, k)
			continue
		}
		updates = append(updates, Update{Passage: k.passage(t.p), Event: Ended, Plate: -1})
	}
	clear(t.open[len(left):])
	t.open = left
	return updates
}

// oldest picks the passage that was unseen for the longest.
func (t *Tracker) oldest() func(*track) bool {
	first := t.open[0]
	for _, k := range t.open[1:] {
		if k.way.at < first.way.at {
			first = k
		}
	}
	return func(k *track) bool { return k == first }
}
