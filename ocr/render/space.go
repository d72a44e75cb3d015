package render

import (
	"math"
	"slices"

	"platewatch/ocr/render/paint"
)

// vec is a point of the scene in metres: X to the right of the camera's post,
// Y up from the road, Z along the road away from the camera.
type vec struct{ X, Y, Z float64 }

func (a vec) add(b vec) vec     { return vec{a.X + b.X, a.Y + b.Y, a.Z + b.Z} }
func (a vec) sub(b vec) vec     { return vec{a.X - b.X, a.Y - b.Y, a.Z - b.Z} }
func (a vec) mul(k float64) vec { return vec{a.X * k, a.Y * k, a.Z * k} }
func (a vec) dot(b vec) float64 { return a.X*b.X + a.Y*b.Y + a.Z*b.Z }
func (a vec) len() float64      { return math.Sqrt(a.dot(a)) }
func (a vec) unit() vec         { return a.mul(1 / math.Max(a.len(), 1e-12)) }
func (a vec) cross(b vec) vec {
	return vec{a.Y*b.Z - a.Z*b.Y, a.Z*b.X - a.X*b.Z, a.X*b.Y - a.Y*b.X}
}
func lerp3(a, b vec, t float64) vec { return a.add(b.sub(a).mul(t)) }

// View is a pinhole camera beside the road.
type View struct {
	Width, Height int     // pixels
	Focal         float64 // pixels
	Rise          float64 // height above the road, metres
	Yaw, Pitch    float64 // degrees: to the right, downwards
}

// near is the distance in metres before the lens at which shapes are cut off.
const near = .25

// pinhole is a View with its angles worked out.
type pinhole struct {
	f, cx, cy, rise float64
	sy, cyw, sp, cp float64
}

func (v View) pinhole() pinhole {
	sy, cy := math.Sincos(v.Yaw * math.Pi / 180)
	sp, cp := math.Sincos(v.Pitch * math.Pi / 180)
	return pinhole{v.Focal, float64(v.Width) / 2, float64(v.Height) / 2, v.Rise, sy, cy, sp, cp}
}

// eye gives p in the camera's own axes: x right, y down, z along its axis.
func (c *pinhole) eye(p vec) vec {
	p.Y -= c.rise
	x := p.X*c.cyw - p.Z*c.sy
	z := p.X*c.sy + p.Z*c.cyw
	return vec{x, -p.Y*c.cp - z*c.sp, z*c.cp - p.Y*c.sp}
}

func (c *pinhole) screen(e vec) Point { return Point{X: c.cx + c.f*e.X/e.Z, Y: c.cy + c.f*e.Y/e.Z} }

// project gives the pixel of a point, ok false if it is not before the lens.
func (c *pinhole) project(p vec) (Point, bool) {
	e := c.eye(p)
	return c.screen(e), e.Z > near
}

// stage paints shapes of the scene into a picture.
type stage struct {
	paint.Canvas
	street carriageway
	cam    pinhole
	eyes   []vec
	flat   []Point
	wide   []Point
	press  Press
	lit    []window // of the houses, for the evening
}

// window is a window on the screen, and the dusk from which there is light in it.
type window struct {
	p    []Point
	from float64
}

// outline projects a polygon of the scene, cut at the near plane. The result
// is valid until the next call.
func (s *stage) outline(pts []vec) []Point {
	s.eyes = s.eyes[:0]
	for _, p := range pts {
		s.eyes = append(s.eyes, s.cam.eye(p))
	}
	s.flat = s.flat[:0]
	for i, b := range s.eyes {
		a := s.eyes[(i+len(s.eyes)-1)%len(s.eyes)]
		if (a.Z < near) != (b.Z < near) {
			s.flat = append(s.flat, s.cam.screen(lerp3(a, b, (near-a.Z)/(b.Z-a.Z))))
		}
		if b.Z >= near {
			s.flat = append(s.flat, s.cam.screen(b))
		}
	}
	return s.flat
}

// poly paints a flat polygon of the scene.
func (s *stage) poly(pt paint.Ink, pts ...vec) {
	if p := s.outline(pts); len(p) >= 3 {
		s.Fill(pt, p)
	}
}

// quad paints a polygon with its edges moved half a pixel outwards, so that
// neighbours of one surface show no seam.
func (s *stage) quad(pt paint.Ink, pts ...vec) {
	p := s.outline(pts)
	if len(p) < 3 {
		return
	}
	if paint.Area(p) < 0 {
		slices.Reverse(p)
	}
	n := len(p)
	s.wide = s.wide[:0]
	for i, q := range p {
		u, v := q.Sub(p[(i+n-1)%n]).Unit(), p[(i+1)%n].Sub(q).Unit()
		// outward normals of the two edges that meet here
		m := Point{X: u.Y + v.Y, Y: -u.X - v.X}
		k := .6 / math.Max(.35, 1+u.X*v.X+u.Y*v.Y)
		s.wide = append(s.wide, q.Add(m.Mul(k)))
	}
	s.Fill(pt, s.wide)
}

// plane is a flat or bent surface: it maps metres (x right, y down) to the scene.
type plane func(x, y float64) vec

// on paints a polygon that lies on a surface.
func (s *stage) on(f plane, pt paint.Ink, pts []Point) {
	v := make([]vec, len(pts))
	for i, p := range pts {
		v[i] = f(p.X, p.Y)
	}
	s.poly(pt, v...)
}

// write paints lettering on a surface, centred at x, its top at y, h high.
func (s *stage) write(f plane, d *Die, text string, x, y, h float64, pt paint.Ink) {
	gap := h * .16
	x -= d.textWidth(text, h, gap, h*.5) / 2
	for _, ch := range text {
		g := d.glyph(ch)
		if g == nil {
			x += h * .5
			continue
		}
		polys := make([][]Point, 0, len(g.polys))
		for _, q := range g.polys {
			v := make([]vec, len(q))
			for i, a := range q {
				v[i] = f(x+a.X*h/100, y+a.Y*h/100)
			}
			if o := s.outline(v); len(o) >= 3 {
				o = append([]Point(nil), o...)
				// all the same way round, or overlaps would cancel
				if paint.Area(o) < 0 {
					o = paint.Reversed(o)
				}
				polys = append(polys, o)
			}
		}
		if len(polys) > 0 {
			s.Fill(pt, polys...)
		}
		x += g.width*h/100 + gap
	}
}
