package rectify

import (
	"platewatch/ocr/internal/maps"
	"platewatch/ocr/internal/shape"
)

// measureSlant estimates how far the plate's uprights lean on the levelled picture:
// dx/dy, positive where their feet are to the right of their heads; 0 where it
// cannot be measured. l is a line of its characters. The first call's result
// holds for the picture.
//
// Levelling shears columns, which keeps uprights upright only if the camera is
// upright. Of all shears of the characters, the right one aligns stems with
// columns, so that the ink gathers in few of them: the sum of the squares of the
// columns' ink is largest. On rendered plates rolled by up to 16° the error is
// below 0.03 for nine in ten.
func (p *Plate) measureSlant(l Line) (float64, error) {
	if p.slantKnown {
		return p.slant, nil
	}
	binary, err := newBinariser(p.Grey)
	if err != nil {
		return 0, err
	}
	var ink shape.Bits
	binary.binarise(l.threshold, &ink)
	p.slant, p.slantKnown = slantOf(&ink, l), true
	return p.slant, nil
}

func slantOf(b *shape.Bits, l Line) float64 {
	const (
		steepest = 0.55 // 29°
		step     = 0.05
		steps    = 23   // from -steepest to steepest
		half     = 0.52 // character heights
		// Least gain in that sum over upright columns for a slant to count.
		least = 1.02
	)
	x0, x1 := max(0, int(l.X0-0.3*l.Height)), min(b.W, int(l.X1+0.3*l.Height))
	if x1 <= x0 {
		return 0
	}
	slants := make([]float64, steps)
	for k := range slants {
		slants[k] = float64(k-steps/2) * step
	}
	gathered := maps.Along(l.at((l.X0+l.X1)/2), half*l.Height, b.H, slants).Gathered(b, x0, x1)
	best := 0
	for k := range gathered {
		if gathered[k] > gathered[best] {
			best = k
		}
	}
	if best == 0 || best == steps-1 || gathered[best] < least*gathered[steps/2] {
		return 0
	}
	// The top of the parabola through the best and its neighbours.
	a, b0, c := gathered[best-1], gathered[best], gathered[best+1]
	off := 0.0
	if d := a - 2*b0 + c; d < 0 {
		off = 0.5 * (a - c) / d
	}
	return (float64(best-steps/2) + off) * step
}
