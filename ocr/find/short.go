package find

import (
	"cmp"
	"image"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/maps"
	"platewatch/ocr/internal/shape"
)

const (
	// shortScore is the score of a short row on a bright plate. The ranker knows
	// chains of minChain and more only.
	shortScore = 0.5
	// shortSource numbers the map of the bright plates after the regions' maps.
	shortSource = firstRegionSource + 6
	// quadHeight is the height in pixels that a bright plate is brought to.
	quadHeight = 56.0
	// widestShape bounds a shape's width in its heights: three characters that blur
	// into one.
	widestShape = 3
	// rectangular is the share of its bounding box from which an area need not have
	// four corners: worn and blurred ones are rounded.
	rectangular = 0.72
)

// shortRows finds plates with fewer characters than a chain has: a bright
// four-cornered area with one to three characters in its middle, and nothing else of
// their height.
//
// Such plates are rare, and looking for all of them costs more than the rest of a first
// look. Where beside is set, a place in the picture is certainly a plate: then only near
// ones are looked for, which stand out from their surroundings at half of the scale.
func shortRows(grey gocv.Mat, pyr *pyramid, least int, beside bool) ([]Candidate, error) {
	var found []Candidate
	var seen []Box
	look := func(lv level, binary *shape.Bits) error {
		var plates []Box
		err := quads(binary, func(s shape.Shape, fill float64, fits bool) {
			if fits || fill >= rectangular {
				plates = append(plates, scaled(Box{s.X, s.Y, s.W, s.H}, lv.scale))
			}
		})
		if err != nil {
			return err
		}
		for _, q := range plates {
			if slices.ContainsFunc(seen, func(o Box) bool { return o.Overlap(q) >= 0.8 }) {
				continue
			}
			seen = append(seen, q)
			c, ok, err := shortRow(grey, q, least)
			if err != nil {
				return err
			}
			if ok {
				found = append(found, c)
			}
		}
		return nil
	}
	for i := range pyr.levels[:min(2, len(pyr.levels))] {
		if beside && i == 0 {
			continue
		}
		lv := &pyr.levels[i]
		bright, err := lv.brightAreas()
		if err != nil {
			return nil, err
		}
		if err := look(*lv, bright); err != nil {
			return nil, err
		}
	}
	if beside {
		return found, nil
	}
	var binary shape.Bits
	// Whatever the light, some grey value lies between the plate's ground and what is
	// around it.
	for _, lv := range pyr.levels[min(1, len(pyr.levels)):min(3, len(pyr.levels))] {
		g, err := shape.PlaneOf(lv.grey)
		if err != nil {
			return nil, err
		}
		for at := 50; at < 250; at += 40 {
			maps.Above(g, at, false, &binary)
			if err := look(lv, &binary); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// shortRow looks for least to three characters in the middle of a bright area.
func shortRow(grey gocv.Mat, q Box, least int) (c Candidate, ok bool, err error) {
	around := q.Rect(image.Rect(0, 0, grey.Cols(), grey.Rows()))
	if around.Dx() < 12 || around.Dy() < 8 {
		return c, false, nil
	}
	scale := quadHeight / float64(around.Dy())
	big, err := resized(grey, around, scale)
	if err != nil {
		return c, false, err
	}
	defer big.Close()
	p, err := shape.PlaneOf(big)
	if err != nil {
		return c, false, err
	}
	var binary shape.Bits
	for _, block := range [...]int{0, 45} {
		if block == 0 {
			maps.Above(p, maps.Otsu(p), true, &binary)
		} else {
			maps.BelowMean(p, block, 2*standsOut, false, &binary)
		}
		l, n := middleRow(&binary)
		if n < least || n > minChain || l.Height/scale <= c.Line.Height {
			continue
		}
		x, y := float64(around.Min.X), float64(around.Min.Y)
		c = Candidate{
			Line: Line{X0: l.X0/scale + x, X1: l.X1/scale + x, Y: l.Y/scale + y, Slope: l.Slope, Height: l.Height / scale},
			Box:  q, Score: shortScore, Shapes: n, Framed: true, source: shortSource,
		}
	}
	return c, c.Framed, nil
}

// middleRow is the row of the highest shapes in the middle of a plate's binary map,
// and how many they are; 0 where they are not a row.
func middleRow(b *shape.Bits) (l Line, n int) {
	const (
		lowest, highest = 0.38, 0.9  // of the plate
		alike           = 0.8        // of the highest shape
		off, widestGap  = 0.12, 2.5  // of its height
		aside, above    = 0.25, 0.2  // of the plate: from its middle
		leastInk, edge  = 0.18, 0.04 // of a shape's box; of the plate's height
		steepest        = 0.32
	)
	wide, high := float64(b.W), float64(b.H)
	var row []shape.Shape
	b.Each(func(s shape.Shape) {
		inside := s.X > edge*high && s.X+s.W < wide-edge*high && s.Y > 1 && s.Y+s.H < high-1
		if inside && s.H > lowest*high && s.H < highest*high && s.W >= 0.08*s.H && s.W <= widestShape*s.H && s.Area >= leastInk*s.W*s.H {
			row = append(row, s)
		}
	})
	if len(row) == 0 {
		return l, 0
	}
	tallest := slices.MaxFunc(row, func(a, b shape.Shape) int { return cmp.Compare(a.H, b.H) }).H
	row = slices.DeleteFunc(row, func(s shape.Shape) bool { return s.H < alike*tallest })
	slices.SortFunc(row, func(a, b shape.Shape) int { return cmp.Compare(a.X, b.X) })
	first, last := row[0], row[len(row)-1]
	if len(row) > 1 {
		l.Slope = (last.CY - first.CY) / (last.CX - first.CX)
	}
	for i, s := range row {
		gap := 0.0
		if i > 0 {
			gap = s.X - row[i-1].X - row[i-1].W
		}
		if math.Abs(s.CY-first.CY-l.Slope*(s.CX-first.CX)) > off*tallest || gap < -off*tallest || gap > widestGap*tallest {
			return l, 0
		}
	}
	l.X0, l.X1, l.Y, l.Height = first.X, last.X+last.W, (first.CY+last.CY)/2, tallest
	if math.Abs(l.Slope) > steepest || math.Abs(l.Y-high/2) > above*high || math.Abs((l.X0+l.X1)/2-wide/2) > aside*wide {
		return l, 0
	}
	return l, len(row)
}

// withShort adds short rows to the ranked candidates, where no better one overlaps
// them.
func withShort(ranked, short []Candidate) []Candidate {
	if len(short) == 0 {
		return ranked
	}
	all := slices.Clone(ranked)
next:
	for _, c := range short {
		for _, k := range all {
			if c.Box.Overlap(k.Box) >= sameChain && k.Score >= c.Score {
				continue next
			}
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	return all
}
