package rectify

import (
	"math"
	"slices"
	"testing"

	"platewatch/ocr/render"
	"platewatch/ocr/rendertest"
)

// TestCorners: on plates without a band the worst of the four corners is
// mostly within a quarter of a character height, and on nine in ten plates of
// a kind within 0.6 of it, unless the car's lines are taken for the plate's.
func TestCorners(t *testing.T) {
	var off []float64
	for _, name := range []string{"gb-plain", "us-ca", "us-tx", "us-fl", "br", "tw"} {
		for seed := range uint64(12) {
			c := closeup(seed, rendertest.Mounted{Spec: render.PlateSpec{Layout: name}})
			c.Width, c.Margin = 1.3*c.Width, .7
			l, ok := onCloseup(t, c)
			if !ok {
				continue
			}
			worst := 0.0
			for k, q := range l.Corners(l.Line) {
				at := l.FromFrame(q)
				worst = max(worst, math.Hypot(at.X-l.face[k].X, at.Y-l.face[k].Y)/l.Height)
			}
			off = append(off, worst)
		}
	}
	slices.Sort(off)
	n := len(off)
	t.Logf("%d plates: worst corner within %.2f for half, %.2f for three in four, %.2f for nine in ten", n, off[n/2], off[n*3/4], off[n*9/10])
	if n < 60 || off[n/2] > 0.25 || off[n*3/4] > 0.4 || off[n*9/10] > 0.6 {
		t.Errorf("%d plates: worst corner within %.2f for half (want 0.25), %.2f for three in four (0.4), %.2f for nine in ten (0.6)",
			n, off[n/2], off[n*3/4], off[n*9/10])
	}
}
