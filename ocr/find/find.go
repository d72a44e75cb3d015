// Package find finds licence plates in a frame by the contours of their
// characters.
//
// A plate is a row of characters: dark shapes on a light ground (or the other
// way round) of similar height, evenly spaced, on one straight line. So the
// package binarises the frame at four scales, finds connected components, links
// them into chains, and ranks the chains with a logistic regression over 23
// features of the chain and its surroundings. It does not look for the plate's
// rectangle first: frames, shadows and bumpers hide a plate's edges far more
// often than its characters.
//
// The files, in the order of processing:
//
//	pyramid.go    grey frame → four scales with their horizontal gradient
//	binarise.go   scale → binary maps on which characters come apart (internal/maps)
//	chain.go      binary map → shapes → chains: possible lines of characters
//	feature.go    chain → features
//	rank.go       features → probability; suppression of overlapping chains
//	second.go     regions that are enlarged and searched again
//	short.go      bright areas with fewer characters than a chain has
//	find.go       the whole search
//
// The search works on grey pictures and keeps no state between frames. Boxes and
// lines are in pixels of the frame, x to the right and y down.
package find

import (
	"errors"
	"fmt"
	"image"
	"math"
	"sync"
	"sync/atomic"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/maps"
	"platewatch/ocr/internal/resample"
	"platewatch/ocr/internal/shape"
)

// Candidate is a place in a frame that may be a plate.
type Candidate struct {
	// Line is the row of characters that gave the candidate.
	Line Line
	// Box is the estimated upright box of the whole plate around the line.
	Box Box
	// Score is the ranker's probability, 0–1, that this is a plate.
	Score float64
	// Shapes is how many shapes make up the chain. It is a lower bound of the
	// number of characters when some of them have merged.
	Shapes int
	// Light is set if the characters are lighter than their ground.
	Light bool
	// Framed is set if the candidate is the characters in the middle of a bright area
	// with a plate's edges, see [Finder.ExpectShort].
	Framed bool
	// Features are the ranker's input; see [FeatureNames].
	Features Features

	source int // the map it was seen on
}

// Line is a row of characters: a straight line through their middles.
type Line struct {
	X0, X1 float64 // left edge of the first and right edge of the last character
	Y      float64 // the middle of the characters, at (X0+X1)/2
	Slope  float64 // dy/dx
	Height float64 // of the characters (median)
}

// Box is an upright rectangle with its origin at the top left.
type Box struct{ X, Y, W, H float64 }

// Overlap is the intersection of a and b divided by their union, 0–1.
func (b Box) Overlap(o Box) float64 {
	w := min(b.X+b.W, o.X+o.W) - max(b.X, o.X)
	h := min(b.Y+b.H, o.Y+o.H) - max(b.Y, o.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	i := w * h
	return i / (b.W*b.H + o.W*o.H - i)
}

// Rect returns the smallest integer rectangle that holds b, clipped to within.
func (b Box) Rect(within image.Rectangle) image.Rectangle {
	return image.Rect(int(math.Floor(b.X)), int(math.Floor(b.Y)),
		int(math.Ceil(b.X+b.W)), int(math.Ceil(b.Y+b.H))).Intersect(within)
}

// plateBox estimates the plate around a line. The factors are the mean over
// plate layouts: a plate is 1.8 character heights high, and leaves about half
// a character height free at either end.
func (l Line) plateBox() Box {
	w := l.X1 - l.X0
	h := 1.8*l.Height + 0.8*math.Abs(l.Slope)*w
	w += 1.1 * l.Height
	return Box{(l.X0+l.X1)/2 - w/2, l.Y - h/2, w, h}
}

// Tap sees a stage's intermediate picture. It must not keep the Mat, which is
// closed when the tap returns. Names are "map L K" with level and map number.
type Tap func(stage string, img gocv.Mat)

// Finder finds candidates. It is safe for use by several goroutines at once.
type Finder struct {
	p     Params
	near  gocv.Mat     // see textMask
	least atomic.Int32 // see ExpectShort
	pads  sync.Pool    // of *pad
}

// pad is the memory in which a binary map is searched. A large frame's is made once,
// not for each of its maps: they were two thirds of what Go's heap had to give.
type pad struct {
	binary         shape.Bits
	parts, letters []shape.Shape
}

// New returns a finder. Close it after use.
func New(p Params) (*Finder, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return &Finder{
		p: p, near: gocv.GetStructuringElement(gocv.MorphRect, image.Pt(9, 5)),
		pads: sync.Pool{New: func() any { return new(pad) }},
	}, nil
}

// ExpectShort makes the finder look for plates of least characters and more, of 1
// and more. Of fewer than three it finds only those on a light ground whose edges
// can be seen: shapes of two or one are everywhere.
func (f *Finder) ExpectShort(least int) { f.least.Store(int32(least)) }

// Close frees what the finder keeps in C's memory.
func (f *Finder) Close() error { return f.near.Close() }

// Find returns the candidates in a grey frame (8 bit, one channel), the most
// plate-like first, at most Params.Keep of them. tap may be nil.
func (f *Finder) Find(grey gocv.Mat, tap Tap) ([]Candidate, error) {
	if grey.Empty() || grey.Type() != gocv.MatTypeCV8UC1 {
		return nil, errors.New("find: the frame is not an 8-bit grey picture")
	}
	if grey.Cols() < minSide || grey.Rows() < minSide {
		return nil, nil // too small for a readable line
	}
	pyr, err := newPyramid(grey, f.near)
	if err != nil {
		return nil, err
	}
	defer pyr.Close()

	found, err := f.firstLook(pyr, false, tap)
	if err != nil {
		return nil, err
	}
	ranked := rank(found)
	var short []Candidate
	if least := int(f.least.Load()); least > 0 && least <= minChain {
		if short, err = shortRows(grey, pyr, least, sure(ranked, f.p.Sure)); err != nil {
			return nil, err
		}
	}
	if f.p.SecondLook == Never || f.p.SecondLook == Unsure && sure(ranked, f.p.Sure) {
		return keep(withShort(ranked, short), f.p.Keep), nil
	}
	if f.p.LightText {
		light, err := f.firstLook(pyr, true, tap)
		if err != nil {
			return nil, err
		}
		found = append(found, light...)
	}
	texts, err := textRegions(pyr, f.p.Regions)
	if err != nil {
		return nil, err
	}
	quads, err := brightQuads(pyr, f.p.Regions)
	if err != nil {
		return nil, err
	}
	for i, r := range append(texts, quads...) {
		more, err := lookInto(grey, r)
		if err != nil {
			return nil, fmt.Errorf("region %d: %w", i, err)
		}
		found = append(found, more...)
	}
	return keep(withShort(rank(found), short), f.p.Keep), nil
}

// firstLook chains the shapes of every map of every level.
func (f *Finder) firstLook(pyr *pyramid, light bool, tap Tap) ([]Candidate, error) {
	var found []Candidate
	for i, lv := range pyr.levels {
		cs, err := f.searchLevel(lv, i, light, tap)
		if err != nil {
			return nil, err
		}
		found = append(found, cs...)
	}
	return found, nil
}

// searchLevel chains the shapes of both maps of a level.
func (f *Finder) searchLevel(lv level, index int, light bool, tap Tap) ([]Candidate, error) {
	planes, err := shape.PlanesOf(lv.grey, lv.gradient, lv.mask)
	if err != nil {
		return nil, err
	}
	grey, gradient, mask := planes[0], planes[1], planes[2]
	var found []Candidate
	work := f.pads.Get().(*pad)
	defer f.pads.Put(work)
	for k := range 2 {
		if k == 0 {
			maps.OffMean(grey, meanBlock(index), standsOut, light, mask, &work.binary)
		} else {
			maps.Hat(grey, light, mask, &work.binary)
		}
		if tap != nil {
			if err := show(tap, fmt.Sprintf("map %d %d", index, k), &work.binary); err != nil {
				return nil, err
			}
		}
		v := view{scale: lv.scale, source: index*2 + k, light: light}
		found = append(found, work.candidates(grey, gradient, v, f.p.MinHeight, f.p.MaxHeight)...)
	}
	return found, nil
}

// show hands a map to a tap.
func show(tap Tap, stage string, b *shape.Bits) error {
	m, err := b.Mat()
	if err != nil {
		return err
	}
	tap(stage, m)
	return m.Close()
}

// lookInto enlarges a region so that a plate in it would be about 30 px high,
// and chains again there: small and faint plates come apart only then.
func lookInto(grey gocv.Mat, r region) ([]Candidate, error) {
	frame := image.Rect(0, 0, grey.Cols(), grey.Rows())
	around := Box{r.box.X - 0.35*r.box.W, r.box.Y - 0.5*r.box.H, 1.7 * r.box.W, 2 * r.box.H}.Rect(frame)
	if around.Dx() < minSide || around.Dy() < 8 {
		return nil, nil
	}
	scale := min(3, 30/r.box.H)
	big, err := resized(grey, around, scale)
	if err != nil {
		return nil, err
	}
	defer big.Close()
	slopes := shape.NewMat(big.Rows(), big.Cols())
	defer slopes.Close()
	planes, err := shape.PlanesOf(big, slopes)
	if err != nil {
		return nil, err
	}
	g, gradient := planes[0], planes[1]
	maps.Gradient(g, gradient, shape.Plane{})

	var found []Candidate
	var work pad
	for k := range 3 {
		switch k {
		case 0:
			maps.BelowMean(g, 21, standsOut, false, &work.binary)
		case 1:
			maps.Hat(g, false, shape.Plane{}, &work.binary)
		case 2:
			maps.BelowMean(g, 15, standsOut/2, false, &work.binary)
		}
		v := view{scale: scale, x: float64(around.Min.X), y: float64(around.Min.Y),
			source: firstRegionSource + 3*int(r.kind) + k}
		found = append(found, work.candidates(g, gradient, v, 9, 40)...)
	}
	return found, nil
}

// resized is a part of a picture at another scale. The caller closes it.
func resized(grey gocv.Mat, part image.Rectangle, scale float64) (gocv.Mat, error) {
	if scale < 1 {
		return resample.Shrunk(grey, part, scale)
	}
	cut, big := grey.Region(part), gocv.NewMat()
	defer cut.Close()
	gocv.Resize(cut, &big, image.Point{}, scale, scale, gocv.InterpolationCubic)
	return big, nil
}

// view is the position of a searched picture in the frame.
type view struct {
	scale  float64 // pixels here for one pixel of the frame
	x, y   float64 // where its origin lies in the frame
	source int     // which map: chains seen on several maps are worth more
	light  bool
}

// candidates chains the shapes of one binary map. minHeight and maxHeight are
// character heights in pixels of that map.
func (p *pad) candidates(grey, gradient shape.Plane, v view, minHeight, maxHeight float64) []Candidate {
	p.sift(minHeight, maxHeight)
	var found []Candidate
	for _, ch := range chains(p.letters) {
		m := measure(ch, p.parts, grey, gradient, &p.binary, v.light)
		l := Line{
			X0: m.x0/v.scale + v.x, X1: m.x1/v.scale + v.x,
			Y:     m.at((m.x0+m.x1)/2)/v.scale + v.y,
			Slope: m.slope, Height: m.height / v.scale,
		}
		found = append(found, Candidate{
			Line: l, Box: l.plateBox(), Shapes: len(ch), Light: v.light,
			Features: m.features(), source: v.source,
		})
	}
	return found
}

func sure(c []Candidate, atLeast float64) bool { return len(c) > 0 && c[0].Score >= atLeast }

func keep(c []Candidate, n int) []Candidate { return c[:min(n, len(c))] }

// minSide is the smallest side, in pixels, of a picture with a readable line of
// characters.
const minSide = 20
