// Package rectify turns a candidate into a level, evenly sized picture of its
// line of characters.
//
// The finder's line comes from a map of the whole frame and is imprecise: a
// letter may be missing at an end, or a screw mistaken for one. [Level] cuts the
// candidate's surroundings out of the frame, level and with characters
// [CharHeight] pixels high. [Plate.Lines] then binarises that small picture in
// several ways and finds the line again in each. [Plate.Whole] and [Plate.Strip]
// cut out what a reader is shown. [Plate.Rows] separates the rows of a plate that
// has two, as on motorcycles.
package rectify

import (
	"errors"
	"image"
	"math"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/internal/resample"
	"platewatch/ocr/internal/shape"
)

const (
	// CharHeight is the height, in pixels, that characters have on a levelled
	// picture: high enough for strokes of 5 px, the least that survives every
	// binarisation.
	CharHeight = 48

	// beyondEnds is how much may be missing at either end of the finder's line, in
	// character heights: two and a half characters. More is a separate group.
	beyondEnds = 2.5
	// Room for a separate group, in character heights: a plate's characters are up
	// to longestLine long, and a levelled picture ends mostBeyond its line.
	longestLine, mostBeyond = 7, 5
	aboveMiddle             = 1.3
)

// Point is a place on a picture, in pixels.
type Point struct{ X, Y float64 }

// Plate is the levelled picture of a candidate. Close it after use.
type Plate struct {
	Grey gocv.Mat // 8 bit, one channel, dark characters, level

	scale, slope float64 // pixels here for one of the frame; dy/dx of the line
	x, y         float64 // frame position of the picture's middle
	x0, x1       float64 // ends of the finder's line here
	wide, high   float64 // of the frame, its pixels
	light        bool    // inverted: the characters are light
	slant        float64 // see measureSlant
	slantKnown   bool
	profiles     []profile // those computed so far
}

// Level cuts the surroundings of c out of a grey frame. Rows are sheared, not
// rotated: a camera beside the road sees a plate's base line sloping while its
// uprights stay upright. Light characters come out dark.
func Level(grey gocv.Mat, c find.Candidate) (*Plate, error) {
	p, err := level(grey, c.Line, c.Light, extent{farthest(c.Line), aboveMiddle, CharHeight})
	if err != nil {
		return nil, err
	}
	if wrong, err := p.lightOnDark(); err != nil {
		p.Close()
		return nil, err
	} else if wrong {
		gocv.BitwiseNot(p.Grey, &p.Grey)
		p.light = !p.light
	}
	return p, nil
}

// farthest is how far beyond the ends of a line the rest of its plate may lie,
// in character heights.
func farthest(l find.Line) float64 {
	return min(max(beyondEnds, longestLine-(l.X1-l.X0)/max(l.Height, 1)), mostBeyond)
}

// extent says how much a levelled picture shows around a line, and how large.
type extent struct {
	beyond, above float64 // character heights over the line's ends, over and under its middle
	height        float64 // pixels that a character is high
}

// level cuts the surroundings of a line out of the frame.
func level(grey gocv.Mat, l find.Line, light bool, e extent) (*Plate, error) {
	if l.Height <= 0 || l.X1 <= l.X0 {
		return nil, errors.New("rectify: the candidate has no extent")
	}
	p := &Plate{scale: e.height / l.Height, slope: l.Slope, x: (l.X0 + l.X1) / 2, y: l.Y, light: light,
		wide: float64(grey.Cols()), high: float64(grey.Rows())}
	half := (l.X1-l.X0)/2 + e.beyond*l.Height
	w := int(math.Ceil(2 * half * p.scale))
	p.x0 = float64(w)/2 - (l.X1-l.X0)/2*p.scale
	p.x1 = float64(w) - p.x0
	h := int(math.Ceil(2 * e.above * e.height))

	rise := e.above*l.Height + math.Abs(l.Slope)*half
	around := find.Box{X: p.x - half, Y: p.y - rise, W: 2 * half, H: 2 * rise}.
		Rect(image.Rect(0, 0, grey.Cols(), grey.Rows()))
	if around.Dx() < 4 || around.Dy() < 4 {
		return nil, errors.New("rectify: the candidate lies outside the frame")
	}
	// Shrinking must average, or strokes are lost; warping alone would sample.
	by := min(1, p.scale)
	shrunk, err := resample.Shrunk(grey, around, by)
	if err != nil {
		return nil, err
	}
	defer shrunk.Close()
	source, err := shape.PlaneOf(shrunk)
	if err != nil {
		return nil, err
	}
	p.Grey = shape.NewMat(h, w)
	levelled, err := shape.PlaneOf(p.Grey)
	if err != nil {
		p.Grey.Close()
		return nil, err
	}
	// Level picture → shrunk. Columns stay columns.
	s := by / p.scale
	ox, oy := (p.x-float64(around.Min.X))*by, (p.y-float64(around.Min.Y))*by
	err = resample.Sheared(source, levelled, resample.Affine{
		A: s, C: ox - s*float64(w)/2,
		D: s * l.Slope, E: s, F: oy - s*float64(h)/2 - s*l.Slope*float64(w)/2,
	})
	if err != nil {
		p.Grey.Close()
		return nil, err
	}
	if light {
		gocv.BitwiseNot(p.Grey, &p.Grey)
	}
	return p, nil
}

// lightOnDark tells whether the characters of the finder's line are lighter
// than their ground, by the strips just above and below them, which are ground.
// The finder may be wrong: the gaps between five characters and the areas beside
// them are a row of six shapes too.
func (p *Plate) lightOnDark() (bool, error) {
	g, err := shape.PlaneOf(p.Grey)
	if err != nil {
		return false, err
	}
	const near, far = 0.54, 0.64 // character heights
	middle := float64(g.H) / 2
	ground, ink := tones(g, Line{X0: p.x0, X1: p.x1, Y0: middle, Height: CharHeight})
	isInk := func(from, to float64) bool {
		return g.Mean(int(p.x0), int(middle+from*CharHeight), int(p.x1), int(math.Ceil(middle+to*CharHeight))) < ink+0.35*(ground-ink)
	}
	return isInk(-far, -near) && isInk(near, far), nil
}

// Light tells whether the characters are lighter than their ground in the frame.
func (p *Plate) Light() bool { return p.light }

// Close frees the picture.
func (p *Plate) Close() error { return p.Grey.Close() }

// toFrame returns where a place on the levelled picture lies in the frame.
func (p *Plate) toFrame(q Point) Point {
	dx := (q.X - float64(p.Grey.Cols())/2) / p.scale
	dy := (q.Y - float64(p.Grey.Rows())/2) / p.scale
	return Point{p.x + dx, p.y + dy + p.slope*dx}
}

// FromFrame returns where a place in the frame lies on the levelled picture.
func (p *Plate) FromFrame(q Point) Point {
	dx := q.X - p.x
	return Point{
		X: dx*p.scale + float64(p.Grey.Cols())/2,
		Y: (q.Y-p.y-p.slope*dx)*p.scale + float64(p.Grey.Rows())/2,
	}
}

// FrameHeight is the height of a line's characters in pixels of the frame.
func (p *Plate) FrameHeight(l Line) float64 { return l.Height / p.scale }
