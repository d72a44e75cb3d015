package render

import "platewatch/ocr/render/paint"

import "math"

// A glyph is drawn the way a die is cut: a centre line of straight legs with
// rounded corners, followed by a tool of constant width. Units: the capital
// height is 100.

// vert is a corner of a centre line; r rounds it (0: sharp). On a horizontal
// leg the curve starts at most r.X before the corner, on a vertical one r.Y.
type vert struct {
	x, y float64
	r    Point
}

// ends of a stroke
const (
	capButt  = iota
	capRound // half a circle
	capCut   // run on past the end and let the glyph's box cut it flat
)

type stroke struct {
	v          []vert
	closed     bool
	start, end int
	thin       float64 // share of the die's stroke width; 0 means all of it
	top        float64 // nothing is drawn above this line
}

const flatSteps = 7 // chords per rounded corner

// flatten turns the centre line into a polyline. kappa is the handle length of
// the corner's Bézier curve: 0.5523 an ellipse, towards 1 squarer.
func (s stroke) flatten(kappa float64) []Point {
	n := len(s.v)
	out := make([]Point, 0, n*flatSteps)
	for i, v := range s.v {
		p := Point{X: v.x, Y: v.y}
		if (v.r == Point{}) || !s.closed && (i == 0 || i == n-1) {
			out = append(out, p)
			continue
		}
		a, b := s.v[(i+n-1)%n], s.v[(i+1)%n]
		da, db := Point{X: a.x, Y: a.y}.Sub(p), Point{X: b.x, Y: b.y}.Sub(p)
		reach := func(d Point, o vert, end bool) float64 {
			u := d.Unit()
			k := .5
			if (o.r == Point{}) || end {
				k = 1 // nothing is rounded at the far end: the curve may take the whole leg
			}
			return math.Min(math.Abs(u.X)*v.r.X+math.Abs(u.Y)*v.r.Y, d.Len()*k)
		}
		ra := reach(da, a, !s.closed && i-1 == 0)
		rb := reach(db, b, !s.closed && i+1 == n-1)
		p0, p3 := p.Add(da.Unit().Mul(ra)), p.Add(db.Unit().Mul(rb))
		p1, p2 := paint.Lerp(p0, p, kappa), paint.Lerp(p3, p, kappa)
		for k := 0; k <= flatSteps; k++ {
			t := float64(k) / flatSteps
			m := 1 - t
			out = append(out, Point{
				X: m*m*m*p0.X + 3*m*m*t*p1.X + 3*m*t*t*p2.X + t*t*t*p3.X,
				Y: m*m*m*p0.Y + 3*m*m*t*p1.Y + 3*m*t*t*p2.Y + t*t*t*p3.Y,
			})
		}
	}
	// equal neighbours have no direction
	w := out[:0]
	for _, p := range out {
		if len(w) == 0 || p.Sub(w[len(w)-1]).Len() > 1e-6 {
			w = append(w, p)
		}
	}
	if s.closed && len(w) > 1 && w[0].Sub(w[len(w)-1]).Len() <= 1e-6 {
		w = w[:len(w)-1]
	}
	return w
}

// outline returns convex polygons, all with the same orientation, whose union
// is the stroke of width t, cut to the box (0,0)–(w,h).
func (s stroke) outline(t, kappa, w, h float64) [][]Point {
	if s.thin > 0 {
		t *= s.thin
	}
	p := s.flatten(kappa)
	n := len(p)
	if n < 2 {
		return nil
	}
	var out [][]Point
	emit := func(q ...Point) {
		q = clipBox(q, s.top, w, h)
		if len(q) < 3 {
			return
		}
		if paint.Area(q) < 0 {
			q = paint.Reversed(q)
		}
		out = append(out, q)
	}
	r := t / 2
	segs := n - 1
	if s.closed {
		segs = n
	}
	for i := range segs {
		a, b := p[i], p[(i+1)%n]
		u := b.Sub(a).Unit()
		nn := Point{X: -u.Y * r, Y: u.X * r}
		a2, b2 := a, b
		if !s.closed && i == 0 && s.start == capCut {
			a2 = a.Sub(u.Mul(2 * t))
		}
		if !s.closed && i == segs-1 && s.end == capCut {
			b2 = b.Add(u.Mul(2 * t))
		}
		emit(a2.Add(nn), b2.Add(nn), b2.Sub(nn), a2.Sub(nn))
		if i < segs-1 || s.closed {
			c := p[(i+2)%n]
			v := c.Sub(b).Unit()
			cross, dot := u.X*v.Y-u.Y*v.X, u.X*v.X+u.Y*v.Y
			if math.Abs(cross) < 1e-9 && dot > 0 {
				continue
			}
			m := Point{X: -v.Y * r, Y: v.X * r}
			sgn := 1.0
			if cross > 0 {
				sgn = -1
			}
			o0, o1 := b.Add(nn.Mul(sgn)), b.Add(m.Mul(sgn))
			// Mitred like a milled corner, the box cuts what runs out.
			if k := 1 / math.Sqrt(math.Max((1+dot)/2, 1e-6)); k < 9 {
				mid := nn.Add(m).Mul(sgn).Unit().Mul(r * k)
				emit(b, o0, b.Add(mid), o1)
			} else {
				emit(b, o0, o1)
			}
		}
	}
	if !s.closed {
		if s.start == capRound {
			emit(paint.Ellipse(p[0].X, p[0].Y, r, r, 16)...)
		}
		if s.end == capRound {
			emit(paint.Ellipse(p[n-1].X, p[n-1].Y, r, r, 16)...)
		}
	}
	return out
}

// clipBox cuts a polygon to (0,top)–(w,h).
func clipBox(p []Point, top, w, h float64) []Point { return paint.ClipRect(p, 0, top, w, h) }
