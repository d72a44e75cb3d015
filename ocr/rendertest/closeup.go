// Package rendertest renders what only tests need: close-ups of plates, and the
// truth of a clip without its pictures.
package rendertest

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"platewatch/ocr/render"
	"platewatch/ocr/render/paint"
	"platewatch/ocr/render/sensor"
)

// Closeup is a picture of plates alone, as a detector or a person with a phone crops
// them, taken by a known camera.
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
	// Margin is the visible margin around the plates, in heights of their common
	// box. A negative one cuts into them.
	Margin float64
	Ground color.RGBA // what the plates are mounted on
	Sensor sensor.Effects
	Seed   uint64
}

// Mounted is a plate at a position on the common plane.
type Mounted struct {
	Spec render.PlateSpec // Scale is ignored
	X, Y float64          // its middle, millimetres from the first one's
}

// Take draws the picture. The views are in the order of the plates; Clear says
// that all corners are in the picture.
func (c Closeup) Take() (*image.RGBA, []render.PlateView, error) {
	if len(c.Plates) == 0 || c.Width < 4 || c.Width > 4000 {
		return nil, nil, errors.New("rendertest: a close-up needs a plate of 4 to 4000 pixels")
	}
	if math.Abs(c.Yaw) > 75 || math.Abs(c.Pitch) > 75 {
		return nil, nil, fmt.Errorf("rendertest: a plate cannot be seen from %g and %g degrees", c.Yaw, c.Pitch)
	}
	distance := c.Distance
	if distance == 0 {
		distance = 6
	}
	first, ok := render.LayoutByName(c.Plates[0].Spec.Layout)
	if !ok {
		return nil, nil, fmt.Errorf("rendertest: there is no plate layout %q", c.Plates[0].Spec.Layout)
	}
	var views []render.PlateView
	var decals []paint.Decal
	var all []paint.Point
	project := c.projection(first.Width, distance)
	for i, m := range c.Plates {
		l, ok := render.LayoutByName(m.Spec.Layout)
		if !ok {
			return nil, nil, fmt.Errorf("rendertest: there is no plate layout %q", m.Spec.Layout)
		}
		m.Spec.Scale = paint.Clamp(1.5*c.Width/first.Width, .3, 4)
		img, truth, err := render.Plate(m.Spec)
		if err != nil {
			return nil, nil, err
		}
		decals = append(decals, paint.NewDecal(img))
		v := render.PlateView{Passage: i, Text: truth.Text, Layout: l.Name}
		for k, s := range [4]paint.Point{{X: -.5, Y: -.5}, {X: .5, Y: -.5}, {X: .5, Y: .5}, {X: -.5, Y: .5}} {
			v.Corners[k] = project(paint.Point{X: m.X + s.X*l.Width, Y: m.Y + s.Y*l.Height})
		}
		all = append(all, v.Corners[:]...)
		for _, r := range truth.Rows {
			at := func(x, y float64) paint.Point {
				k := m.Spec.Scale
				return project(paint.Point{X: m.X + x/k - l.Width/2, Y: m.Y + y/k - l.Height/2})
			}
			v.Rows = append(v.Rows, [4]paint.Point{at(r[0], r[1]), at(r[2], r[1]), at(r[2], r[3]), at(r[0], r[3])})
		}
		views = append(views, v)
	}
	box := paint.Bounds(all)
	margin := int(math.Round(c.Margin * float64(box.Dy())))
	box = box.Inset(-margin)
	if box.Empty() {
		return nil, nil, errors.New("rendertest: nothing is left of the close-up")
	}
	shift := func(p paint.Point) paint.Point {
		return paint.Point{X: p.X - float64(box.Min.X), Y: p.Y - float64(box.Min.Y)}
	}
	var can paint.Canvas
	can.Resize(box.Dx(), box.Dy())
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
		v.Box = paint.Bounds(v.Corners[:])
		v.Clear = v.Box.In(can.Image.Rect)
		if !can.Paste(decals[i], v.Corners, 1) {
			return nil, nil, paint.ErrDegenerate
		}
	}
	if err := c.Sensor.Apply(can.Image, c.Seed); err != nil {
		return nil, nil, err
	}
	return can.Image, views, nil
}

// projection maps millimetres on the plates' plane to pixels. wide is the plate
// width in millimetres that Width pixels correspond to.
func (c Closeup) projection(wide, distance float64) func(paint.Point) paint.Point {
	sy, cy := math.Sincos(c.Yaw * math.Pi / 180)
	sp, cp := math.Sincos(c.Pitch * math.Pi / 180)
	sr, cr := math.Sincos(c.Roll * math.Pi / 180)
	focal := c.Width / (wide / 1000) * distance
	return func(p paint.Point) paint.Point {
		x, y := p.X/1000, p.Y/1000
		// The plane turns where the camera goes round it: first about the
		// upright axis, then about the level one.
		x, z := x*cy, -x*sy
		y, z = y*cp-z*sp, z*cp+y*sp
		k := focal / (distance + z)
		x, y = x*k, y*k
		return paint.Point{X: x*cr + y*sr, Y: y*cr - x*sr}
	}
}

// mount paints the background of the plates: a ground that is lit from above, with
// the seams and shadows of a bumper.
func (c Closeup) mount(can *paint.Canvas) {
	r := rand.New(rand.NewPCG(c.Seed, 0x5bd1e995))
	w, h := float64(can.Image.Rect.Dx()), float64(can.Image.Rect.Dy())
	can.Fill(paint.Gradient(paint.Shade(c.Ground, 1.15), paint.Shade(c.Ground, .8), paint.Point{X: 0, Y: 0}, paint.Point{X: 0, Y: h}), paint.Rect(0, 0, w, h))
	for range 3 {
		y, t := r.Float64()*h, (.01+.04*r.Float64())*h
		can.Fill(paint.Sheer(paint.Shade(c.Ground, []float64{.4, .6, 1.4}[r.IntN(3)]), .7), paint.Rect(0, y, w, y+t))
	}
}
