package draw

import (
	"image"
	"image/color"
	"image/draw"

	"platewatch/ocr/rectify"
)

// labels puts short texts beside boxes, so that they hide neither a box nor
// each other where there is room.
type labels struct {
	within image.Rectangle
	taken  []image.Rectangle
	w      *writer
}

// newLabels takes the boxes that should stay visible.
func newLabels(within image.Rectangle, w *writer, boxes []image.Rectangle) *labels {
	return &labels{within: within, w: w, taken: append([]image.Rectangle(nil), boxes...)}
}

// dark is the background of labels.
var dark = color.RGBA{R: 12, G: 14, B: 16, A: 225}

// put writes a label for the box.
func (l *labels) put(on draw.Image, box image.Rectangle, text string, c color.Color) {
	if box = box.Intersect(l.within); box.Empty() {
		box = image.Rectangle{Min: l.within.Min, Max: l.within.Min}
	}
	margin := max(2, l.w.height()/6)
	at := l.place(box, image.Pt(l.w.width(text)+2*margin, l.w.height()+margin))
	l.taken = append(l.taken, at)
	if !at.Overlaps(box.Inset(-2 * nextTo)) { // a line leads to the box
		from, to := nearest(at, box)
		segment(on, from, to, 1.5, c)
	}
	draw.Draw(on, at, image.NewUniform(dark), image.Point{}, draw.Over)
	l.w.write(on, at.Min.X+margin, at.Min.Y+margin/2, text, c)
}

// nextTo is the space between a box and its label, in pixels.
const nextTo = 3

// place looks for room above the box, below it, beside it, and so on outwards. If
// there is none, it takes the place that hides least.
func (l *labels) place(box image.Rectangle, size image.Point) image.Rectangle {
	const rings = 4
	var best image.Rectangle
	least := -1
	for ring := range rings {
		out := nextTo + ring*(size.Y+nextTo)
		for _, p := range []image.Point{
			{box.Min.X, box.Min.Y - out - size.Y}, {box.Min.X, box.Max.Y + out},
			{box.Max.X - size.X, box.Min.Y - out - size.Y}, {box.Max.X - size.X, box.Max.Y + out},
			{box.Max.X + out, box.Min.Y}, {box.Min.X - out - size.X, box.Min.Y},
		} {
			at := l.inside(image.Rectangle{Min: p, Max: p.Add(size)})
			hidden := 0
			for _, t := range l.taken {
				i := at.Intersect(t)
				hidden += i.Dx() * i.Dy()
			}
			if least < 0 || hidden < least {
				best, least = at, hidden
			}
			if hidden == 0 {
				return at
			}
		}
	}
	return best
}

// inside moves a rectangle to within the picture, as far as it fits.
func (l *labels) inside(r image.Rectangle) image.Rectangle {
	move := image.Pt(min(0, l.within.Max.X-r.Max.X), min(0, l.within.Max.Y-r.Max.Y))
	r = r.Add(move)
	return r.Add(image.Pt(max(0, l.within.Min.X-r.Min.X), max(0, l.within.Min.Y-r.Min.Y)))
}

// nearest returns the points of two rectangles that are nearest to each other.
func nearest(a, b image.Rectangle) (onA, onB rectify.Point) {
	between := func(a0, a1, b0, b1 int) (onA, onB float64) {
		switch {
		case a1 < b0:
			return float64(a1), float64(b0)
		case b1 < a0:
			return float64(a0), float64(b1)
		}
		middle := float64(max(a0, b0)+min(a1, b1)) / 2
		return middle, middle
	}
	onA.X, onB.X = between(a.Min.X, a.Max.X, b.Min.X, b.Max.X)
	onA.Y, onB.Y = between(a.Min.Y, a.Max.Y, b.Min.Y, b.Max.Y)
	return onA, onB
}
