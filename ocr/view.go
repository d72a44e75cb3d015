package ocr

import (
	"image"
	"math"

	"platewatch/ocr/judge"
	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
)

// Within takes into account that only a part of the picture was searched:
// inside tells which pixels. Where a character may lie outside, the plate's
// Hidden rises and its Confidence falls.
func (p Plate) Within(inside func(image.Point) bool) Plate {
	return p.hiddenBy(p.room(inside).Hidden())
}

// hiddenBy takes into account that a character is hidden with a probability, unless
// it is more likely already for another reason.
func (p Plate) hiddenBy(hidden float64) Plate {
	if hidden > p.Hidden {
		p.Confidence *= (1 - hidden) / (1 - p.Hidden)
		p.Hidden = hidden
	}
	return p
}

// endsOf is what can be seen of a plate's ends around a line.
func endsOf(level *rectify.Plate, l rectify.Line) (left, right judge.End, err error) {
	a, b, err := level.Sides(l)
	return judge.End(a), judge.End(b), err
}

// obstructed is the probability that something before a plate with these ends hides a
// character.
func (r *Recogniser) obstructed(left, right judge.End, read read.Result) float64 {
	return judge.Ends{
		Left: left, Right: right, Foreign: r.formats != nil && read.Format == "",
		Text: (read.Line.X1 - read.Line.X0) / read.Line.Height, Reader: read.Confidence,
	}.Hidden()
}

// room measures how far the characters are from the nearest pixel that is not
// inside, on each side.
func (p *Plate) room(inside func(image.Point) bool) judge.Room {
	const step = 0.05 // character heights
	ink := p.ink
	middle := rectify.Point{X: (ink[0].X + ink[2].X) / 2, Y: (ink[0].Y + ink[2].Y) / 2}
	h := max(p.Height, 1)
	// From three places of a side outwards, away from the opposite side.
	side := func(a, b, from rectify.Point) float64 {
		to := rectify.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}
		dx, dy := to.X-from.X, to.Y-from.Y
		n := max(math.Hypot(dx, dy), 1e-9)
		dx, dy = dx/n*h, dy/n*h
		for k := -step; k < judge.MostRoom; k += step {
			for _, t := range [...]float64{0.15, 0.5, 0.85} {
				x, y := a.X+t*(b.X-a.X)+k*dx, a.Y+t*(b.Y-a.Y)+k*dy
				if !inside(image.Pt(int(math.Floor(x)), int(math.Floor(y)))) {
					return k
				}
			}
		}
		return judge.MostRoom
	}
	return judge.Room{
		Left: side(ink[0], ink[3], middle), Right: side(ink[1], ink[2], middle),
		Above: side(ink[0], ink[1], middle), Below: side(ink[3], ink[2], middle),
		LeftEnd: p.left, RightEnd: p.right, Fills: p.fills, Form: p.form,
	}
}

// inRect is the test whether a pixel lies in a rectangle.
func inRect(r image.Rectangle) func(image.Point) bool {
	return func(p image.Point) bool { return p.In(r) }
}
