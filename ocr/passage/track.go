package passage

import (
	"image"
	"time"

	"platewatch/ocr/text"
	"platewatch/ocr/vehicle"
)

// track is an open passage.
type track struct {
	vote
	trajectory trajectory
	number     uint64
	first      time.Duration
	present    time.Duration // when it was last read, or certainly still present
	stationary bool          // it was read while nothing moved there, and nothing has since
	again      bool          // the latest frame gave an earlier reading
	frames     int
	beside     int // of those, how many show it as lettering beside a plate

	best     float64 // weight of the best frame
	bestAt   time.Duration
	bestBox  image.Rectangle
	reported string // the text last reported

	seen      vehicle.Vote
	described float64 // height of the characters on the latest view that voted
}

// add lets a frame vote. It reports whether the frame shows the plate better
// than all before.
func (k *track) add(p Observation, at time.Duration) (best bool) {
	if k.frames == 0 {
		k.first = at
	}
	k.present = at
	k.trajectory.add(p, at)
	if k.again = p.Again && k.frames > 0; k.again { // it has voted already
		return false
	}
	k.frames++
	k.cast(p, k.trajectory.views)
	if w := weight(p); w > k.best {
		k.best, k.bestAt, k.bestBox = w, at, p.Box
		return true
	}
	return false
}

// stay records whether nothing moves where the plate is, on a frame on which it
// was not read.
func (k *track) stay(still bool, at time.Duration) {
	if k.stationary = k.stationary && still; k.stationary {
		k.present = at
	}
}

// over tells whether the vehicle is gone. A parked one may be hidden for a while
// by others that go by.
func (k *track) over(p Params, at time.Duration) bool {
	gap := p.Gap
	if k.present-k.trajectory.since >= p.Parked {
		gap = max(gap, parkedGap)
	}
	return at-k.present > gap
}

// parkedGap is the gap after which a parked vehicle is gone.
const parkedGap = 15 * time.Second

// needsAnotherLook tells whether the plate's place should be read again even if
// nothing moves there: not where that would give the same reading again.
func (k *track) needsAnotherLook(at time.Duration) bool {
	const enough = 5 // frames that agree
	return at-k.trajectory.at <= lookFor && !(k.stationary && (k.again || k.agreeing() >= enough))
}

// lookFor is how long after its last reading a plate is looked for.
const lookFor = 600 * time.Millisecond

// passage is the track's state for the tracker's user.
func (k *track) passage(p Params) Passage {
	out := Passage{
		Number: k.number, Reading: text.Reading{Text: k.text, Confidence: k.confidence(k.trajectory.moved()), Characters: k.characters()},
		First: k.first, Last: k.trajectory.at, Frames: k.frames, Agreeing: k.agreeing(), Hidden: k.hidden(),
		Box: k.trajectory.box, Best: k.bestAt, BestBox: k.bestBox,
		Direction: k.trajectory.direction(), Parked: k.present-k.trajectory.since >= p.Parked,
		Vehicle: k.seen.Seen(),
	}
	out.Sure = out.Agreeing >= p.Agree && out.Hidden <= mostHidden && out.Confidence >= k.least(p)
	return out
}

// least is the confidence from which the passage is sure.
func (k *track) least(p Params) float64 {
	least := p.MinConfidence
	if p.Agree == 1 {
		least = p.SingleConfidence
	}
	if !k.trajectory.moved() {
		least = max(least, p.StillConfidence)
	}
	if 2*k.beside >= k.frames {
		least = max(least, besideConfidence)
	}
	return least
}

const (
	// Lettering on a vehicle, such as its model's name or a dealer's sticker,
	// lies within besideReach widths of the plate, and its characters are
	// besideLeast to besideHeight of the plate's characters high. A plate with smaller
	// ones is near a sign.
	besideReach, besideHeight, besideLeast = 3.0, 0.75, 0.25
	// besideConfidence is the least for a passage that looks like such
	// lettering: the plate of another, more distant vehicle reaches it in time.
	besideConfidence = 0.97
)

// beside tells whether a track looks like lettering near a plate that was read
// on the same frame, and better.
func beside(k *track, others []*track) bool {
	for _, o := range others {
		if o != k && o.best > k.best && k.trajectory.height <= besideHeight*o.trajectory.height && k.trajectory.height >= besideLeast*o.trajectory.height &&
			apart(middle(k.trajectory.box), middle(o.trajectory.box)) <= besideReach*o.trajectory.width {
			return true
		}
	}
	return false
}

// event is what to report after a frame, once for each text.
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
