package rectify

import (
	"math"
	"slices"

	"platewatch/ocr/internal/shape"
)

// further collects the letters to either side that continue a line after a gap
// too wide for a missing character: plates of few characters, and those with a
// seal or a coat of arms in the middle, have groups up to four heights apart.
// Letters that far away must match more closely.
func (l Line) further(letters []shape.Shape) []shape.Shape {
	const widest, alike, off = 4.2, 0.12, 0.09 // character heights
	var apart []shape.Shape
	take := func(s shape.Shape, gap float64) bool {
		if gap < -0.1*l.Height || gap > widest*l.Height || math.Abs(s.H-l.Height) > alike*l.Height+1 ||
			math.Abs(s.CY-l.at(s.CX)) > off*l.Height+0.8 {
			return false
		}
		apart = append(apart, s)
		return true
	}
	x0, x1 := l.X0, l.X1
	for _, s := range letters {
		if s.X > x1-0.1*l.Height && take(s, s.X-x1) {
			x1 = s.X + s.W
		}
	}
	for _, s := range slices.Backward(letters) {
		if s.X+s.W < x0+0.1*l.Height && take(s, x0-s.X-s.W) {
			x0 = s.X
		}
	}
	return apart
}

// takeIn lengthens a line by its separate groups, unless an edge of the plate
// lies between.
func (p *Plate) takeIn(l *Line) error {
	for _, s := range l.apart {
		inside := s.X >= l.X0 && s.X+s.W <= l.X1
		if inside {
			continue
		}
		from, to := l.X1, s.X
		if s.X < l.X0 {
			from, to = s.X+s.W, l.X0
		}
		crossed, err := p.edgeBetween(*l, from, to)
		if err != nil {
			return err
		}
		if !crossed {
			l.X0, l.X1 = min(l.X0, s.X), max(l.X1, s.X+s.W)
		}
	}
	return nil
}
