package passage

import (
	"fmt"
	"image"
	"math"
	"time"

	"platewatch/ocr"
)

// Direction is where a vehicle goes, as the camera sees it.
type Direction int

const (
	Unknown Direction = iota // too little was seen of its way
	Towards                  // it comes nearer
	Away                     // it drives off
	Left                     // across the picture
	Right
)

// Directions is how many there are.
const Directions = len(directions)

var directions = [...]string{"unknown", "towards", "away", "left", "right"}

func (d Direction) String() string {
	if d >= 0 && int(d) < len(directions) {
		return directions[d]
	}
	return fmt.Sprintf("direction %d", int(d))
}

const (
	// grownBy is the change of the characters' height, as its logarithm, from
	// which a vehicle comes or goes: an eighth. Readings of one still plate
	// differ by a twentieth.
	grownBy = 0.12
	// crossedBy is how many widths of itself a plate moves sideways when its
	// vehicle crosses the picture without coming or going.
	crossedBy = 1.5
	// A vehicle that comes or goes in a lane ten metres beside the camera moves
	// sideways by 2·10 of its plate's widths, of half a metre, in the time in
	// which it grows or shrinks by e: one that crosses grows less.
	growsCrossing = 1.0 / 20
	// A place and a size are another view of a plate when they differ by these
	// shares of its width and height: what misled the reader in the one view, a
	// shadow, a reflection, may not in the other.
	viewMoved, viewGrown = 0.4, 0.12
)

// point is a place in the picture, in pixels.
type point struct{ x, y float64 }

func middle(r image.Rectangle) point {
	return point{float64(r.Min.X+r.Max.X) / 2, float64(r.Min.Y+r.Max.Y) / 2}
}

// way is how a plate moved through the picture so far.
type way struct {
	box      image.Rectangle
	height   float64 // of the characters, pixels
	at       time.Duration
	velocity point // pixels a second, smoothed
	steps    int   // that the velocity was taken from

	began point           // where it was first seen
	width float64         // of the plate, pixels
	since time.Duration   // it has not left its place since then
	rest  image.Rectangle // that place

	view         point // of the present view
	viewHeight   float64
	views        int
	n            float64 // sums of the regression of log height over seconds
	t, y, tt, ty float64
	first        time.Duration
}

// take notes where the plate is now.
func (w *way) take(p ocr.Plate, at time.Duration) {
	now := middle(p.Box)
	width := float64(max(p.Box.Dx(), 1))
	height := max(p.Height, 1)
	if w.views == 0 {
		*w = way{first: at, began: now, since: at, rest: p.Box, view: now, viewHeight: height, views: 1}
	} else {
		if dt := (at - w.at).Seconds(); dt > 0 {
			before := middle(w.box)
			v := point{(now.x - before.x) / dt, (now.y - before.y) / dt}
			keep := 0.5
			if w.steps == 0 {
				keep = 0
			}
			w.velocity = point{keep*w.velocity.x + (1-keep)*v.x, keep*w.velocity.y + (1-keep)*v.y}
			w.steps++
		}
		if apart(now, w.view) > viewMoved*width || math.Abs(math.Log(height/w.viewHeight)) > viewGrown {
			w.view, w.viewHeight = now, height
			w.views++
		}
		if shift(w.rest, p.Box) > viewMoved*width {
			w.rest, w.since = p.Box, at
		}
	}
	w.box, w.height, w.at, w.width = p.Box, height, at, width
	t, y := (at - w.first).Seconds(), math.Log(height)
	w.n, w.t, w.y, w.tt, w.ty = w.n+1, w.t+t, w.y+y, w.tt+t*t, w.ty+t*y
}

// moved tells whether the plate was seen to leave its place.
func (w *way) moved() bool { return w.since > w.first || math.Abs(w.growth()) > grownBy }

// expected is where the middle of the plate should be at a time. A course is
// kept for a second at most: then the vehicle has turned, stopped or gone.
func (w *way) expected(at time.Duration) point {
	m := middle(w.box)
	dt := min(max((at-w.at).Seconds(), 0), 1)
	return point{m.x + w.velocity.x*dt, m.y + w.velocity.y*dt}
}

// against tells whether a step to p would go back where the plate came from.
func (w *way) against(p point) bool {
	if w.steps < 2 {
		return false
	}
	m := middle(w.box)
	step := point{p.x - m.x, p.y - m.y}
	along := step.x*w.velocity.x + step.y*w.velocity.y
	const slow = 0.3 // widths a second: that is standing
	return math.Hypot(w.velocity.x, w.velocity.y) > slow*w.width && along < 0 && math.Hypot(step.x, step.y) > w.width
}

// growthFrames is the number of frames from which growth is known: the heights
// of two differ too much by chance.
const growthFrames = 3

// growth is the change of the characters' logarithmic height over the passage;
// 0 on fewer than growthFrames.
func (w *way) growth() float64 {
	d := w.n*w.tt - w.t*w.t
	if w.n < growthFrames || d <= 1e-9 {
		return 0
	}
	return (w.n*w.ty - w.t*w.y) / d * (w.at - w.first).Seconds()
}

func (w *way) direction() Direction {
	across := (middle(w.box).x - w.began.x) / max(w.width, 1)
	g := w.growth()
	// A vehicle crosses when it is known not to grow. Without that, two frames of
	// one that comes or goes would do.
	crosses := w.n >= growthFrames && math.Abs(across) > crossedBy && math.Abs(g) < growsCrossing*math.Abs(across)
	switch {
	case g > grownBy:
		return Towards
	case g < -grownBy:
		return Away
	case crosses && across > 0:
		return Right
	case crosses:
		return Left
	}
	return Unknown
}

// shift is how far a plate went from one box to another, in pixels. Of what
// stands still now all is read and now a part, a clock's date with its time and
// without: then one of its ends stays, and it went nowhere.
func shift(a, b image.Rectangle) float64 {
	along := func(from, to int) float64 {
		if (from > 0) != (to > 0) {
			return 0
		}
		return float64(min(max(from, -from), max(to, -to)))
	}
	return math.Hypot(along(b.Min.X-a.Min.X, b.Max.X-a.Max.X), along(b.Min.Y-a.Min.Y, b.Max.Y-a.Max.Y))
}

func apart(a, b point) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }

// speed is how fast the plate moves, in widths of itself a second.
func (w *way) speed() float64 { return math.Hypot(w.velocity.x, w.velocity.y) / max(w.width, 1) }
