package rectify

import (
	"math"

	"platewatch/ocr/internal/maps"
	"platewatch/ocr/internal/shape"
)

// edges are the plate's ends to the left and right of its characters, at the
// middle of their line: its border, the inner side of its country band, or the
// step from its ground to the car. Where none is visible, the frame's end counts
// as one.
type edges struct {
	Left, Right       float64 // columns of the levelled picture
	HasLeft, HasRight bool
	// Seen: it is visible, not the frame's end.
	SeenLeft, SeenRight bool
}

// Thresholds for a plate's edge in a column of a levelled picture. Of the
// settings that were tried on the labelled pictures these most often found an
// edge within 0.35 character heights of the true one (98 % of crops/us, 83 % of
// frames/us), and least often one inside the plate (2 and 7 %).
const (
	// An edge runs through from above the characters to below them, where
	// strokes of characters have ended.
	edgeReach = 0.68 // character heights above and below the line's middle
	// Grey values change across it by this share of the contrast of the
	// characters, in this share of its rows, one way.
	edgeStep, edgeThrough = 0.2, 0.85
	// Inside the line the threshold is higher: an edge there means that something
	// beside the plate was mistaken for a character.
	edgeSlack, edgeThroughInside = 0.15, 0.97
	// Of a regular row no more shapes than this are mistaken; a thin figure 1 at the end of
	// a steep plate looks like an edge.
	mostBeyondEdge = 1
)

// edgesAround looks for the plate's left and right edge around a line.
func (p *Plate) edgesAround(l Line) (edges, error) {
	share, err := p.edgeProfile(l)
	if err != nil {
		return edges{}, err
	}
	// The first edge met on the way out, up to its peak.
	scan := func(from float64, dir int) (float64, bool) {
		end, far := l.X1, l.X1+beyondEnds*l.Height
		if dir < 0 {
			end, far = l.X0, l.X0-beyondEnds*l.Height
		}
		for x := int(from); x > 0 && x < len(share)-1 && (far-float64(x))*float64(dir) > 0; x += dir {
			least := edgeThrough
			inside := (end-float64(x))*float64(dir) > edgeSlack*l.Height
			if inside {
				least = edgeThroughInside
			}
			if share[x] < least || inside && l.beyond(float64(x), dir) > mostBeyondEdge {
				continue
			}
			for x+dir >= 0 && x+dir < len(share) && share[x+dir] > share[x] {
				x += dir
			}
			return float64(x), true
		}
		return 0, false
	}
	// At least half of a line is characters.
	inside := min(l.Height, (l.X1-l.X0)/4)
	var e edges
	e.Left, e.HasLeft = scan(l.X0+inside, -1)
	e.Right, e.HasRight = scan(l.X1-inside, 1)
	e.SeenLeft, e.SeenRight = e.HasLeft, e.HasRight
	first, last := p.frameEnds()
	if first > l.X0-beyondEnds*l.Height && (!e.HasLeft || e.Left < first) {
		e.Left, e.HasLeft, e.SeenLeft = first, true, false
	}
	if last < l.X1+beyondEnds*l.Height && (!e.HasRight || e.Right > last) {
		e.Right, e.HasRight, e.SeenRight = last, true, false
	}
	return e, nil
}

// beyond is how many letters of a line lie beyond a column, to the right (1) or the
// left (-1).
func (l Line) beyond(x float64, dir int) int {
	n := 0
	for _, s := range l.Letters {
		if (s.CX-x)*float64(dir) > 0 {
			n++
		}
	}
	return n
}

// EdgesSeen tells whether the plate's edges left and right of a line are visible.
// The frame's ends are none.
func (p *Plate) EdgesSeen(l Line) (left, right bool, err error) {
	e, err := p.edgesAround(l)
	return e.SeenLeft, e.SeenRight, err
}

// edgeBetween tells whether one of the plate's edges lies between two columns.
func (p *Plate) edgeBetween(l Line, x0, x1 float64) (bool, error) {
	share, err := p.edgeProfile(l)
	if err != nil {
		return false, err
	}
	for x := max(0, int(x0)); x <= min(int(x1), len(share)-1); x++ {
		if share[x] >= edgeThrough {
			return true, nil
		}
	}
	return false, nil
}

// profile is the edge profile of a line, cached because it is needed when the
// line is lengthened, and again for every crop.
type profile struct {
	y0, slope, height float64 // of the line
	share             []float64
}

// edgeProfile says for every column of the levelled picture in how many of its
// rows around the line there is a step in grey value, as a share: that of the
// commoner direction, at the slant that gives most.
func (p *Plate) edgeProfile(l Line) ([]float64, error) {
	for _, k := range p.profiles {
		if k.y0 == l.Y0 && k.slope == l.Slope && k.height == l.Height {
			return k.share, nil
		}
	}
	g, err := shape.PlaneOf(p.Grey)
	if err != nil {
		return nil, err
	}
	slant, err := p.measureSlant(l)
	if err != nil {
		return nil, err
	}
	// Both edges of a plate need not have the same slant.
	slants := []float64{slant - 0.16, slant - 0.08, slant, slant + 0.08, slant + 0.16}
	// Small plates were enlarged, so an edge is as wide as an original pixel.
	half := int(math.Round(min(max(1.2*p.scale, 4), 9)))
	ground, ink := tones(g, l)
	least := int(max(5, edgeStep*(ground-ink))) * half
	rows := maps.Along(l.at((l.X0+l.X1)/2), edgeReach*l.Height, g.H, slants)
	out := make([]float64, g.W)
	for x, most := range rows.Steps(g, half, least) {
		out[x] = float64(most) / float64(max(1, rows.Rows()))
	}
	p.profiles = append(p.profiles, profile{l.Y0, l.Slope, l.Height, out})
	return out, nil
}

// frameEnds are the columns of the frame's first and last column.
func (p *Plate) frameEnds() (first, last float64) {
	middle := float64(p.Grey.Cols()) / 2
	return middle - p.x*p.scale, middle + (p.wide-p.x)*p.scale
}
