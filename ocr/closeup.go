package ocr

import (
	"platewatch/ocr/find"
)

// leastAspect and mostAspect bound a plate's width over its height.
const leastAspect, mostAspect = 1.25, 6.5

// shaped tells whether a picture has the proportions of the plates of the regions:
// it is a plate to its edges, and nothing of it is cut off.
func (r *Recogniser) shaped(cols, rows int) bool {
	const lowest, highest = 0.92, 1.12 // pictures of plates, of the plate's proportions
	aspect, want := float64(cols)/float64(max(rows, 1)), r.formats.Shape()
	return want > 0 && aspect >= lowest*want && aspect <= highest*want
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
