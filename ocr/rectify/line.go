package rectify

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/maps"
	"platewatch/ocr/internal/shape"
	"platewatch/ocr/internal/stat"
)

// Line is a row of characters on a levelled picture, in its pixels.
type Line struct {
	X0, X1  float64 // left edge of the first and right edge of the last character; not all need be among Letters
	Y0      float64 // the middle at x = 0
	Slope   float64 // dy/dx that remains after levelling
	Height  float64 // of the characters (median)
	Letters []shape.Shape
	Score   float64 // how regular the row is: comparable within one picture

	threshold threshold     // the binarisation that showed it
	apart     []shape.Shape // letters further out that may be another group of the same plate
}

// at returns the y of the line's middle at x.
func (l Line) at(x float64) float64 { return l.Y0 + l.Slope*x }

// Within is the line without the letters beyond its ends.
func (l Line) Within() Line {
	l.Letters = slices.DeleteFunc(slices.Clone(l.Letters), func(s shape.Shape) bool { return s.CX < l.X0 || s.CX > l.X1 })
	return l
}

// threshold is one way to binarise: compare with the mean over block × block
// pixels less by, or (block 0) with by times Otsu's grey value.
type threshold struct {
	block int
	by    float32 // whole grey levels where there is a block
}

// thresholds are tried in turn: three blocks, because shadows and graphics have
// any size; and Otsu, which is best on a clean plate.
var thresholds = []threshold{{31, 8}, {51, 12}, {75, 6}, {0, 1}, {0, 0.8}, {0, 1.2}}

// binariser binarises a picture.
type binariser struct {
	grey shape.Plane
	otsu func() int // computed once
}

func newBinariser(grey gocv.Mat) (binariser, error) {
	g, err := shape.PlaneOf(grey)
	return binariser{g, sync.OnceValue(func() int { return maps.Otsu(g) })}, err
}

// binarise sets ink where ink is.
func (b binariser) binarise(t threshold, ink *shape.Bits) {
	if t.block > 0 {
		maps.BelowMean(b.grey, t.block, int(t.by), false, ink)
		return
	}
	at := float32(b.otsu())
	if t.by != 1 {
		at = min(250, at*t.by)
	}
	maps.Above(b.grey, int(at), true, ink)
}

// Lines finds the row of characters in every binarisation and returns them, the
// most regular first; each is at least as long as the finder's. The finder's own
// line comes last: on blurred plates it is the only one.
func (p *Plate) Lines() ([]Line, error) {
	smooth := gocv.NewMat()
	defer smooth.Close()
	grey := p.Grey
	if p.scale < 1.5 { // enlarged pictures are smooth already
		gocv.GaussianBlur(grey, &smooth, pt(3), 0.8, 0.8, gocv.BorderReplicate)
		grey = smooth
	}
	var lines []Line
	binary, err := newBinariser(grey)
	if err != nil {
		return nil, err
	}
	var ink shape.Bits
	for _, t := range thresholds {
		binary.binarise(t, &ink)
		letters := lettersOf(&ink)
		if l, ok := bestLine(p.near(letters)); ok {
			l.threshold, l.apart = t, l.further(letters)
			lines = append(lines, l)
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(b.Score, a.Score) })
	// A binarisation may lose letters at the ends that the finder saw, and part of
	// a plate is read with as much confidence as all of it.
	for i := range lines {
		l := &lines[i]
		l.X0, l.X1 = min(l.X0, p.x0), max(l.X1, p.x1)
		if err := p.takeIn(l); err != nil {
			return nil, err
		}
	}
	middle := Line{X0: p.x0, X1: p.x1, Y0: float64(p.Grey.Rows()) / 2, Height: CharHeight, threshold: thresholds[0]}
	return append(lines, middle), nil
}

// lettersOf are the shapes of a binary picture that may be characters, from
// left to right.
func lettersOf(b *shape.Bits) []shape.Shape {
	var letters []shape.Shape
	b.Each(func(s shape.Shape) {
		if s.H > 0.55*CharHeight && s.H < 1.5*CharHeight && s.W > 0.05*s.H && s.W < 1.25*s.H && s.Area > 0.12*s.W*s.H {
			// Shapes that the picture's edge cuts off belong to another row, or to none.
			if whole := s.Y > 0 && s.Y+s.H < float64(b.H); whole || s.H > 0.85*CharHeight {
				letters = append(letters, s)
			}
		}
	})
	slices.SortFunc(letters, func(a, b shape.Shape) int { return cmp.Compare(a.X, b.X) })
	return letters
}

// near excludes the letters that are too far from the finder's line to be missing
// characters of it.
func (p *Plate) near(letters []shape.Shape) []shape.Shape {
	var near []shape.Shape
	for _, s := range letters {
		if s.X >= p.x0-beyondEnds*CharHeight && s.X+s.W <= p.x1+beyondEnds*CharHeight {
			near = append(near, s)
		}
	}
	return near
}

// bestLine returns the most regular row among letters, which are sorted by X.
func bestLine(letters []shape.Shape) (best Line, ok bool) {
	for _, seed := range letters {
		if l, found := lineAround(seed, letters); found && (!ok || l.Score > best.Score) {
			best, ok = l, true
		}
	}
	return best, ok
}

// lineAround collects the letters that stand in a row with seed. letters are
// sorted by X.
func lineAround(seed shape.Shape, letters []shape.Shape) (Line, bool) {
	var row []shape.Shape
	for _, s := range letters {
		if math.Abs(s.H-seed.H) < 0.16*seed.H+1 &&
			math.Abs(s.CY-seed.CY) < 0.12*seed.H+0.10*math.Abs(s.CX-seed.CX) {
			row = append(row, s)
		}
	}
	if len(row) < 3 {
		return Line{}, false
	}
	l := through(row)
	// Again without the letters off the line.
	row = slices.DeleteFunc(row, func(s shape.Shape) bool {
		return math.Abs(s.CY-l.at(s.CX)) > 0.09*l.Height+0.8
	})
	if len(row) < 3 {
		return Line{}, false
	}
	l = through(row)
	if math.Abs(l.Slope) > 0.15 {
		return Line{}, false
	}
	// Of two shapes above each other only the first can be a letter.
	upright := row[:1]
	for _, s := range row[1:] {
		last := upright[len(upright)-1]
		if s.X >= last.X+0.5*last.W {
			upright = append(upright, s)
		}
	}
	if len(upright) < 3 {
		return Line{}, false
	}
	l.Letters = upright
	l.X0, l.X1 = upright[0].X, upright[0].X+upright[0].W
	off, heights, wide := 0.0, make([]float64, 0, len(upright)), 0.0
	for i, s := range upright {
		l.X1 = max(l.X1, s.X+s.W)
		off += math.Abs(s.CY - l.at(s.CX))
		heights = append(heights, s.H)
		if i > 0 && s.X-upright[i-1].X-upright[i-1].W > 1.6*l.Height {
			wide++
		}
	}
	n := float64(len(upright))
	l.Score = min(n, 8) + 4*l.Height/(2*aboveMiddle*CharHeight) - 10*off/n/l.Height - 0.8*wide - 6*stat.Deviation(heights)/l.Height
	return l, true
}

// through fits a straight line through the middles of the letters.
func through(row []shape.Shape) Line {
	var sx, sy, sxx, sxy float64
	n := float64(len(row))
	heights := make([]float64, 0, len(row))
	for _, s := range row {
		sx += s.CX
		sy += s.CY
		sxx += s.CX * s.CX
		sxy += s.CX * s.CY
		heights = append(heights, s.H)
	}
	var l Line
	if v := sxx - sx*sx/n; v > 1e-6 {
		l.Slope = (sxy - sx*sy/n) / v
	}
	l.Y0 = (sy - l.Slope*sx) / n
	l.Height = stat.Median(heights)
	return l
}
