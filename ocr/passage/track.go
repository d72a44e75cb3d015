package passage

import (
	"image"
	"time"

	"platewatch/ocr"
)

// track is an open passage.
type track struct {
	vote
	way     way
	number  uint64
	first   time.Duration
	present time.Duration // when it was last read, or certainly still there
	stands  bool          // it was read when nothing moved there, and nothing has since
	again   bool          // on the latest frame it was not read anew
	frames  int
	beside  int // of those, how many show it as lettering beside a plate

	best     float64 // weight of the best frame
	bestAt   time.Duration
	bestBox  image.Rectangle
	reported string // the text last reported
}

// add lets a frame vote. It reports whether the frame shows the plate better
// than all before.
func (k *track) add(p ocr.Plate, at time.Duration) (best bool) {
	if k.frames == 0 {
		k.first = at
	}
	k.present = at
	k.way.take(p, at)
	if k.again = p.Again && k.frames > 0; k.again { // it has had its vote
		return false
	}
	k.frames++
	k.cast(p, k.way.views)
	if w := weight(p); w > k.best {
		k.best, k.bestAt, k.bestBox = w, at, p.Box
		return true
	}
	return false
}

// stay notes whether nothing moves where the plate is, on a frame on which it
// was not read.
func (k *track) stay(still bool, at time.Duration) {
	if k.stands = k.stands && still; k.stands {
		k.present = at
	}
}

// over tells whether the vehicle is gone. One that was parked may be hidden
// for a while by others that go by.
func (k *track) over(p Params, at time.Duration) bool {
	gap := p.Gap
	if k.present-k.way.since >= p.Parked {
		gap = max(gap, parkedGap)
	}
	return at-k.present > gap
}

const parkedGap = 15 * time.Second

// wanted tells whether another look at the plate's place is worth while though
// nothing moves there: not where that would show what was seen before.
func (k *track) wanted(at time.Duration) bool {
	const enough = 5 // frames that agree
	return at-k.way.at <= wantedFor && !(k.stands && (k.again || k.agreeing() >= enough))
}

const wantedFor = 600 * time.Millisecond

// passage is the track as others see it.
func (k *track) passage(p Params) Passage {
	out := Passage{
		Number: k.number, Text: k.text, Confidence: k.confidence(k.way.moved()), Characters: k.characters(),
		First: k.first, Last: k.way.at, Frames: k.frames, Agreeing: k.agreeing(),
		Box: k.way.box, Best: k.bestAt, BestBox: k.bestBox,
		Direction: k.way.direction(), Parked: k.present-k.way.since >= p.Parked,
	}
	out.Sure = out.Agreeing >= p.Agree && out.Confidence >= k.least(p)
	return out
}

// least is the confidence from which the passage is sure.
func (k *track) least(p Params) float64 {
	least := p.MinConfidence
	if !k.way.moved() {
		least = max(least, p.StillConfidence)
	}
	if 2*k.beside >= k.frames {
		least = max(least, besideConfidence)
	}
	return least
}

const (
	// Lettering on a vehicle, its model's name or a dealer's sticker, is within
	// so many widths of the plate, and its characters have at most so much of
	// the height of the plate's.
	besideReach, besideHeight = 3.0, 0.75
	// besideConfidence is the least for a passage that looks like that: the
	// plate of another vehicle, farther off, is read this well in time.
	besideConfidence = 0.97
)

// beside tells whether a track looks like lettering near a plate that was read
// on the same frame, and better.
func beside(k *track, others []*track) bool {
	for _, o := range others {
		if o != k && o.best > k.best && k.way.height <= besideHeight*o.way.height &&
			apart(middle(k.way.box), middle(o.way.box)) <= besideReach*o.way.width {
			return true
		}
	}
	return false
}

// event says what is to be reported after a frame, once for each text.
func (k *track) event(now Passage) Event {
	switch {
	case !now.Sure || now.Text == k.reported:
		return Seen
	case k.reported == "":
		k.reported = now.Text
		return Sure
	}
	k.reported = now.Text
	return Corrected
}
