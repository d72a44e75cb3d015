package find

import (
	"cmp"
	"math"
	"slices"

	"platewatch/ocr/internal/shape"
)

// chain is a row of shapes from left to right.
type chain []shape.Shape

const (
	minChain = 3  // shorter rows are too common
	maxChain = 10 // no plate has more characters in a row
)

// chains links letters into rows: each next one close to the right, of similar
// height, on the line so far. From every letter that is not yet in a chain the
// longest chain is kept.
func chains(letters []shape.Shape) []chain {
	if len(letters) < minChain {
		return nil
	}
	slices.SortFunc(letters, func(a, b shape.Shape) int { return cmp.Compare(a.CX, b.CX) })
	right := rightNeighbours(letters)
	used := make([]bool, len(letters))
	row := make([]int32, 0, maxChain)
	longest := make([]int32, 0, maxChain)
	var out []chain
	for first := range letters {
		if used[first] {
			continue
		}
		longest = longest[:0]
		for _, second := range right[first] {
			row = grow(append(row[:0], int32(first), second), letters, right)
			if len(row) > len(longest) {
				longest = append(longest[:0], row...)
			}
		}
		if len(longest) < minChain {
			continue
		}
		ch := make(chain, len(longest))
		for i, k := range longest {
			used[k] = true
			ch[i] = letters[k]
		}
		out = append(out, ch)
	}
	return out
}

// rightNeighbours lists for each letter (sorted by middle) those to its right
// that could follow it on a plate. H is the taller one's height: heights may
// differ by a quarter (perspective, cut-off strokes), a separator may take up
// to 1.5 H, and a plate may lean by up to 31 degrees (a front plate seen from the
// side and from above).
func rightNeighbours(letters []shape.Shape) [][]int32 {
	const similar, widestStep, widestGap, steepest = 0.76, 2.3, 1.5, 0.6
	right := make([][]int32, len(letters))
	for i, a := range letters {
		for j := i + 1; j < len(letters); j++ {
			b := letters[j]
			dx := b.CX - a.CX
			if dx > widestStep*a.H/similar {
				break
			}
			tall, short := max(a.H, b.H), min(a.H, b.H)
			gap := b.X - a.X - a.W
			if short < similar*tall || dx <= 0.25*short || dx >= widestStep*tall ||
				gap >= widestGap*tall || gap <= -0.35*short ||
				math.Abs(b.CY-a.CY) > steepest*dx+0.1*tall {
				continue
			}
			right[i] = append(right[i], int32(j))
		}
	}
	return right
}

// grow appends to row the best next letter until none fits.
func grow(row []int32, letters []shape.Shape, right [][]int32) []int32 {
	for len(row) < maxChain {
		var height float64
		for _, k := range row {
			height += letters[k].H
		}
		height /= float64(len(row))
		fit := fitLine(func(yield func(x, y float64)) {
			for _, k := range row {
				yield(letters[k].CX, letters[k].CY)
			}
		})
		// Two letters fix a slope badly: allow more until there are three.
		near, perPixel := 0.14*height, 0.03
		if len(row) == 2 {
			near, perPixel = 0.16*height, 0.10
		}
		last := letters[row[len(row)-1]]
		next, cost := int32(-1), math.Inf(1)
		for _, k := range right[row[len(row)-1]] {
			s := letters[k]
			dx := s.CX - last.CX
			off := math.Abs(s.CY - fit.at(s.CX))
			taller := math.Abs(s.H - height)
			if off > near+perPixel*dx || taller > 0.22*height {
				continue
			}
			if c := (2*off + 2*taller + 0.5*dx) / height; c < cost {
				next, cost = k, c
			}
		}
		if next < 0 {
			break
		}
		row = append(row, next)
	}
	return row
}

// line is y = y0 + slope·(x − x0) through the points' centroid.
type line struct{ x0, y0, slope float64 }

func (l line) at(x float64) float64 { return l.y0 + l.slope*(x-l.x0) }

// fitLine is the least-squares line through the points that each yields.
func fitLine(each func(yield func(x, y float64))) line {
	var n, sx, sy, sxx, sxy float64
	each(func(x, y float64) {
		n++
		sx += x
		sy += y
		sxx += x * x
		sxy += x * y
	})
	l := line{x0: sx / n, y0: sy / n}
	if v := sxx - sx*sx/n; v > 1e-6 {
		l.slope = (sxy - sx*sy/n) / v
	}
	return l
}

// sift selects the shapes of the pad's map. letters may be characters of minHeight
// to maxHeight pixels; parts are all shapes that may belong to a character
// (merged, broken or faint ones), letters included.
func (p *pad) sift(minHeight, maxHeight float64) {
	p.parts, p.letters = p.parts[:0], p.letters[:0]
	p.binary.Each(func(s shape.Shape) {
		if s.H < 0.6*minHeight || s.H > 1.4*maxHeight || s.W > 3*maxHeight {
			return
		}
		p.parts = append(p.parts, s)
		if isLetter(s, minHeight, maxHeight) {
			p.letters = append(p.letters, s)
		}
	})
}

// isLetter tells whether a shape has a character's proportions: from a bar
// (a 1 or I is a tenth as wide as high) to a W, and solid enough.
func isLetter(s shape.Shape, minHeight, maxHeight float64) bool {
	return s.H >= minHeight && s.H <= maxHeight &&
		s.W >= 2 && s.W >= 0.1*s.H && s.W <= 1.15*s.H &&
		s.Area >= 0.18*s.W*s.H
}
