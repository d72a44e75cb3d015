package ocr

import (
	"image"
	"math"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
)

// What a camera writes into its pictures (clock, address, its own name) has the shape of
// a plate's text. Two things tell it: its place at the picture's upper or lower end, and,
// on video, that it stays where it is while the picture behind it changes.

// atMargin tells whether a row of characters of a picture stands where cameras write
// their own text: level, small, and close to the picture's upper or lower end.
func atMargin(l find.Line, picture image.Rectangle) bool {
	const (
		level   = 0.012 // dy/dx
		largest = 0.05  // of the picture's height
		nearest = 2.5   // heights of the characters between them and the end
	)
	h, rows := l.Height, float64(picture.Dy())
	if math.Abs(l.Slope) > level || h > largest*rows {
		return false
	}
	return min(l.Y-float64(picture.Min.Y), float64(picture.Max.Y)-l.Y)-h/2 <= nearest*h
}

// marginHidden is the probability that what stands at the margin is not a whole plate:
// it is the camera's own text, or a vehicle that leaves the picture. Alone it makes no
// passage sure; a vehicle that goes by is seen elsewhere too.
const marginHidden = 0.5

// written follows one place over the frames of a camera, to learn whether the camera
// writes there.
type written struct {
	around    image.Rectangle // pixels of the frame
	low, high *closePatch     // the least and the greatest grey value of each pixel
	since     time.Duration   // of the first of the frames
	last      time.Duration   // of the latest
	changes   int
}

// closePatch is a place at a scale at which strokes of characters come out.
type closePatch [closeWidth * closeHeight]uint8

const closeWidth, closeHeight = 192, 36

// closePatchOf is the close patch of a place of a grey frame.
func closePatchOf(frame gocv.Mat, place image.Rectangle) (*closePatch, error) {
	p := new(closePatch)
	err := shrink(frame, place, image.Pt(closeWidth, closeHeight), p[:])
	return p, err
}

const (
	// writtenGap is how long the place may go unread: vehicles that stop at the same
	// place have other places in between.
	writtenGap = 2 * time.Second
	// A place is the camera's own text from so many changes over so long.
	writtenChanges, writtenFor = 5, 2 * time.Second
)

// add takes the place on another frame, on which it has changed. It goes on with the
// rectangle that it began with: around may have other ends.
func (w *written) add(frame gocv.Mat, around image.Rectangle, at time.Duration) error {
	begin := w.changes == 0 || at-w.last > writtenGap
	if begin {
		*w = written{around: around, since: at}
	}
	now, err := closePatchOf(frame, w.around)
	if err != nil {
		return err
	}
	if begin {
		high := *now
		w.low, w.high = now, &high
	}
	for i, v := range now {
		w.low[i], w.high[i] = min(w.low[i], v), max(w.high[i], v)
	}
	w.last = at
	w.changes++
	return nil
}

// certain tells whether the camera writes there: light strokes stayed as light as they
// were, while much of what is around and between them changed. On a plate, strokes and
// ground change together.
func (w *written) certain() bool {
	const (
		least, most = 0.03, 0.4 // share of the strokes
		around      = 0.15      // least share of what changed
		runs        = 5         // of strokes, along a row
	)
	if w.changes < writtenChanges || w.last-w.since < writtenFor {
		return false
	}
	strokes, moved, n := w.measure()
	return strokes >= least && strokes <= most && moved >= around && n >= runs
}

// measure gives the shares of the place that are strokes and that changed, and the most
// strokes that a row in its middle third crosses.
func (w *written) measure() (strokes, moved float64, runs int) {
	const (
		lightGrey     = 180 // of strokes
		otherGrey     = 60  // of what changed, between its least and greatest
		first, beyond = closeHeight / 3, 2 * closeHeight / 3
	)
	ink, changed, longest := 0, 0, 0
	for y := range closeHeight {
		row, before := 0, false
		for x := range closeWidth {
			i := y*closeWidth + x
			stroke := w.low[i] >= lightGrey
			if stroke {
				ink++
			}
			if stroke && !before {
				row++
			}
			before = stroke
			if w.high[i]-w.low[i] >= otherGrey {
				changed++
			}
		}
		if y >= first && y < beyond {
			longest = max(longest, row)
		}
	}
	const all = closeWidth * closeHeight
	return float64(ink) / all, float64(changed) / all, longest
}

// stays tells whether the strokes are still there on a frame.
func (w *written) stays(frame gocv.Mat) (bool, error) {
	const light, lost = 150, 0.3 // grey value; share of the strokes
	p, err := closePatchOf(frame, w.around)
	if err != nil {
		return false, err
	}
	strokes, gone := 0, 0
	for i, v := range p {
		if w.low[i] > light {
			strokes++
			if v < light {
				gone++
			}
		}
	}
	return float64(gone) <= lost*float64(strokes), nil
}

// mostWritten bounds the places where a camera writes.
const mostWritten = 8

// learn notes that the camera writes at a place.
func (m *Memory) learn(w written) {
	if len(m.written) == mostWritten {
		m.written = append(m.written[:0], m.written[1:]...)
	}
	m.written = append(m.written, w)
}

// isWritten tells whether a candidate is the camera's own text. What is no longer there
// is forgotten.
func (v *view) isWritten(c find.Candidate) (bool, error) {
	if v == nil {
		return false, nil
	}
	const covered = 0.6
	box := v.boxOf(c).Rect(image.Rect(0, 0, v.frame.Cols(), v.frame.Rows()))
	for i := range v.memory.written {
		w := &v.memory.written[i]
		if inside := box.Intersect(w.around); inside.Empty() || float64(inside.Dx()*inside.Dy()) < covered*float64(box.Dx()*box.Dy()) {
			continue
		}
		stays, err := w.stays(v.frame)
		if err != nil {
			return false, err
		}
		if stays {
			return true, nil
		}
		v.memory.written = append(v.memory.written[:i], v.memory.written[i+1:]...)
		return false, nil
	}
	return false, nil
}
