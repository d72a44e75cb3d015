package rectify

import (
	"cmp"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/internal/shape"
	"platewatch/ocr/internal/stat"
)

// Row is one row of characters of a plate that has several: a levelled picture
// without the other row, and the line on it, whose Letters only give their
// number. Close it after use.
type Row struct {
	*Plate
	Line Line
}

// Conditions for two lines to be rows of one plate, and not two plates, or a
// plate and lettering above or below it. Lengths are in heights of the first
// row's characters.
const (
	// A row of a two-row plate is short: at most 3.4 heights on a German one,
	// with five figures on an Italian one.
	longestRow, mostInRow = 4.8, 6
	// Both rows are stamped with one set of dies, while slogans, states and cities
	// are a third as high. The range allows for perspective and blur.
	lowestRow, highestRow = 0.76, 1.32
	// Clear space between the rows: a fifth (13 mm between 64 mm) in Britain,
	// a third in Italy. Separate plates are further apart.
	leastGap, mostGap = 0.1, 0.7
	// Greatest distance between the rows' middles along the line: the country band
	// shifts the upper one.
	mostAside = 1.1
	// Greatest gap between characters of a row, for seals and hyphens.
	widestSpace = 1.5
)

// Rows looks above and below a line for another row of the same plate. It
// returns the plate's two rows, the upper one first, and nil where the line is
// the plate's only one. grey is the frame that p was cut out of.
func (p *Plate) Rows(grey gocv.Mat, l Line) ([]Row, error) {
	if l.X1-l.X0 > longestRow*l.Height || len(l.Letters) > mostInRow {
		return nil, nil
	}
	first := find.Line{
		X0: p.toFrame(Point{l.X0, 0}).X, X1: p.toFrame(Point{l.X1, 0}).X,
		Y: p.toFrame(Point{(l.X0 + l.X1) / 2, l.at((l.X0 + l.X1) / 2)}).Y, Slope: p.slope + l.Slope, Height: p.FrameHeight(l),
	}
	// Most short lines have no other row; half the size is enough to see that.
	around := extent{beyond: 1.5, above: 2.8, height: CharHeight / 2}
	small, err := level(grey, first, p.light, around)
	if err != nil {
		return nil, err
	}
	defer small.Close()
	here := Line{X0: small.x0, X1: small.x1, Y0: float64(small.Grey.Rows()) / 2, Height: around.height, threshold: l.threshold, Letters: l.Letters}
	for _, t := range []threshold{l.threshold.halved(), {0, 1}} {
		other, ok, err := small.secondRow(here, t)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		around.height = CharHeight
		tall, err := level(grey, first, p.light, around)
		if err != nil {
			return nil, err
		}
		defer tall.Close()
		// The slant of the whole line is more exact than that of one row.
		if tall.slant, err = p.measureSlant(l); err != nil {
			return nil, err
		}
		tall.slantKnown = true
		other.threshold = l.threshold
		up, low := small.onto(tall, here), small.onto(tall, other)
		if low.Y0 < up.Y0 {
			up, low = low, up
		}
		return tall.split(up, low), nil
	}
	return nil, nil
}

// onto returns a line of p on q, a picture of the same place in another size.
func (p *Plate) onto(q *Plate, l Line) Line {
	by := q.scale / p.scale
	at := func(x, y float64) (float64, float64) {
		return (x-float64(p.Grey.Cols())/2)*by + float64(q.Grey.Cols())/2, (y-float64(p.Grey.Rows())/2)*by + float64(q.Grey.Rows())/2
	}
	l.X0, _ = at(l.X0, 0)
	l.X1, l.Y0 = at(l.X1, l.Y0)
	l.Height *= by
	return l
}

// halved is a threshold for a picture of half the size.
func (t threshold) halved() threshold {
	if t.block > 0 {
		t.block = t.block/2 | 1
	}
	return t
}

// secondRow finds the row above or below first on a binarisation.
func (p *Plate) secondRow(first Line, t threshold) (Line, bool, error) {
	binary, err := newBinariser(p.Grey)
	if err != nil {
		return Line{}, false, err
	}
	var ink shape.Bits
	binary.binarise(t, &ink)
	var found []shape.Shape
	ink.Each(func(s shape.Shape) {
		if s.H > lowestRow*first.Height && s.H < highestRow*first.Height && s.W > 0.08*s.H && s.W < 1.2*s.H && s.Area > 0.14*s.W*s.H {
			found = append(found, s)
		}
	})
	slices.SortFunc(found, func(a, b shape.Shape) int { return cmp.Compare(a.X, b.X) })
	var rows []Line
	for _, side := range []float64{-1, 1} {
		if l, ok := rowBeside(first, side, found); ok && p.onePlate(first, l, binary.grey) {
			l.threshold = t
			rows = append(rows, l)
		}
	}
	if len(rows) != 1 { // three similar rows are a sign
		return Line{}, false, nil
	}
	return rows[0], true, nil
}

// rowBeside collects the letters that stand in a row above (side −1) or below
// (side 1) the first line.
func rowBeside(first Line, side float64, letters []shape.Shape) (best Line, ok bool) {
	middle := (first.X0 + first.X1) / 2
	for _, seed := range letters {
		away := side*(seed.CY-first.at(seed.CX)) - (seed.H+first.Height)/2
		if away < leastGap*first.Height || away > mostGap*first.Height || math.Abs(seed.CX-middle) > longestRow/2*first.Height {
			continue
		}
		var row []shape.Shape
		for _, s := range letters {
			if math.Abs(s.CY-seed.CY) > 0.12*first.Height || math.Abs(s.H-seed.H) > 0.15*seed.H+1 {
				continue
			}
			switch n := len(row); {
			case n == 0 || s.X >= row[n-1].X+row[n-1].W-0.1*s.H && s.X-row[n-1].X-row[n-1].W <= widestSpace*first.Height:
				row = append(row, s)
			case s.X < row[n-1].X+row[n-1].W: // two above each other
			case s.X <= seed.X: // too far from the previous letter: start a new row
				row = append(row[:0], s)
			}
		}
		if len(row) == 0 || len(row) > mostInRow || len(row) < len(best.Letters) {
			continue
		}
		heights := make([]float64, len(row))
		y := make([]float64, len(row))
		for i, s := range row {
			heights[i], y[i] = s.H, s.CY
		}
		last := row[len(row)-1]
		l := Line{X0: row[0].X, X1: last.X + last.W, Y0: stat.Median(y), Height: stat.Median(heights), Letters: row}
		if l.X1-l.X0 > longestRow*first.Height || math.Abs((l.X0+l.X1)/2-middle) > mostAside*first.Height {
			continue
		}
		if ok && len(row) == len(best.Letters) && stat.Deviation(heights) >= best.Score {
			continue
		}
		l.Score = stat.Deviation(heights)
		best, ok = l, true
	}
	return best, ok
}

// onePlate tells whether two rows are on one ground: equally bright around both,
// without a border, gap or shadow between them.
func (p *Plate) onePlate(a, b Line, g shape.Plane) bool {
	if b.Y0 < a.Y0 {
		a, b = b, a
	}
	groundA, inkA := tones(g, a)
	groundB, inkB := tones(g, b)
	contrast := min(groundA-inkA, groundB-inkB)
	if contrast < 12 || math.Abs(groundA-groundB) > 0.45*contrast {
		return false
	}
	// Most of every pixel row between them must be ground.
	dark := min(groundA, groundB) - 0.5*contrast
	x0, x1 := int(max(0, min(a.X0, b.X0))), int(min(float64(g.W), max(a.X1, b.X1)))
	y0, y1 := int(a.Y0+0.5*a.Height)+1, int(b.Y0-0.5*b.Height)
	for y := max(0, y0); y < min(y1, g.H); y++ {
		n := 0
		for _, v := range g.Pix[y*g.W+x0 : y*g.W+x1] {
			if float64(v) < dark {
				n++
			}
		}
		if n > (x1-x0)*55/100 {
			return false
		}
	}
	return true
}

// tones are the grey values of a line's ground and ink.
func tones(g shape.Plane, l Line) (ground, ink float64) {
	var hist [256]int
	n := 0
	y := l.at((l.X0 + l.X1) / 2)
	y0, y1 := max(0, int(y-0.5*l.Height)), min(g.H, int(y+0.5*l.Height))
	x0, x1 := max(0, int(l.X0)), min(g.W, int(l.X1))
	for y := y0; y < y1; y += 2 {
		for x := x0; x < x1; x += 2 {
			hist[g.Pix[y*g.W+x]]++
			n++
		}
	}
	at := func(share float64) float64 {
		sum := 0
		for v, c := range hist {
			if sum += c; float64(sum) >= share*float64(n) {
				return float64(v)
			}
		}
		return 255
	}
	return at(0.9), at(0.1)
}

// split cuts the picture between two rows. Each keeps its own side.
func (p *Plate) split(up, low Line) []Row {
	cut := (up.Y0 + up.Height/2 + low.Y0 - low.Height/2) / 2
	end := func(l Line, side float64) float64 {
		return min(max(l.Y0+side*1.25*l.Height, 0), float64(p.Grey.Rows()))
	}
	return []Row{p.row(up, end(up, -1), cut), p.row(low, cut, end(low, 1))}
}

// row is the part of the picture from y0 to y1 with one line on it.
func (p *Plate) row(l Line, y0, y1 float64) Row {
	top, foot := int(math.Round(y0)), int(math.Round(y1))
	part := p.Grey.RowRange(top, foot)
	defer part.Close()
	r := *p
	r.Grey = part.Clone()
	r.y = p.y + (float64(top+foot)/2-float64(p.Grey.Rows())/2)/p.scale
	r.x0, r.x1 = l.X0, l.X1
	l.Y0 -= float64(top)
	return Row{&r, l}
}

// CornersOf returns the corners of the plate around its rows in the frame,
// clockwise from the top left. There must be at least one row.
func CornersOf(rows []Row) [4]Point { return around(rows, Row.Corners) }

// InkOf returns the corners around the characters of several rows in the frame,
// as [Plate.Bounds] does for one.
func InkOf(rows []Row) [4]Point { return around(rows, Row.Bounds) }

// around joins the upper corners of the first row and the lower ones of the last,
// as wide as the widest row.
func around(rows []Row, corners func(Row, Line) [4]Point) [4]Point {
	if len(rows) == 0 {
		return [4]Point{}
	}
	first, last := rows[0], rows[len(rows)-1]
	x0, x1 := first.Line.X0, first.Line.X1
	for _, r := range rows {
		x0, x1 = min(x0, r.Line.X0), max(x1, r.Line.X1)
	}
	up, low := first.Line, last.Line
	up.X0, up.X1, low.X0, low.X1 = x0, x1, x0, x1
	top, foot := corners(first, up), corners(last, low)
	return [4]Point{top[0], top[1], foot[2], foot[3]}
}
