package ocr

import (
	"context"
	"image"
	"slices"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/internal/shape"
	"platewatch/ocr/rectify"
	"platewatch/ocr/text"
)

// Memory is a cache of recent readings of one fixed camera. A place that was
// read often enough and has not changed since, such as a sign, the camera's own
// clock or a parked car, is not read again for one to four seconds: reading it costs as
// much as reading the vehicle that goes by. A place that moves is followed, and read
// a few times a second (follow.go). A Memory is not safe for concurrent use. The zero
// value is empty.
type Memory struct {
	places  []remembered
	moves   []followed // places that are followed while they move
	written []written  // where the camera writes into its pictures
}

// remembered is a place that was read.
type remembered struct {
	box      find.Box        // of the candidate, pixels of the frame
	around   image.Rectangle // the box with a margin, which is compared
	patch    patch           // of around, at the first of the reads
	contrast float64         // of patch
	reading  JudgedPlate     // the most confident one, in pixels of the frame
	verdict  Verdict         // on that reading
	least    float64         // the smallest with which it was read, see [Recogniser.readOne]
	reads    int             // since it changed
	read     time.Duration   // when it was last read
	seen     time.Duration   // when it was last read or recalled
	written  written         // whether the camera writes there
}

const (
	// readsEnough is how often an unchanged place is read before its reading is
	// recalled: sensor noise makes three readings of one plate differ, and a
	// passage becomes sure with two.
	readsEnough = 3
	// readAgain is how long a reading is recalled before it is read anew; with every
	// readsEnough further reads that saw no change twice as long, up to readLatest.
	readAgain, readLatest = time.Second, 4 * time.Second
	// mostRemembered bounds the places. The one unseen for the longest time is
	// evicted.
	mostRemembered = 48
	// sameBox is the overlap from which two candidates are the same place: they
	// may differ by one character at the end of a short plate.
	sameBox = 0.7
)

// Follow is [Recogniser.Recognise] for the frames of a camera: it searches a
// place of a frame (8 bit, grey, upright; it stays the caller's). at is the
// frame's position, which must not go back. Readings that m recalls, because
// their place has not changed or is followed, are marked [Plate.Again]. A place is never taken
// for a close-up. The result is in pixels of the frame, and without its
// attempts.
func (r *Recogniser) Follow(ctx context.Context, frame gocv.Mat, place image.Rectangle, at time.Duration, m *Memory) (Result, error) {
	part := frame.Region(place)
	defer part.Close()
	res, err := r.recognise(ctx, part, nil, &view{memory: m, frame: frame, place: place, at: at})
	for _, a := range res.Attempts {
		if a.looksLikePlate() {
			p := a.Reading.shifted(place.Min)
			p.Reading = text.Reading{}
			res.Unread = append(res.Unread, p)
		}
	}
	res.Attempts = nil
	for i, p := range res.Plates {
		res.Plates[i] = p.shifted(place.Min)
	}
	return res, err
}

// looksLikePlate tells whether something that was not reported is probably a plate
// that was too small, too blurred or cut off: the technician who aims the camera
// needs to know.
func (a *Attempt) looksLikePlate() bool {
	const (
		likely = 0.15 // of what is below, most is lettering and fences
		short  = 4    // characters
	)
	switch a.Verdict.reason {
	case tooNarrow, hardlyPlate, hardlyRight, implausible:
		return a.Reading.OnPlate >= likely && len(a.Reading.Text) >= short && !a.Reading.Again
	}
	return false
}

// shifted moves a plate from the pixels of a part of a picture to those of the
// whole.
func (p Plate) shifted(by image.Point) Plate {
	p.Box = p.Box.Add(by)
	for i, c := range p.Corners {
		p.Corners[i] = rectify.Point{X: c.X + float64(by.X), Y: c.Y + float64(by.Y)}
	}
	for i, c := range p.ink {
		p.ink[i] = rectify.Point{X: c.X + float64(by.X), Y: c.Y + float64(by.Y)}
	}
	return p
}

// view is a place of a frame, with the memory of the frames before. The methods
// do nothing on a nil view, for single pictures.
type view struct {
	memory *Memory
	frame  gocv.Mat
	place  image.Rectangle
	at     time.Duration
}

// frameIn is the frame in pixels of the place; the picture itself without a view.
func (v *view) frameIn(picture image.Rectangle) image.Rectangle {
	if v == nil {
		return picture
	}
	return image.Rect(0, 0, v.frame.Cols(), v.frame.Rows()).Sub(v.place.Min)
}

// recall gives an attempt its earlier reading and verdict, if its place was read
// often enough and recently, and has not changed, or moves and is followed.
func (v *view) recall(a *Attempt, d demand) (bool, error) {
	if v == nil {
		return false, nil
	}
	p := v.memory.at(v.boxOf(a.Candidate))
	if p == nil || p.reads < readsEnough || v.at-p.read >= p.again() || p.least > d.least {
		return v.recallMoving(a, d), nil
	}
	if same, err := p.unchanged(v.frame); err != nil {
		return false, err
	} else if !same {
		return v.recallMoving(a, d), nil
	}
	p.seen = v.at
	v.standing(a.Candidate, d.margin)
	a.readAgain(p.reading, p.verdict, p.reading.shifted(image.Point{}.Sub(v.place.Min)))
	return true, nil
}

// readAgain gives an attempt an earlier reading and verdict, with the plate where it is
// now.
func (a *Attempt) readAgain(earlier JudgedPlate, verdict Verdict, now Plate) {
	a.Reading, a.Verdict = earlier, verdict
	a.Reading.Plate = now
	a.Reading.Again = true
}

// note remembers an attempt's reading and verdict; nothing tells that it would not be
// reported.
func (v *view) note(a Attempt, d demand, nothing bool) error {
	if v == nil {
		return nil
	}
	box := v.boxOf(a.Candidate)
	whole := image.Rect(0, 0, v.frame.Cols(), v.frame.Rows())
	around := box.Rect(whole).Inset(-int(a.Candidate.Line.Height)).Intersect(whole)
	if !around.In(v.place) || around.Empty() { // the text may be cut off
		return nil
	}
	a.Reading.Plate = a.Reading.shifted(v.place.Min)
	v.noteMoving(a, box, d, nothing)
	p := v.memory.at(box)
	if p != nil {
		same, err := p.unchanged(v.frame)
		if err != nil {
			return err
		}
		if same {
			p.reads, p.read, p.seen, p.least = p.reads+1, v.at, v.at, min(p.least, d.least)
			if a.Reading.Confidence > p.reading.Confidence {
				p.reading, p.verdict = a.Reading, a.Verdict
			}
			return nil
		}
	} else {
		p = v.memory.slot()
	}
	now, err := patchOf(v.frame, around)
	if err != nil {
		return err
	}
	w := p.written
	if err := w.add(v.frame, around, v.at); err != nil {
		return err
	}
	if w.certain() {
		v.memory.learn(w)
		w = written{}
	}
	*p = remembered{box: box, around: around, patch: now, contrast: now.contrast(), reading: a.Reading, verdict: a.Verdict, least: d.least, reads: 1, read: v.at, seen: v.at, written: w}
	return nil
}

// boxOf is a candidate's box in pixels of the frame.
func (v *view) boxOf(c find.Candidate) find.Box {
	b := c.Box
	b.X, b.Y = b.X+float64(v.place.Min.X), b.Y+float64(v.place.Min.Y)
	return b
}

// at is the remembered place of a box; nil for none.
func (m *Memory) at(box find.Box) *remembered {
	var best *remembered
	most := sameBox
	for i := range m.places {
		if share := box.Overlap(m.places[i].box); share >= most {
			best, most = &m.places[i], share
		}
	}
	return best
}

// slot is where another place can be remembered.
func (m *Memory) slot() *remembered {
	p := slotIn(&m.places, func(p *remembered) time.Duration { return p.seen })
	p.written = written{}
	return p
}

// slotIn is where a list can hold another place: a new one, or, of mostRemembered, that of
// the place unseen for the longest time.
func slotIn[T any](list *[]T, seen func(*T) time.Duration) *T {
	if len(*list) < mostRemembered {
		*list = append(*list, *new(T))
		return &(*list)[len(*list)-1]
	}
	oldest := &(*list)[0]
	for i := range *list {
		if p := &(*list)[i]; seen(p) < seen(oldest) {
			oldest = p
		}
	}
	return oldest
}

// patch is a place at a small scale.
type patch [patchWidth * patchHeight]uint8

// A patch is compared in stripes; one of eight characters is one or two stripes
// wide.
const patchWidth, patchHeight, stripe = 64, 24, 4

// patchOf is the patch of a place of a grey frame.
func patchOf(frame gocv.Mat, place image.Rectangle) (p patch, err error) {
	err = shrink(frame, place, image.Pt(patchWidth, patchHeight), p[:])
	return p, err
}

// shrink writes the pixels of a place of a grey frame into out, at another size.
func shrink(frame gocv.Mat, place image.Rectangle, size image.Point, out []uint8) error {
	part := frame.Region(place)
	defer part.Close()
	small := gocv.NewMat()
	defer small.Close()
	gocv.Resize(part, &small, size, 0, 0, gocv.InterpolationArea)
	plane, err := shape.PlaneOf(small)
	copy(out, plane.Pix)
	return err
}

// contrast is the spread of the grey levels without the outermost twentieths.
func (p *patch) contrast() float64 {
	sorted := slices.Sorted(slices.Values(p[:]))
	n := len(sorted)
	return float64(sorted[n-1-n/20]) - float64(sorted[n/20])
}

// leastChange is the mean square difference in a stripe, as a share of the
// squared contrast, from which the place has changed. On rendered plates of 75
// to 172 pixels an 8 that becomes a 9 gives 0.0046 and more, and noise of four
// grey levels 0.0003 and less. In poor light noise may exceed it, and then the
// place is read anew.
const leastChange = 0.003

// again is how long the place's reading is recalled.
func (p *remembered) again() time.Duration {
	return min(readLatest, readAgain<<min(p.reads/readsEnough-1, 2))
}

// unchanged tells whether the place looks the same on a frame.
func (p *remembered) unchanged(frame gocv.Mat) (bool, error) {
	now, err := patchOf(frame, p.around)
	return err == nil && p.patch.like(now, p.contrast), err
}

// like tells whether another patch of the place shows the same; contrast is that
// of p.
func (p *patch) like(o patch, contrast float64) bool {
	most := leastChange * contrast * contrast * stripe * patchHeight
	for x0 := 0; x0 < patchWidth; x0 += stripe {
		sum := 0
		for y := range patchHeight {
			row := y*patchWidth + x0
			for x := row; x < row+stripe; x++ {
				d := int(p[x]) - int(o[x])
				sum += d * d
			}
		}
		if float64(sum) > most {
			return false
		}
	}
	return true
}
