// Package observe follows the vehicles in front of one camera: it searches for
// plates where something moves, reads them, and votes over the frames. The
// daemon, `platewatch read` and `platewatch bench` use the same code.
//
//	picture → motion gate → where to look → plates → passages
package observe

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"iter"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/motion"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/ocr"
	"platewatch/ocr/passage"
)

// Params of an observer.
type Params struct {
	Passage passage.Params `toml:"-"`
	// Area is the part of the picture to search. Plates with their centre outside
	// are dropped.
	Area motion.Area `toml:",inline"`
	// MinHeight and MaxHeight bound the height of the characters in pixels; 0 is
	// no bound.
	MinHeight float64 `toml:"min_character_height"`
	MaxHeight float64 `toml:"max_character_height"`
	// Gate limits the search to places where something moved or a plate is
	// expected; every FullLook the whole area is searched. Without Gate every
	// frame is searched completely.
	Gate     bool          `toml:"motion"`
	FullLook time.Duration `toml:"full_look"`
}

// DefaultParams search where something moves, and the whole area every five
// seconds.
func DefaultParams() Params {
	return Params{Passage: passage.DefaultParams(), Gate: true, FullLook: 5 * time.Second}
}

// maxHeight bounds the height of characters, in pixels.
const maxHeight = 1000

// Problems yields the settings that cannot be used, by their keys. The passages'
// own settings are checked where they are used.
func (p Params) Problems() iter.Seq2[string, error] {
	order := error(nil)
	if p.MaxHeight > 0 && p.MinHeight > p.MaxHeight {
		order = setting.Problemf("write the smaller one here", "= %g is more than max_character_height = %g", p.MinHeight, p.MaxHeight)
	}
	return func(yield func(string, error) bool) {
		for key, err := range p.Area.Problems() {
			if !yield(key, err) {
				return
			}
		}
		setting.Failed(
			setting.Check{Key: "min_character_height", Err: cmp.Or(setting.Number(p.MinHeight, 0, maxHeight, "pixels"), order)},
			setting.Check{Key: "max_character_height", Err: setting.Number(p.MaxHeight, 0, maxHeight, "pixels")},
			setting.Check{Key: "full_look", Err: setting.Duration(p.FullLook, 500*time.Millisecond, time.Hour)},
		)(yield)
	}
}

// Extent is the part of a frame that was searched.
type Extent int

// The extents.
const (
	Nothing Extent = iota // nothing moved
	Parts                 // the places where something moved or a plate was expected
	Whole                 // the whole area
)

// FrameResult is the result of one frame.
type FrameResult struct {
	Extent           Extent
	Plates           []ocr.Plate // in pixels of the frame
	Unread           []ocr.Plate // places that look like a plate and were not read: without text
	Moved            []image.Rectangle
	Updates          []passage.Update
	Undescribed      error         // why a vehicle's issuer and colour are not known; the rest of the result stands
	Gate, Find, Read time.Duration // time spent on motion, finding and reading
}

// Turn waits until the observer may search a frame, where several observers
// share the cores. done releases the turn.
type Turn func(context.Context) (done func(), err error)

// Observer observes one camera. It is not safe for concurrent use.
type Observer struct {
	p          Params
	recogniser *ocr.Recogniser
	tracker    *passage.Tracker
	gate       *motion.Gate
	grey       gocv.Mat
	memory     ocr.Memory
	whole      time.Duration // time of the last search of the whole area
	began      bool
	stationary func(image.Rectangle) bool // nothing moved there; nil without a gate
}

// New makes an observer. Close it after use; the caller keeps the recogniser.
func New(r *ocr.Recogniser, p Params) (*Observer, error) {
	for key, err := range p.Problems() {
		return nil, fmt.Errorf("%s %w", key, err)
	}
	tracker, err := passage.NewTracker(p.Passage, 1)
	if err != nil {
		return nil, err
	}
	o := &Observer{tracker: tracker, grey: gocv.NewMat()}
	o.use(r, p)
	return o, nil
}

// use takes recogniser and settings over, and forgets what was seen with others.
func (o *Observer) use(r *ocr.Recogniser, p Params) {
	o.p, o.recogniser, o.memory, o.gate, o.began, o.stationary = p, r, ocr.Memory{}, motion.NewGate(p.Area), false, nil
	if p.Gate {
		o.stationary = func(place image.Rectangle) bool { return !o.gate.Moved(place) }
	}
}

// Change replaces recogniser and settings between two frames; open passages go on.
// Settings that cannot be used change nothing.
func (o *Observer) Change(r *ocr.Recogniser, p Params) error {
	for key, err := range p.Problems() {
		return fmt.Errorf("%s %w", key, err)
	}
	if err := o.tracker.Change(p.Passage); err != nil {
		return err
	}
	o.use(r, p)
	return nil
}

// Close frees the observer's picture.
func (o *Observer) Close() error { return o.grey.Close() }

// Observe processes the next frame (8 bit, BGR or grey, upright). at is its time
// since any fixed moment, and never goes back. The caller keeps the picture. turn
// may be nil.
func (o *Observer) Observe(ctx context.Context, picture gocv.Mat, at time.Duration, turn Turn) (FrameResult, error) {
	var r FrameResult
	begin := time.Now()
	places, err := o.places(picture, at, &r)
	r.Gate = time.Since(begin)
	if err != nil {
		return r, err
	}
	if len(places) > 0 {
		if turn != nil {
			done, err := turn(ctx)
			if err != nil {
				return r, err
			}
			defer done()
		}
		if err := o.look(ctx, picture, places, at, &r); err != nil {
			return r, err
		}
	}
	observations := make([]passage.Observation, len(r.Plates))
	for i, p := range r.Plates {
		observations[i] = p.Observation()
	}
	r.Updates = o.tracker.Observe(at, observations, o.stationary)
	r.Undescribed = o.describe(ctx, picture, &r)
	return r, nil
}

// describe looks at what is beside the numbers of the passages that this frame
// shows best.
func (o *Observer) describe(ctx context.Context, picture gocv.Mat, r *FrameResult) error {
	begin := time.Now()
	for i := range r.Updates {
		u := &r.Updates[i]
		if u.Plate < 0 || !o.tracker.Describes(u) {
			continue
		}
		seen, err := o.recogniser.Describe(ctx, picture, r.Plates[u.Plate], u.Passage.Vehicle)
		if err != nil {
			return err
		}
		u.Passage.Vehicle = o.tracker.See(u.Passage.Number, seen)
		r.Read += time.Since(begin)
		begin = time.Now()
	}
	return nil
}

// Idle advances the time without a frame, so that passages end.
func (o *Observer) Idle(at time.Duration) []passage.Update { return o.tracker.Observe(at, nil, nil) }

// Flush ends all passages, at the end of the stream.
func (o *Observer) Flush() []passage.Update { return o.tracker.Flush() }

// wholeShare: above this share of the area, one full search is cheaper than
// several crops.
const wholeShare = 0.6

// places returns the places to search and sets the extent.
func (o *Observer) places(picture gocv.Mat, at time.Duration, r *FrameResult) ([]image.Rectangle, error) {
	bounds := o.p.Area.Bounds(image.Pt(picture.Cols(), picture.Rows()))
	r.Extent = Whole
	if !o.p.Gate {
		return []image.Rectangle{bounds}, nil
	}
	moved, err := o.gate.Watch(picture, at)
	if err != nil {
		return nil, err
	}
	r.Moved = moved
	if !o.began || at-o.whole >= o.p.FullLook {
		o.began, o.whole = true, at
		return []image.Rectangle{bounds}, nil
	}
	places := append([]image.Rectangle{}, moved...)
	places = append(places, o.tracker.Expected(at)...)
	const most = 4
	places = motion.Join(widened(places, bounds), most)
	area := 0
	for _, p := range places {
		area += p.Dx() * p.Dy()
	}
	switch {
	case len(places) == 0:
		r.Extent = Nothing
	case float64(area) >= wholeShare*float64(bounds.Dx()*bounds.Dy()):
		o.whole = at
		return []image.Rectangle{bounds}, nil
	default:
		r.Extent = Parts
	}
	return places, nil
}

// leastPlace is the smallest place to search, in pixels: the finder ranks
// candidates by their surroundings.
var leastPlace = image.Pt(256, 144)

// widened enlarges places to at least leastPlace, clips them to bounds, and drops
// empty ones.
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

// look finds and reads plates at the places.
func (o *Observer) look(ctx context.Context, picture gocv.Mat, places []image.Rectangle, at time.Duration, r *FrameResult) error {
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
		r.Find, r.Read = r.Find+res.Find, r.Read+res.Read
		for _, p := range res.Unread {
			if o.p.Area.Contains(middleOf(p.Box), size) && !cutOff(p, place, bounds) {
				r.Unread = append(r.Unread, p)
			}
		}
		for _, p := range res.Plates {
			if len(o.p.Area.Include)+len(o.p.Area.Exclude) > 0 {
				p = p.Within(func(at image.Point) bool { return o.p.Area.Contains(at, size) })
			}
			if o.wants(p, size) && !cutOff(p, place, bounds) {
				r.Plates = append(r.Plates, p)
			}
		}
	}
	return nil
}

// wants tells whether a plate has a size and a place within the settings.
func (o *Observer) wants(p ocr.Plate, size image.Point) bool {
	return p.Height >= o.p.MinHeight && (o.p.MaxHeight == 0 || p.Height <= o.p.MaxHeight) && o.p.Area.Contains(middleOf(p.Box), size)
}

func middleOf(r image.Rectangle) image.Point {
	return image.Pt((r.Min.X+r.Max.X)/2, (r.Min.Y+r.Max.Y)/2)
}

// cutOff tells whether a plate touches an edge of the searched place that is not
// an edge of the area: part of the plate may lie beyond.
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
