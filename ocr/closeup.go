package ocr

import (
	"platewatch/ocr/find"
)

// Plates are between these wide for their height.
const leastAspect, mostAspect = 1.25, 6.5

// closeUp is the candidate that a picture of one plate and nothing else is as
// a whole. There the characters may be higher than any that the finder looks
// for in a frame. ok is false for a picture that does not have a plate's shape.
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
