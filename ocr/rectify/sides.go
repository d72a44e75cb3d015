package rectify

import (
	"math"

	"platewatch/ocr/internal/shape"
)

// Side is what can be seen of one end of a plate. Lengths are in heights of the
// characters.
type Side struct {
	Edge   bool    // an edge is visible
	Gap    float64 // from the characters to that edge
	Ground float64 // plain ground beside the characters, up to mostGround
}

// mostGround bounds [Side.Ground].
const mostGround = 1.5

// Sides measures the left and right end of a plate around a line.
func (p *Plate) Sides(l Line) (left, right Side, err error) {
	e, err := p.edgesAround(l)
	if err != nil {
		return left, right, err
	}
	g, err := p.groundOf(l)
	if err != nil {
		return left, right, err
	}
	left, right = Side{Edge: e.SeenLeft, Ground: g.width(l.X0, -1)}, Side{Edge: e.SeenRight, Ground: g.width(l.X1, 1)}
	if e.SeenLeft {
		left.Gap = (l.X0 - e.Left) / l.Height
	}
	if e.SeenRight {
		right.Gap = (e.Right - l.X1) / l.Height
	}
	return left, right, nil
}

// groundAround tells where a line's surroundings are plain ground.
type groundAround struct {
	shape.Plane
	l     Line
	slant float64 // of the plate's uprights
	least float64 // grey value
}

func (p *Plate) groundOf(l Line) (groundAround, error) {
	const lighter = 0.6 // of the way from ink to ground
	g, err := shape.PlaneOf(p.Grey)
	if err != nil {
		return groundAround{}, err
	}
	slant, err := p.measureSlant(l)
	ground, ink := tones(g, l)
	return groundAround{g, l, slant, ink + lighter*(ground-ink)}, err
}

// width is that of the plain ground from the characters' end outwards (−1: to the
// left), in heights of the characters.
func (g *groundAround) width(end, outwards float64) float64 {
	const slack = 0.25 // how far the end may be wrong
	h := g.l.Height
	x := end - outwards*slack*h
	for ; (x-end)*outwards <= slack*h; x += outwards { // past the last character's ink
		if g.column(x) && g.column(x+outwards) {
			break
		}
	}
	from := x
	for g.column(x) && (x-from)*outwards < mostGround*h {
		x += outwards
	}
	return (x - from) * outwards / h
}

// column tells whether a column is ground from the characters' top to their foot.
func (g *groundAround) column(x float64) bool {
	const band, share = 0.42, 0.9 // character heights above and below the middle; of the column
	n, all := 0, 0
	for d := -band * g.l.Height; d <= band*g.l.Height; d += 2 {
		at, row := int(math.Round(x+g.slant*d)), int(math.Round(g.l.at(x)+d))
		all++
		if at >= 0 && at < g.W && row >= 0 && row < g.H && float64(g.Pix[row*g.W+at]) >= g.least {
			n++
		}
	}
	return float64(n) >= share*float64(all)
}
