package rectify

import (
	"math"

	"platewatch/ocr/internal/shape"
)

// Bounds returns the corners of a line's characters in the frame, clockwise
// from the top left.
func (p *Plate) Bounds(l Line) [4]Point {
	return p.quad(l, l.X0, l.X1, -0.5*l.Height, 0.5*l.Height)
}

// Corners returns the corners of the plate around a line in the frame,
// clockwise from the top left: where its edges were seen, and else where a
// plate's edges are on average. A coloured band is left out where an edge
// divides it from the rest.
func (p *Plate) Corners(l Line) [4]Point {
	const (
		above, beside = 0.9, 0.55 // see the finder's estimate of the plate
		// Edges further from the characters are the car's, not the plate's. A plate of
		// few characters has wide margins.
		usual, widest, longest = 1.2, 2.5, 6
	)
	farthest := min(max(usual, (longest-(l.X1-l.X0)/l.Height)/2), widest)
	x0, x1 := l.X0-beside*l.Height, l.X1+beside*l.Height
	if e, err := p.edgesAround(l); err == nil {
		if e.HasLeft && e.Left > l.X0-farthest*l.Height {
			x0 = e.Left
		}
		if e.HasRight && e.Right < l.X1+farthest*l.Height {
			x1 = e.Right
		}
	}
	top, _ := p.brim(l, -1, above)
	foot, _ := p.brim(l, 1, above)
	return p.quad(l, x0, x1, top, foot)
}

// Framed tells whether the edges of a plate are visible on all four sides of a
// line.
func (p *Plate) Framed(l Line) (bool, error) {
	e, err := p.edgesAround(l)
	if err != nil {
		return false, err
	}
	_, above := p.brim(l, -1, 1)
	_, below := p.brim(l, 1, 1)
	return e.SeenLeft && e.SeenRight && above && below, nil
}

// quad returns, in the frame, the part of a line's surroundings from column x0 to x1
// and from y0 to y1 pixels below its middle; its sides have the plate's slant.
func (p *Plate) quad(l Line, x0, x1, y0, y1 float64) [4]Point {
	corner := func(x, y float64) Point {
		return p.toFrame(Point{x + p.slant*y, l.at(x) + y})
	}
	return [4]Point{corner(x0, y0), corner(x1, y0), corner(x1, y1), corner(x0, y1)}
}

// brim returns where the plate ends above (side −1) or below (side 1) a line, in
// pixels downwards from its middle: at the first edge along all the characters, or,
// where none is seen, usual character heights away.
func (p *Plate) brim(l Line, side int, usual float64) (at float64, seen bool) {
	const (
		nearest, farthest = 0.56, 1.28 // character heights
		through           = 0.8        // of the columns
		each              = 2          // every second column
	)
	fallback := float64(side) * usual * l.Height
	g, err := shape.PlaneOf(p.Grey)
	if err != nil {
		return fallback, false
	}
	half := int(math.Round(min(max(p.scale, 3), 8)))
	ground, ink := tones(g, l)
	least := int(max(5, edgeStep*(ground-ink))) * half
	x0, x1 := max(0, int(l.X0)), min(g.W, int(l.X1))
	best := 0
	for d := nearest * l.Height; d < farthest*l.Height; d++ {
		dy := float64(side) * d
		darker, lighter, columns := 0, 0, 0
		for x := x0; x < x1; x += each {
			columns++
			y := int(math.Round(l.at(float64(x)) + dy))
			if y-half < 0 || y+half > g.H {
				continue
			}
			step := 0
			for k := range half {
				step += int(g.Pix[(y+k)*g.W+x]) - int(g.Pix[(y-1-k)*g.W+x])
			}
			if step >= least {
				lighter++
			} else if step <= -least {
				darker++
			}
		}
		n := max(darker, lighter)
		switch {
		case float64(n) >= through*float64(columns) && n > best:
			best, at = n, dy
		case best > 0: // past the peak
			d = farthest * l.Height
		}
	}
	if best == 0 {
		return fallback, false
	}
	return at, true
}
