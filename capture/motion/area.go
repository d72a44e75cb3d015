package motion

import (
	"fmt"
	"image"
	"iter"
	"math"

	"gocv.io/x/gocv"
)

// Corner is a corner of a polygon in a camera's picture, as fractions of its
// width and height from the top left, 0 to 1: it stays where it is when the
// camera changes its size.
type Corner struct{ X, Y float64 }

// Area is the part of a camera's picture that matters.
type Area struct {
	Include []Corner   `toml:"include"` // a polygon; empty: the whole picture
	Exclude [][]Corner `toml:"exclude"` // polygons: the camera's own clock, a shop's sign
}

const (
	maxCorners  = 64
	maxExcluded = 32
)

// problem is what is wrong with a polygon. Its text continues the setting's key.
type problem struct{ text, advice string }

func (p *problem) Error() string { return p.text }

// Hint says what to write instead.
func (p *problem) Hint() string { return p.advice }

// Problems yields the polygons that enclose nothing or lie outside the picture,
// by their keys.
func (a Area) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if len(a.Include) > 0 {
			if err := checkPolygon(a.Include); err != nil && !yield("include", err) {
				return
			}
		}
		if len(a.Exclude) > maxExcluded && !yield("exclude", &problem{text: fmt.Sprintf("lists %d polygons, at most %d are taken", len(a.Exclude), maxExcluded)}) {
			return
		}
		for i, p := range a.Exclude {
			if err := checkPolygon(p); err != nil && !yield(fmt.Sprintf("exclude[%d]", i), err) {
				return
			}
		}
	}
}

func checkPolygon(p []Corner) error {
	fail := func(format string, args ...any) error {
		return &problem{"is not a valid polygon: " + fmt.Sprintf(format, args...),
			"write the corners in order, as fractions from the top left: [[0.0, 0.3], [1.0, 0.3], [1.0, 1.0], [0.0, 1.0]]"}
	}
	if len(p) < 3 || len(p) > maxCorners {
		return fail("it has %d corners, 3 to %d are possible", len(p), maxCorners)
	}
	twice := 0.0
	for i, c := range p {
		if !(c.X >= 0 && c.X <= 1 && c.Y >= 0 && c.Y <= 1) {
			return fail("corner %d is outside the picture, 0 to 1", i+1)
		}
		n := p[(i+1)%len(p)]
		twice += c.X*n.Y - n.X*c.Y
	}
	if math.Abs(twice) < 1e-6 {
		return fail("it encloses nothing")
	}
	return nil
}

// whole tells whether the whole picture matters.
func (a Area) whole() bool { return len(a.Include) == 0 && len(a.Exclude) == 0 }

// contains tells whether a point, in fractions of the picture, matters.
func (a Area) contains(c Corner) bool {
	if len(a.Include) > 0 && !within(c, a.Include) {
		return false
	}
	for _, p := range a.Exclude {
		if within(c, p) {
			return false
		}
	}
	return true
}

// within is the even-odd rule.
func within(c Corner, p []Corner) bool {
	in := false
	for i, a := range p {
		b := p[(i+1)%len(p)]
		if (a.Y > c.Y) != (b.Y > c.Y) && c.X < a.X+(b.X-a.X)*(c.Y-a.Y)/(b.Y-a.Y) {
			in = !in
		}
	}
	return in
}

// Contains tells whether a pixel of a picture of the given size matters.
func (a Area) Contains(p, size image.Point) bool {
	return a.contains(Corner{(float64(p.X) + 0.5) / float64(size.X), (float64(p.Y) + 0.5) / float64(size.Y)})
}

// Bounds is the smallest rectangle of a picture of the given size with all of
// Include in it.
func (a Area) Bounds(size image.Point) image.Rectangle {
	whole := image.Rectangle{Max: size}
	if len(a.Include) == 0 {
		return whole
	}
	x0, y0, x1, y1 := 1.0, 1.0, 0.0, 0.0
	for _, c := range a.Include {
		x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
	}
	w, h := float64(size.X), float64(size.Y)
	return image.Rect(int(x0*w), int(y0*h), int(math.Ceil(x1*w)), int(math.Ceil(y1*h))).Intersect(whole)
}

// Blank paints what does not matter in a grey picture over: what is written
// there is not found, and takes no place from a plate.
func (a Area) Blank(grey *gocv.Mat) {
	if a.whole() {
		return
	}
	px, err := grey.DataPtrUint8()
	if err != nil {
		return // not continuous, not 8 bit: not a picture of this package
	}
	w, h := grey.Cols(), grey.Rows()
	// A row of pixels crosses the polygons in few places: between two of them
	// all is in or all is out.
	for y := range h {
		row := px[y*grey.Step() : y*grey.Step()+w]
		for x := 0; x < w; {
			at := Corner{(float64(x) + 0.5) / float64(w), (float64(y) + 0.5) / float64(h)}
			end := min(a.crossing(at, w), w)
			if end <= x {
				end = x + 1
			}
			if !a.contains(at) {
				fill(row[x:end])
			}
			x = end
		}
	}
}

// crossing is the first column right of a point in which a polygon's edge
// crosses its row.
func (a Area) crossing(at Corner, width int) int {
	next := width
	look := func(p []Corner) {
		for i, c := range p {
			d := p[(i+1)%len(p)]
			if (c.Y > at.Y) == (d.Y > at.Y) {
				continue
			}
			x := c.X + (d.X-c.X)*(at.Y-c.Y)/(d.Y-c.Y)
			if column := int(math.Ceil(x*float64(width) - 0.5)); x > at.X && column < next {
				next = column
			}
		}
	}
	look(a.Include)
	for _, p := range a.Exclude {
		look(p)
	}
	return next
}

func fill(row []byte) {
	const midGrey = 128
	for i := range row {
		row[i] = midGrey
	}
}
