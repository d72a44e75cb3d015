package render

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"platewatch/ocr/render/sensor"
)

// Closeup is a picture of plates alone, as a detector or a person with a
// telephone crops them, with a known camera.
type Closeup struct {
	Plates []Mounted
	// Width is how many pixels the first plate would be wide, seen face on.
	Width float64
	// Distance is that from the lens to the middle of the first plate, in
	// metres; 0 means 6. The nearer, the stronger the perspective.
	Distance float64
	// Yaw and Pitch are where the camera stands: degrees to the right of and
	// above the plate's axis. Roll turns the camera clockwise.
	Yaw, Pitch, Roll float64
	// Margin is how much is to be seen around the plates, in shares of their
	// common box's height. Negative cuts into them.
	Margin float64
	Ground color.RGBA // what the plates are mounted on
	Sensor sensor.Effects
	Seed   uint64
}

// Mounted is a plate at a place of the common plane.
type Mounted struct {
	Spec PlateSpec // Scale is ignored
	X, Y float64   // its middle, millimetres from the first one's
}

// Take draws the picture. The views are in the order of the plates; Clear says
// that all corners are in the picture.
func (c Closeup) Take() (*image.RGBA, []PlateView, error) {
	if len(c.Plates) == 0 || c.Width < 4 || c.Width > 4000 {
		return nil, nil, errors.New("render: a close-up needs a plate of 4 to 4000 pixels")
	}
	if math.Abs(c.Yaw) > 75 || math.Abs(c.Pitch) > 75 {
		return nil, nil, fmt.Errorf("render: a plate cannot be seen from %g and %g degrees", c.Yaw, c.Pitch)
	}
	distance := c.Distance
	if distance == 0 {
		distance = 6
	}
	first, ok := layouts[c.Plates[0].Spec.Layout]
	if !ok {
		return nil, nil, fmt.Errorf("render: there is no plate layout %q", c.Plates[0].Spec.Layout)
	}
	var views []PlateView
	var decals []decal
	var all []Point
	project := c.projection(first.Width, distance)
	for i, m := range c.Plates {
		l, ok := layouts[m.Spec.Layout]
		if !ok {
			return nil, nil, fmt.Errorf("render: there is no plate layout %q", m.Spec.Layout)
		}
		m.Spec.Scale = clamp(1.5*c.Width/first.Width, .3, 4)
		img, truth, err := Plate(m.Spec)
		if err != nil {
			return nil, nil, err
		}
		decals = append(decals, newDecal(img))
		v := PlateView{Passage: i, Text: truth.Text, Layout: l.Name}
		for k, s := range [4]Point{{-.5, -.5}, {.5, -.5}, {.5, .5}, {-.5, .5}} {
			v.Corners[k] = project(Point{m.X + s.X*l.Width, m.Y + s.Y*l.Height})
		}
		all = append(all, v.Corners[:]...)
		for _, r := range truth.Rows() {
			at := func(x, y float64) Point {
				k := m.Spec.Scale
				return project(Point{m.X + x/k - l.Width/2, m.Y + y/k - l.Height/2})
			}
			v.Rows = append(v.Rows, [4]Point{at(r[0], r[1]), at(r[2], r[1]), at(r[2], r[3]), at(r[0], r[3])})
		}
		views = append(views, v)
	}
	box := bounds(all)
	margin := int(math.Round(c.Margin * float64(box.Dy())))
	box = box.Inset(-margin)
	if box.Empty() {
		return nil, nil, errors.New("render: nothing is left of the close-up")
	}
	shift := func(p Point) Point { return Point{p.X - float64(box.Min.X), p.Y - float64(box.Min.Y)} }
	var can canvas
	can.resize(box.Dx(), box.Dy())
	c.mount(&can)
	for i := range views {
		v := &views[i]
		for k := range v.Corners {
			v.Corners[k] = shift(v.Corners[k])
		}
		for r := range v.Rows {
			for k := range v.Rows[r] {
				v.Rows[r][k] = shift(v.Rows[r][k])
			}
		}
		v.Box = bounds(v.Corners[:])
		v.Clear = v.Box.In(can.img.Rect)
		if !can.paste(decals[i], v.Corners, 1) {
			return nil, nil, errDegenerate
		}
	}
	if err := c.Sensor.Apply(can.img, c.Seed); err != nil {
		return nil, nil, err
	}
	return can.img, views, nil
}

// projection takes millimetres on the plates' plane to pixels. wide is what
// Width is given for.
func (c Closeup) projection(wide, distance float64) func(Point) Point {
	sy, cy := math.Sincos(c.Yaw * math.Pi / 180)
	sp, cp := math.Sincos(c.Pitch * math.Pi / 180)
	sr, cr := math.Sincos(c.Roll * math.Pi / 180)
	focal := c.Width / (wide / 1000) * distance
	return func(p Point) Point {
		x, y := p.X/1000, p.Y/1000
		// The plane turns where the camera goes round it: first about the
		// upright axis, then about the level one.
		x, z := x*cy, -x*sy
		y, z = y*cp-z*sp, z*cp+y*sp
		k := focal / (distance + z)
		x, y = x*k, y*k
		return Point{x*cr + y*sr, y*cr - x*sr}
	}
}

// mount paints what the plates are on: a ground that is lit from above, with
// the seams and shadows of a bumper.
func (c Closeup) mount(can *canvas) {
	r := rand.New(rand.NewPCG(c.Seed, 0x5bd1e995))
	w, h := float64(can.img.Rect.Dx()), float64(can.img.Rect.Dy())
	can.fill(gradient(shade(c.Ground, 1.15), shade(c.Ground, .8), Point{0, 0}, Point{0, h}), rect(0, 0, w, h))
	for range 3 {
		y, t := r.Float64()*h, (.01+.04*r.Float64())*h
		can.fill(sheer(shade(c.Ground, []float64{.4, .6, 1.4}[r.IntN(3)]), .7), rect(0, y, w, y+t))
	}
}
