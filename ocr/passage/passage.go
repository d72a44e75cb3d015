// Package passage groups the plates read on single frames into passages: one
// vehicle going by, with one vote over all its frames.
//
// A [Tracker] belongs to one camera. It decides which plate of a frame
// continues which passage, by text and by place, and lets every frame vote for
// each character. It reports a passage when its vote becomes sure enough (event
// [Sure]), again under the same number when the vote changes ([Corrected]), and
// at its end ([Ended]).
//
// Time is the position of the frame, from any monotonic clock of the caller.
// The package reads no clock itself, so a recorded clip and a live camera give
// the same passages.
package passage

import (
	"fmt"
	"image"
	"time"

	"platewatch/ocr/text"
	"platewatch/ocr/vehicle"
)

// Observation is a plate that was read on one frame.
type Observation struct {
	text.Reading
	Box    image.Rectangle // pixels of the frame
	Height float64         // of the characters, pixels
	Again  bool            // an earlier reading, which has voted already
	Hidden float64         // 0–1, probability that a character lies outside what can be seen; Confidence includes it
}

// cutOff tells whether the view may be of a part of the plate only. Such a view
// makes no passage sure.
func (o *Observation) cutOff() bool { return o.Hidden > mostHidden }

const mostHidden = 0.1

// Event says why a passage is reported.
type Event int

const (
	Seen      Event = iota // read on another frame; nothing to report
	Sure                   // the vote became sure enough to act on
	Corrected              // the vote was sure, and now has another text
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

// Passage is one vehicle going by, with the vote over its frames.
type Passage struct {
	Number uint64 // grows by one per passage of a tracker
	text.Reading
	First, Last time.Duration   // positions of the first and the latest frame
	Frames      int             // on which the plate was read
	Agreeing    int             // of those, how many read exactly Text
	Hidden      float64         // 0–1, probability that Text lacks a character: the least of those frames', or that others saw one more
	Sure        bool            // the vote is sure enough to act on, and one of the frames shows the whole plate
	Box         image.Rectangle // of the plate on the latest of them, pixels
	Best        time.Duration   // position of the frame that shows the plate best
	BestBox     image.Rectangle // of the plate on that frame
	Direction   Direction
	Parked      bool         // it has not moved for [Params.Parked]
	Vehicle     vehicle.Seen // what was seen of it beside the number, see [Tracker.See]
}

// Update is what a frame did to a passage.
type Update struct {
	Passage Passage
	Event   Event
	Plate   int  // index of the frame's plate; −1 when there is none
	Best    bool // this frame shows the plate best so far
}

// Tracker follows the vehicles in front of one camera. One goroutine uses it.
type Tracker struct {
	p    Params
	open []*track
	next uint64
}

// NewTracker returns a tracker whose first passage has number first. Settings
// that cannot be used give the first of their problems.
func NewTracker(p Params, first uint64) (*Tracker, error) {
	for key, err := range p.Problems() {
		return nil, fmt.Errorf("passage: %s %w", key, err)
	}
	return &Tracker{p: p, next: first}, nil
}

// Change replaces the settings; open passages go on under the new ones. Settings that
// cannot be used give the first of their problems, and change nothing.
func (t *Tracker) Change(p Params) error {
	for key, err := range p.Problems() {
		return fmt.Errorf("passage: %s %w", key, err)
	}
	t.p = p
	return nil
}

// Observe takes the plates of the frame at position at, which must not go
// back. It returns what happened to every passage the frame touched or ended,
// those that ended first.
//
// still tells whether nothing moves at a place: a stationary vehicle that was
// read there is still present, whether or not that part of the frame was
// searched. still may be nil where that is not known: then only a reading shows
// that a vehicle is present.
func (t *Tracker) Observe(at time.Duration, plates []Observation, still func(image.Rectangle) bool) []Update {
	if still == nil {
		still = func(image.Rectangle) bool { return false }
	}
	for _, k := range t.open {
		k.stay(still(k.trajectory.box), at)
	}
	updates := t.end(func(k *track) bool { return k.over(t.p, at) })
	touched := t.assign(plates, at)
	best := make([]bool, len(plates)) // the best frame of its passage so far
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
		best[i] = k.add(plates[i], at)
		k.stationary = still(k.trajectory.box)
	}
	for i, k := range touched {
		if beside(k, touched) {
			k.beside++
		}
		now := k.passage(t.p)
		updates = append(updates, Update{Passage: now, Event: k.event(now), Plate: i, Best: best[i]})
	}
	return updates
}

// Describes tells whether a passage that a frame shows best so far should be
// looked at for what is beside its number: up to [mostViews] times, when it is
// first read surely, and when it has come much nearer.
func (t *Tracker) Describes(u *Update) bool {
	k := t.numbered(u.Passage.Number)
	return k != nil && u.Best && u.Passage.Confidence >= describeFrom && k.seen.Views() < mostViews &&
		(k.seen.Views() == 0 || k.trajectory.height >= nearer*k.described)
}

// Bounds of what a passage costs beyond its number.
const (
	mostViews    = 2
	describeFrom = 0.5 // confidence
	nearer       = 1.3 // times the height of the characters
)

// See lets what a frame shows of a passage's vehicle vote, and returns the vote.
func (t *Tracker) See(number uint64, s vehicle.Seen) vehicle.Seen {
	k := t.numbered(number)
	if k == nil {
		return vehicle.Seen{}
	}
	k.seen.Add(s)
	k.described = k.trajectory.height
	return k.seen.Seen()
}

// numbered is the open passage with a number; nil if there is none.
func (t *Tracker) numbered(number uint64) *track {
	for _, k := range t.open {
		if k.number == number {
			return k
		}
	}
	return nil
}

// Expected are the places at which a plate is expected in a frame at position
// at and should be read again even if nothing moves there, in pixels.
func (t *Tracker) Expected(at time.Duration) []image.Rectangle {
	var places []image.Rectangle
	for _, k := range t.open {
		if k.needsAnotherLook(at) {
			box := k.trajectory.box
			to, from := k.trajectory.expected(at), middle(box)
			moved := image.Pt(int(to.x-from.x), int(to.y-from.y))
			places = append(places, box.Union(box.Add(moved)).Inset(-box.Dy()))
		}
	}
	return places
}

// Flush ends every open passage, at the end of the camera's stream.
func (t *Tracker) Flush() []Update { return t.end(func(*track) bool { return true }) }

// end closes the passages for which over is true.
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

// oldest selects the passage that has not been read for the longest time.
func (t *Tracker) oldest() func(*track) bool {
	first := t.open[0]
	for _, k := range t.open[1:] {
		if k.trajectory.at < first.trajectory.at {
			first = k
		}
	}
	return func(k *track) bool { return k == first }
}
