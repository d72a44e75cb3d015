package passage

import (
	"fmt"
	"image"
	"math"
	"time"
)

// Direction is where a vehicle drives, as the camera sees it.
type Direction int

const (
	Unknown Direction = iota // it has not moved far enough to tell
	Towards                  // it approaches the camera
	Away                     // it moves away from the camera
	Left                     // it crosses the picture to the left
	Right
)

// Directions is the number of directions.
const Directions = len(directions)

var directions = [...]string{"unknown", "towards", "away", "left", "right"}

func (d Direction) String() string {
	if d >= 0 && int(d) < len(directions) {
		return directions[d]
	}
	return fmt.Sprintf("direction %d", int(d))
}

const (
	// grownBy is the change in the logarithm of the characters' height from
	// which a vehicle approaches or moves away: an eighth of the height.
	// Readings of one stationary plate differ by a twentieth.
	grownBy = 0.12
	// crossedBy is how many of its widths a plate moves sideways when its
	// vehicle crosses the picture without approaching or moving away.
	crossedBy = 1.5
	// growsCrossing bounds the growth of a crossing vehicle per width that it
	// moves sideways. A vehicle that approaches in a lane ten metres beside the
	// camera moves sideways by 2·10 widths of its plate, half a metre each,
	// while it grows by a factor of e; a crossing one grows less.
	growsCrossing = 1.0 / 20
	// A plate is seen in another view when its place and size differ by these
	// shares of its width and height: a shadow or reflection that misleads the
	// reader in one view may not do so in the other.
	viewMoved, viewGrown = 0.4, 0.12
)

// point is a place in the picture, in pixels.
type point struct{ x, y float64 }

func middle(r image.Rectangle) point {
	return point{float64(r.Min.X+r.Max.X) / 2, float64(r.Min.Y+r.Max.Y) / 2}
}

// trajectory is how a plate has moved through the picture so far.
type trajectory struct {
	box      image.Rectangle
	height   float64 // of the characters, pixels
	at       time.Duration
	velocity point // pixels a second, smoothed
	steps    int   // the number of steps in it

	began point           // where it was first seen
	width float64         // of the plate, pixels
	since time.Duration   // when it was last seen to move
	rest  image.Rectangle // where it has been since

	view         point // middle of the plate at the start of the current view
	viewHeight   float64
	views        int
	n            float64 // sums of the regression of log height over seconds
	t, y, tt, ty float64
	first        time.Duration
}

// add records where the plate is now.
func (w *trajectory) add(p Observation, at time.Duration) {
	now := middle(p.Box)
	width := float64(max(p.Box.Dx(), 1))
	height := max(p.Height, 1)
	if w.views == 0 {
		*w = trajectory{first: at, began: now, since: at, rest: p.Box, view: now, viewHeight: height, views: 1}
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

// moved tells whether the plate was seen to move.
func (w *trajectory) moved() bool { return w.since > w.first || math.Abs(w.growth()) > grownBy }

// expected is where the middle of the plate should be at a time. The velocity
// is extrapolated for at most a second: by then the vehicle may have turned,
// stopped or left.
func (w *trajectory) expected(at time.Duration) point {
	m := middle(w.box)
	dt := min(max((at-w.at).Seconds(), 0), 1)
	return point{m.x + w.velocity.x*dt, m.y + w.velocity.y*dt}
}

// against tells whether p lies back where the plate came from.
func (w *trajectory) against(p point) bool {
	if w.steps < 2 {
		return false
	}
	m := middle(w.box)
	step := point{p.x - m.x, p.y - m.y}
	along := step.x*w.velocity.x + step.y*w.velocity.y
	const slow = 0.3 // widths a second: slower counts as stationary
	return math.Hypot(w.velocity.x, w.velocity.y) > slow*w.width && along < 0 && math.Hypot(step.x, step.y) > w.width
}

// growthFrames is the number of frames from which growth is known: the heights
// of two differ too much by chance.
const growthFrames = 3

// growth is the change in the logarithm of the characters' height over the
// passage, by linear regression; 0 on fewer than growthFrames.
func (w *trajectory) growth() float64 {
	d := w.n*w.tt - w.t*w.t
	if w.n < growthFrames || d <= 1e-9 {
		return 0
	}
	return (w.n*w.ty - w.t*w.y) / d * (w.at - w.first).Seconds()
}

func (w *trajectory) direction() Direction {
	across := (middle(w.box).x - w.began.x) / max(w.width, 1)
	g := w.growth()
	// A vehicle crosses when it is known not to grow. Without that, two frames of
	// one that approaches or moves away would do.
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

// shift is how far a plate moved from one box to another, in pixels. Of a
// stationary text sometimes all is read and sometimes only a part, such as a
// clock's date with and without its time: then one of its ends stays where it
// was, and the shift is 0.
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
func (w *trajectory) speed() float64 { return math.Hypot(w.velocity.x, w.velocity.y) / max(w.width, 1) }
