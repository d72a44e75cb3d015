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
		farthest      = 1.2       // edges further from the characters are the car's, not the plate's
	)
	x0, x1 := l.X0-beside*l.Height, l.X1+beside*l.Height
	if e, err := p.edgesAround(l); err == nil {
		if e.HasLeft && e.Left > l.X0-farthest*l.Height {
			x0 = e.Left
		}
		if e.HasRight && e.Right < l.X1+farthest*l.Height {
			x1 = e.Right
		}
	}
	return p.quad(l, x0, x1, p.brim(l, -1, above), p.brim(l, 1, above))
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
// pixels downwards from its middle: at the first edge along all the characters, or
// usual character heights away.
func (p *Plate) brim(l Line, side int, usual float64) float64 {
	const (
		nearest, farthest = 0.56, 1.28 // character heights
		through           = 0.8        // of the columns
		each              = 2          // every second column
	)
	fallback := float64(side) * usual * l.Height
	g, err := shape.PlaneOf(p.Grey)
	if err != nil {
		return fallback
	}
	half := int(math.Round(min(max(p.scale, 3), 8)))
	ground, ink := tones(g, l)
	least := int(max(5, edgeStep*(ground-ink))) * half
	x0, x1 := max(0, int(l.X0)), min(g.W, int(l.X1))
	best, at := 0, 0.0
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
		return fallback
	}
	return at
}
