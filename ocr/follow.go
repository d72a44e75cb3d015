package ocr

import (
	"image"
	"math"
	"time"

	"platewatch/ocr/find"
	"platewatch/ocr/text"
)

// followed is a place that moves over the frames, with its latest reading. Vehicles
// carry lettering that is not a plate, and clear plates are read the same again and
// again: such a place is read a few times a second and not on each frame.
type followed struct {
	box     find.Box // pixels of the frame, on the latest frame
	dx, dy  float64  // what the middle moves, pixels a second
	going   bool     // dx and dy are known
	height  float64  // of the line when it was last read, pixels
	close   float64  // the same when the full network last looked
	readBox find.Box // where it was last read
	reading JudgedPlate
	verdict Verdict
	least   float64 // see [remembered]
	nothing bool    // it would not be reported
	alike   int     // reads in a row with the same outcome
	vain    int     // reads in a row that gave nothing, or a text that is hardly a plate's
	read    time.Duration
	seen    time.Duration
}

const (
	// sameMoving is the overlap of a place with where it was to be expected, and sameFirst
	// with where it was before, while its motion is not known.
	sameMoving, sameFirst = 0.5, 0.2
	// movingGap is how long a place may go unseen and is still followed.
	movingGap = 160 * time.Millisecond
	// movingAgain is how long a moving place is not read again. Vehicles are in view for
	// half a second and more, and a passage becomes sure with two readings that agree.
	movingAgain = 160 * time.Millisecond
	// grown is the change of a line's height from which it is read at once: a plate that
	// comes closer becomes readable.
	grown = 1.12
	// alikeNothing, alikeSure and alikeUnsure are how many outcomes in a row must be the
	// same: nothing to report, a text that is sure enough, and any other text.
	alikeNothing, alikeSure, alikeUnsure = 2, 3, 4
	// clearText is the confidence from which a moving text is sure enough.
	clearText = 0.8
	// mostAgain is the same where the outcome has been the same many times.
	mostAgain = 400 * time.Millisecond
	// marginAgain times the square of the number of readings is how long a place at the
	// margin is not read again, up to marginMost: its clock changes, and it alone makes no
	// passage sure. A longer one than writtenGap would keep the place from being learned.
	marginAgain = 50 * time.Millisecond
	marginMost  = writtenGap - 2*marginAgain
	// mostAlike bounds the counts: more change nothing.
	mostAlike = 100
	// vainEnough is how many reads in a row must be in vain until only the cheaper network
	// looks, and hardlyText the confidence below which a text without a format of the
	// regions is: lettering on vehicles is read otherwise each time.
	vainEnough, hardlyText = 2, 0.5
)

// recallMoving gives an attempt the latest reading of the place that it follows, unless
// that is to be read anew.
func (v *view) recallMoving(a *Attempt, d demand) bool {
	box := v.boxOf(a.Candidate)
	f := v.memory.moving(box, v.at)
	if f == nil || f.least > d.least {
		return false
	}
	if d.margin {
		if f.alike < alikeNothing || v.at-f.read >= min(marginMost, time.Duration(f.alike*f.alike)*marginAgain) {
			return false
		}
	} else if h := a.Candidate.Line.Height / f.height; !f.enough() || v.at-f.read >= f.again() || max(h, 1/h) > grown {
		return false
	}
	if !v.repeat(a, f, box) {
		return false
	}
	f.goTo(box, v.at)
	return true
}

// repeat gives an attempt the latest reading of the place that it follows; false where
// the plate leaves the frame.
func (v *view) repeat(a *Attempt, f *followed, box find.Box) bool {
	moved := f.reading.shifted(movedBy(f.readBox, box).Sub(v.place.Min))
	if !moved.Box.In(v.frameIn(v.place)) {
		return false
	}
	a.readAgain(f.reading, f.verdict, moved)
	return true
}

// glanceAt tells whether only the cheaper network is to look at a candidate: it stands
// where cameras write their own text, or reading it was in vain and it has not come
// closer since.
func (v *view) glanceAt(c find.Candidate, d demand) bool {
	if v == nil {
		return false
	}
	if d.margin {
		return true
	}
	f := v.memory.moving(v.boxOf(c), v.at)
	return f != nil && f.vain >= vainEnough && c.Line.Height <= grown*f.close
}

// keepMoving gives an attempt at which the cheaper network was unsure the latest reading
// of the place that it follows, if reading it was in vain.
func (v *view) keepMoving(a *Attempt) {
	box := v.boxOf(a.Candidate)
	if f := v.memory.moving(box, v.at); f != nil && f.vain >= vainEnough {
		v.repeat(a, f, box)
	}
}

// enough tells whether the place was read often enough with the same outcome.
func (f *followed) enough() bool {
	switch {
	case f.vain >= vainEnough:
		return true
	case f.nothing:
		return f.alike >= alikeNothing
	case f.reading.Confidence >= clearText:
		return f.alike >= alikeSure
	}
	return f.alike >= alikeUnsure
}

// again is how long the place is not read again: the longer, the more often its outcome
// was the same.
func (f *followed) again() time.Duration {
	return min(mostAgain, max(movingAgain, time.Duration(f.alike)*movingAgain/4))
}

// noteMoving takes a reading, in pixels of the frame, of the place in box; nothing tells
// that it would not be reported.
func (v *view) noteMoving(a Attempt, box find.Box, d demand, nothing bool) {
	now := followed{box: box, height: a.Candidate.Line.Height, close: a.Candidate.Line.Height, readBox: box, reading: a.Reading, verdict: a.Verdict, least: d.least, nothing: nothing, alike: 1, read: v.at, seen: v.at}
	if nothing || a.Reading.Confidence < hardlyText && a.Reading.Region == "" {
		now.vain = 1
	}
	f := v.memory.moving(box, v.at)
	if f == nil {
		f = v.memory.named(now, v.at)
	}
	if f == nil {
		*slotIn(&v.memory.moves, func(f *followed) time.Duration { return f.seen }) = now
		return
	}
	if same := nothing == f.nothing && (nothing || text.Fold(now.reading.Text) == text.Fold(f.reading.Text)); same || d.margin {
		now.alike = min(now.alike+f.alike, mostAlike)
	}
	if d.glance {
		now.close = f.close
	}
	if now.vain > 0 {
		now.vain = min(now.vain+f.vain, mostAlike)
	}
	f.goTo(box, v.at)
	now.dx, now.dy, now.going = f.dx, f.dy, true
	*f = now
}

// goTo notes where the place is on another frame.
func (f *followed) goTo(box find.Box, at time.Duration) {
	moved, took := movedBy(f.box, box), (at - f.seen).Seconds()
	f.dx, f.dy, f.going = float64(moved.X)/took, float64(moved.Y)/took, true
	f.box, f.seen = box, at
}

// moving is the place that box follows; nil for none. Each is followed once a frame.
func (m *Memory) moving(box find.Box, at time.Duration) *followed {
	var best *followed
	most := 0.0
	for i := range m.moves {
		f := &m.moves[i]
		gap := at - f.seen
		if gap <= 0 || gap > movingGap {
			continue
		}
		expected, least := f.box, sameFirst
		if f.going {
			least = sameMoving
			expected.X += f.dx * gap.Seconds()
			expected.Y += f.dy * gap.Seconds()
		}
		if share := box.Overlap(expected); share >= max(least, most) {
			best, most = f, share
		}
	}
	return best
}

// named is the place that one with the same text follows, too fast for the two to
// overlap; nil for none.
func (m *Memory) named(now followed, at time.Duration) *followed {
	const farthest, least = 1.5, 4 // widths of the box that it moves in a frame; characters
	if len(now.reading.Text) < least {
		return nil
	}
	like := text.Fold(now.reading.Text)
	for i := range m.moves {
		f := &m.moves[i]
		if gap := at - f.seen; gap <= 0 || gap > movingGap || f.going || text.Fold(f.reading.Text) != like {
			continue
		}
		h := now.height / f.height
		if by := movedBy(f.box, now.box); math.Hypot(float64(by.X), float64(by.Y)) <= farthest*f.box.W && max(h, 1/h) <= grown {
			return f
		}
	}
	return nil
}

// standing notes that a place that gives no plate, or stands at the margin, was seen
// where it was.
func (v *view) standing(c find.Candidate, margin bool) {
	box := v.boxOf(c)
	if f := v.memory.moving(box, v.at); f != nil && (margin || f.nothing) {
		f.goTo(box, v.at)
	}
}

// movedBy is how far the middle of a box has moved, in whole pixels.
func movedBy(from, to find.Box) image.Point {
	return image.Pt(int(math.Round(to.X+to.W/2-from.X-from.W/2)), int(math.Round(to.Y+to.H/2-from.Y-from.H/2)))
}
