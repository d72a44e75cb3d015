package render

import (
	"image/color"
	"math"

	"platewatch/ocr/render/paint"
)

// Railing is a fence of upright bars between two places beside the road. To a
// finder of characters its bars are a row of ones.
type Railing struct {
	X0, Z0, X1, Z1 float64 // its ends, metres: to the right of the camera's post, along the road
	Foot, Height   float64 // of the bars above the road, metres
	Pitch, Bar     float64 // from bar to bar, width of a bar, metres
	Rails          int     // that cross the bars
	Paint          color.RGBA
}

// railing paints one, its bars before its rails.
func (s *stage) railing(f Railing) {
	const most = 400 // bars: more of them merge
	dx, dz := f.X1-f.X0, f.Z1-f.Z0
	length := math.Hypot(dx, dz)
	if !(length > 0 && f.Pitch > 0) {
		return
	}
	dx, dz = dx/length, dz/length
	on := func(along, up float64) vec { return vec{f.X0 + dx*along, f.Foot + up, f.Z0 + dz*along} }
	bar := paint.Solid(f.Paint)
	for i := range min(most, int(length/f.Pitch)) {
		a := float64(i) * f.Pitch
		s.poly(bar, on(a, 0), on(a+f.Bar, 0), on(a+f.Bar, f.Height), on(a, f.Height))
	}
	rail := paint.Solid(paint.Shade(f.Paint, .9))
	for i := range f.Rails {
		y := f.Height * (float64(i) + .5) / float64(f.Rails)
		s.poly(rail, on(0, y-f.Bar), on(length, y-f.Bar), on(length, y+f.Bar), on(0, y+f.Bar))
	}
}
