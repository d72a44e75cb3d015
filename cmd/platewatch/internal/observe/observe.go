// Package observe follows the vehicles before one camera: it looks for plates
// where something moves, reads them, and votes over the frames. The daemon,
// `platewatch read` and `platewatch bench` observe with the same code.
//
//	picture → motion gate → where to look → plates → passages
package observe

import (
	"context"
	"fmt"
	"image"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/motion"
	"platewatch/ocr"
	"platewatch/ocr/passage"
)

// Params of an observer.
type Params struct {
	Passage passage.Params
	// Area is the part of the picture that matters. Plates whose middle lies
	// outside are dropped.
	Area motion.Area
	// MinHeight and MaxHeight bound the height of the characters in pixels;
	// 0: whatever can be read.
	MinHeight, MaxHeight float64
	// Gate looks only where something moved, or a plate is expected, and
	// everywhere each FullLook. Without it every frame is looked at everywhere.
	Gate     bool
	FullLook time.Duration
}

// DefaultParams look where something moves, and everywhere each five seconds.
func DefaultParams() Params {
	return Params{Passage: passage.DefaultParams(), Gate: true, FullLook: 5 * time.Second}
}

// Validate reports the first setting that makes no sense.
func (p Params) Validate() error {
	switch {
	case p.MinHeight < 0 || p.MaxHeight < 0 || p.MaxHeight > 0 && p.MinHeight > p.MaxHeight:
		return fmt.Errorf("character heights of %g to %g pixels: the smaller first, 0 for no bound", p.MinHeight, p.MaxHeight)
	case p.Gate && p.FullLook <= 0:
		return fmt.Errorf("a full look each %v: it must be positive", p.FullLook)
	}
	if err := p.Area.Validate(); err != nil {
		return err
	}
	return p.Passage.Validate()
}

// Extent is how much of a frame was looked at.
type Extent int

// The extents.
const (
	Nothing Extent = iota // nothing moved
	Parts                 // the places where something moved or a plate was expected
	Whole                 // the whole area
)

// Sight is what a frame gave.
type Sight struct {
	Extent  Extent
	Plates  []ocr.Plate // in pixels of the frame
	Updates []passage.Update
	// What the gate, finding and reading took.
	Gate, Find, Read time.Duration
}

// Turn waits until the observer may work on a frame that it wants to look at,
// where several observers share the cores. done ends the turn.
type Turn func(context.Context) (done func(), err error)

// Observer observes one camera. It has one user at a time.
type Observer struct {
	p          Params
	recogniser *ocr.Recogniser
	tracker    *passage.Tracker
	gate       *motion.Gate
	grey       gocv.Mat
	memory     ocr.Memory
	whole      time.Duration // when the whole area was last looked at
	began      bool
	still      func(image.Rectangle) bool // nil without a gate
}

// New makes an observer. Close it after use; the recogniser stays the caller's.
func New(r *ocr.Recogniser, p Params) (*Observer, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	tracker, err := passage.NewTracker(p.Passage, 1)
	if err != nil {
		return nil, err
	}
	o := &Observer{p: p, recogniser: r, tracker: tracker, gate: motion.NewGate(p.Area), grey: gocv.NewMat()}
	if p.Gate {
		o.still = func(place image.Rectangle) bool { return !o.gate.Moved(place) }
	}
	return o, nil
}

// Close frees the observer's picture.
func (o *Observer) Close() error { return o.grey.Close() }

// Observe takes the next frame (8 bit, BGR, upright) at a position that does
// not go back. The picture stays the caller's. turn may be nil.
func (o *Observer) Observe(ctx context.Context, picture gocv.Mat, at time.Duration, turn Turn) (Sight, error) {
	var s Sight
	begin := time.Now()
	places, err := o.places(picture, at, &s)
	s.Gate = time.Since(begin)
	if err != nil {
		return s, err
	}
	if len(places) > 0 {
		if turn != nil {
			done, err := turn(ctx)
			if err != nil {
				return s, err
			}
			defer done()
		}
		if err := o.look(ctx, picture, places, at, &s); err != nil {
			return s, err
		}
	}
	s.Updates = o.tracker.Observe(at, s.Plates, o.still)
	return s, nil
}

// Idle tells the observer the time when there is no frame: passages end.
func (o *Observer) Idle(at time.Duration) []passage.Update { return o.tracker.Observe(at, nil, nil) }

// Flush ends every passage: no frame comes any more.
func (o *Observer) Flush() []passage.Update { return o.tracker.Flush() }

// wholeShare is the share of the area from which single places cost as much as
// all of it.
const wholeShare = 0.6

// places says where to look.
func (o *Observer) places(picture gocv.Mat, at time.Duration, s *Sight) ([]image.Rectangle, error) {
	bounds := o.p.Area.Bounds(image.Pt(picture.Cols(), picture.Rows()))
	s.Extent = Whole
	if !o.p.Gate {
		return []image.Rectangle{bounds}, nil
	}
	moved, err := o.gate.Watch(picture, at)
	if err != nil {
		return nil, err
	}
	if !o.began || at-o.whole >= o.p.FullLook {
		o.began, o.whole = true, at
		return []image.Rectangle{bounds}, nil
	}
	places := append([]image.Rectangle{}, moved...)
	places = append(places, o.tracker.Wanted(at)...)
	const most = 4
	places = motion.Join(widened(places, bounds), most)
	area := 0
	for _, p := range places {
		area += p.Dx() * p.Dy()
	}
	switch {
	case len(places) == 0:
		s.Extent = Nothing
	case float64(area) >= wholeShare*float64(bounds.Dx()*bounds.Dy()):
		o.whole = at
		return []image.Rectangle{bounds}, nil
	default:
		s.Extent = Parts
	}
	return places, nil
}

// leastPlace is the least size of a place to look at, in pixels: finding ranks
// what it sees by its surroundings.
var leastPlace = image.Pt(256, 144)

// widened are the places within bounds, none smaller than leastPlace, none
// empty.
func widened(places []image.Rectangle, bounds image.Rectangle) []image.Rectangle {
	out := places[:0]
	for _, p := range places {
		p = p.Inset(-max(0, (leastPlace.X-p.Dx()+1)/2, (leastPlace.Y-p.Dy()+1)/2)).Intersect(bounds)
		if !p.Empty() {
			out = append(out, p)
		}
	}
	return out
}

// look finds and reads at the places.
func (o *Observer) look(ctx context.Context, picture gocv.Mat, places []image.Rectangle, at time.Duration, s *Sight) error {
	if picture.Channels() == 3 {
		gocv.CvtColor(picture, &o.grey, gocv.ColorBGRToGray)
	} else {
		picture.CopyTo(&o.grey)
	}
	o.p.Area.Blank(&o.grey)
	size := image.Pt(picture.Cols(), picture.Rows())
	bounds := o.p.Area.Bounds(size)
	for _, place := range places {
		res, err := o.recogniser.Follow(ctx, o.grey, place, at, &o.memory)
		if err != nil {
			return err
		}
		s.Find, s.Read = s.Find+res.Find, s.Read+res.Read
		for _, p := range res.Plates {
			if o.wants(p, size) && !cutOff(p, place, bounds) {
				s.Plates = append(s.Plates, p)
			}
		}
	}
	return nil
}

// wants tells whether a plate is of a size and at a place that matter.
func (o *Observer) wants(p ocr.Plate, size image.Point) bool {
	middle := image.Pt((p.Box.Min.X+p.Box.Max.X)/2, (p.Box.Min.Y+p.Box.Max.Y)/2)
	return p.Height >= o.p.MinHeight && (o.p.MaxHeight == 0 || p.Height <= o.p.MaxHeight) && o.p.Area.Contains(middle, size)
}

// cutOff tells whether a plate reaches the edge of the place that was looked
// at where the picture goes on: then some of it may lie beyond.
func cutOff(p ocr.Plate, place, bounds image.Rectangle) bool {
	margin := int(p.Height / 2)
	inner := place.Inset(margin)
	for _, e := range []struct{ inside, atEdge bool }{
		{p.Box.Min.X >= inner.Min.X, place.Min.X == bounds.Min.X},
		{p.Box.Max.X <= inner.Max.X, place.Max.X == bounds.Max.X},
	} {
		if !e.inside && !e.atEdge {
			return true
		}
	}
	return false
}
