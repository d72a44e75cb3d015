package paint

import (
	"errors"
	"image"
	"math"
)

// Point is a position: pixels of the picture it belongs to, or millimetres on
// a plate's face, x to the right and y down.
type Point struct{ X, Y float64 }

func (p Point) Add(q Point) Point      { return Point{p.X + q.X, p.Y + q.Y} }
func (p Point) Sub(q Point) Point      { return Point{p.X - q.X, p.Y - q.Y} }
func (p Point) Mul(k float64) Point    { return Point{p.X * k, p.Y * k} }
func (p Point) Len() float64           { return math.Hypot(p.X, p.Y) }
func Lerp(p, q Point, t float64) Point { return Point{p.X + (q.X-p.X)*t, p.Y + (q.Y-p.Y)*t} }
func Mix(a, b, t float64) float64      { return a + (b-a)*t }
func Clamp(v, lo, hi float64) float64  { return math.Max(lo, math.Min(hi, v)) }
func Smooth(edge0, edge1, v float64) float64 {
	t := Clamp((v-edge0)/(edge1-edge0), 0, 1)
	return t * t * (3 - 2*t)
}

// Unit returns p scaled to length 1, or the zero point.
func (p Point) Unit() Point {
	if l := p.Len(); l > 0 {
		return p.Mul(1 / l)
	}
	return Point{}
}

// Homography maps the plane onto itself, row-major 3 × 3: it takes (x, y) to
// (h0·x+h1·y+h2, h3·x+h4·y+h5) / (h6·x+h7·y+h8).
type Homography [9]float64

// ErrDegenerate is returned for four points of which three are on one line.
var ErrDegenerate = errors.New("paint: the four corners do not span a quadrilateral")

// RectTo returns the homography that takes the rectangle (0,0)–(w,h) to the
// quadrilateral q, given as its top-left, top-right, bottom-right and
// bottom-left corner. The closed form is Heckbert's (Fundamentals of Texture
// Mapping, 1989, section 2.2.3).
func RectTo(w, h float64, q [4]Point) (Homography, error) {
	dx1, dy1 := q[1].X-q[2].X, q[1].Y-q[2].Y
	dx2, dy2 := q[3].X-q[2].X, q[3].Y-q[2].Y
	sx, sy := q[0].X-q[1].X+q[2].X-q[3].X, q[0].Y-q[1].Y+q[2].Y-q[3].Y
	den := dx1*dy2 - dx2*dy1
	if math.Abs(den) < 1e-9 || w <= 0 || h <= 0 {
		return Homography{}, ErrDegenerate
	}
	g := (sx*dy2 - dx2*sy) / den
	k := (dx1*sy - sx*dy1) / den
	m := Homography{
		q[1].X - q[0].X + g*q[1].X, q[3].X - q[0].X + k*q[3].X, q[0].X,
		q[1].Y - q[0].Y + g*q[1].Y, q[3].Y - q[0].Y + k*q[3].Y, q[0].Y,
		g, k, 1,
	}
	for i := 0; i < 9; i += 3 {
		m[i] /= w
		m[i+1] /= h
	}
	return m, nil
}

// Apply maps one point.
func (m Homography) Apply(p Point) Point {
	d := m[6]*p.X + m[7]*p.Y + m[8]
	return Point{(m[0]*p.X + m[1]*p.Y + m[2]) / d, (m[3]*p.X + m[4]*p.Y + m[5]) / d}
}

// Inverse returns the map the other way round (the adjugate: a homography is
// defined up to a factor).
func (m Homography) Inverse() Homography {
	return Homography{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}

// Bounds is the smallest integer rectangle that holds all points.
func Bounds(pts []Point) image.Rectangle {
	if len(pts) == 0 {
		return image.Rectangle{}
	}
	lo, hi := pts[0], pts[0]
	for _, p := range pts[1:] {
		lo.X, lo.Y = math.Min(lo.X, p.X), math.Min(lo.Y, p.Y)
		hi.X, hi.Y = math.Max(hi.X, p.X), math.Max(hi.Y, p.Y)
	}
	return image.Rect(int(math.Floor(lo.X)), int(math.Floor(lo.Y)), int(math.Ceil(hi.X)), int(math.Ceil(hi.Y)))
}

// Area is twice the signed area of a polygon (positive: clockwise on screen).
func Area(p []Point) float64 {
	a := 0.0
	for i, q := range p {
		r := p[(i+1)%len(p)]
		a += q.X*r.Y - r.X*q.Y
	}
	return a
}

// ClipRect cuts a polygon to a rectangle (Sutherland and Hodgman, 1974). The
// result has no corner where nothing is left.
func ClipRect(p []Point, x0, y0, x1, y1 float64) []Point {
	for side := range 4 {
		inside := func(q Point) float64 {
			switch side {
			case 0:
				return q.X - x0
			case 1:
				return x1 - q.X
			case 2:
				return q.Y - y0
			}
			return y1 - q.Y
		}
		q := make([]Point, 0, len(p)+2)
		for i, b := range p {
			a := p[(i+len(p)-1)%len(p)]
			da, db := inside(a), inside(b)
			if (da < 0) != (db < 0) {
				q = append(q, Lerp(a, b, da/(da-db)))
			}
			if db >= 0 {
				q = append(q, b)
			}
		}
		if p = q; len(p) == 0 {
			return nil
		}
	}
	return p
}
