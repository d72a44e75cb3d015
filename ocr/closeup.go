package ocr

import (
	"platewatch/ocr/find"
	"platewatch/ocr/judge"
)

// leastAspect and mostAspect bound a plate's width over its height.
const leastAspect, mostAspect = 1.25, 6.5

// form compares a picture's proportions with those of the plates of the regions: one of
// the same is a plate to its edges, and nothing of it is cut off. A plate is often cut out
// with a little room above and below, so that a narrower picture says less than a lower
// one.
func (r *Recogniser) form(cols, rows int) judge.Form {
	const narrow, lowest, highest, low = 0.82, 0.92, 1.12, 1.2 // of the plate's proportions
	want := r.formats.Shape()
	if want == 0 {
		return judge.AnyForm
	}
	switch aspect := float64(cols) / float64(max(rows, 1)) / want; {
	case aspect > low:
		return judge.TooLow
	case aspect < narrow:
		return judge.TooNarrow
	case aspect < lowest:
		return judge.Narrow
	case aspect <= highest:
		return judge.AsPlates
	}
	return judge.AnyForm
}

// closeUp treats the whole picture as one candidate, for pictures that show only
// a plate: its characters may be higher than any that the finder looks for. ok
// is false for a picture without a plate's proportions.
func closeUp(cols, rows int) (c find.Candidate, ok bool) {
	w, h := float64(cols), float64(rows)
	aspect := w / max(h, 1)
	if aspect < leastAspect || aspect > mostAspect || h < 10 {
		return c, false
	}
	// The longer a plate, the more of its height the characters take: a good
	// two fifths on American ones, three quarters on European ones.
	height := h * min(0.75, 0.3+0.1*aspect)
	return find.Candidate{
		Line:  find.Line{X0: 0.08 * w, X1: 0.92 * w, Y: h / 2, Height: height},
		Box:   find.Box{W: w, H: h},
		Score: 0.5,
	}, true
}
