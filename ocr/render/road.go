package render

import (
	"image/color"
	"math"
	"math/rand/v2"

	"platewatch/ocr/render/paint"
)

// The street, in metres: the camera stands on the right-hand pavement.
const (
	kerbRight = -.45
	laneWidth = 2.65
	verge     = .1   // between a kerb and its lane
	pavement  = 2.55 // between the far kerb and the houses
)

// LaneNear, LaneFar and LaneThird are the middles of the lanes (Vehicle.Lane),
// from the camera on.
const (
	LaneNear  = -1.8
	LaneFar   = LaneNear - laneWidth
	LaneThird = LaneFar - laneWidth
)

// maxLanes bounds [ClipSpec.Lanes]: farther off nothing can be read.
const maxLanes = 3

// carriageway is where a street's parts lie across it, in metres.
type carriageway struct {
	lanes    []float64 // middles, from the camera on
	kerbLeft float64
	wall     float64 // the houses' fronts
}

func carriagewayOf(lanes int) carriageway {
	st := carriageway{kerbLeft: kerbRight - verge - float64(lanes)*laneWidth}
	for i := range lanes {
		st.lanes = append(st.lanes, LaneNear-float64(i)*laneWidth)
	}
	st.wall = st.kerbLeft - pavement
	return st
}

// road paints everything that does not move, in daylight.
func (s *stage) road(r *rand.Rand) {
	kerbLeft, wallX := s.street.kerbLeft, s.street.wall
	w, h := float64(s.Image.Rect.Dx()), float64(s.Image.Rect.Dy())
	hz, _ := s.cam.project(vec{0, s.cam.rise, 1e5})
	s.Fill(paint.Gradient(paint.RGB(0x9DBEDD), paint.RGB(0xE3EBEE), Point{X: 0, Y: 0}, Point{X: 0, Y: hz.Y}), paint.Rect(0, 0, w, h))
	for range 6 { // clouds
		x, y := w*r.Float64(), hz.Y*(.1+.6*r.Float64())
		for i := range 7 {
			s.Fill(paint.Sheer(paint.RGB(0xFFFFFF), .25), paint.Ellipse(x+float64(i)*18, y+6*r.NormFloat64(), 30+20*r.Float64(), 7+6*r.Float64(), 20))
		}
	}
	ground := func(c uint32, x0, x1, z0, z1 float64) {
		s.poly(paint.Solid(paint.RGB(c)), vec{x0, 0, z0}, vec{x1, 0, z0}, vec{x1, 0, z1}, vec{x0, 0, z1})
	}
	ground(0x8F9683, -300, 300, .3, 3000)
	// far woods where the street ends
	for i := range 40 {
		p, _ := s.cam.project(vec{-60 + 4*float64(i), 0, 190})
		q := 14 + 16*r.Float64()
		s.Fill(paint.Solid(paint.Shade(paint.RGB(0x6F8572), .9+.25*r.Float64())), paint.Ellipse(p.X, p.Y-q*.7, q*1.3, q, 18))
	}
	ground(0xA9A69E, wallX, kerbLeft, .3, 400) // pavements
	ground(0xA9A69E, kerbRight, 3, .3, 400)
	ground(0x5D5F62, kerbLeft, kerbRight, .3, 400)
	s.paving()
	s.houses(r)
	for _, x := range [2]float64{kerbLeft, kerbRight} {
		dx := .14
		if x == kerbLeft {
			dx = -.14
		}
		s.poly(paint.Solid(paint.RGB(0x8D8C88)), vec{x, 0, .3}, vec{x, .11, .3}, vec{x, .11, 400}, vec{x, 0, 400})
		s.poly(paint.Solid(paint.RGB(0xBDBBB5)), vec{x, .11, .3}, vec{x + dx, .11, .3}, vec{x + dx, .11, 400}, vec{x, .11, 400})
	}
	for _, lane := range s.street.lanes[1:] { // the dashes between the lanes
		for z := 1.0; z < 200; z += 6 {
			mid := lane + 1.3
			ground(0xD9D8D0, mid-.06, mid+.06, z, z+3)
		}
	}
	ground(0xC9C8C0, kerbLeft+.28, kerbLeft+.36, .3, 300)
	ground(0xC9C8C0, kerbRight-.36, kerbRight-.28, .3, 300)
	s.grain(r.Uint64(), hz.Y)
	for _, z := range [...]float64{150, 118, 92, 70, 51, 35, 22} {
		s.tree(wallX+2.0, z, 4.4+1.4*r.Float64(), r)
	}
	for _, z := range [...]float64{60, 28} {
		s.post(kerbLeft-.35, z, 5.5, true)
	}
	s.board(kerbLeft-.55, 17, .62, .62, 2.25, "P", "MO-FR 8-18", 0x1D55A5)
	s.board(kerbLeft-.6, 43, .9, .45, 2.3, "A7", "CENTRE 2", 0x2A6B43)
}

// houses paints the row of façades on the left.
func (s *stage) houses(r *rand.Rand) {
	wallX := s.street.wall
	walls := [...]uint32{0xC9B79A, 0xB88468, 0xD6CFC0, 0xA9A294, 0xC7A67E, 0xB9BFC0, 0x9C6B55, 0xDCD3B4}
	signs := [...]string{"BAKERY 24", "CAFE LINDE", "HOTEL 1907", "OPTIK", "BOOKS & TEA", "TEL 555 0147", "KIOSK", "FLOWERS"}
	z := 5.0
	var list [][3]float64
	for z < 170 {
		l := 7 + 5*r.Float64()
		list = append(list, [3]float64{z, z + l, 5.6 + 4.5*r.Float64()})
		z += l
	}
	for i := len(list) - 1; i >= 0; i-- {
		b := list[i]
		z0, z1, h := b[0], b[1], b[2]
		f := plane(func(x, y float64) vec { return vec{wallX, y, z0 + x} })
		wall := paint.Shade(paint.RGB(walls[i%len(walls)]), .95+.1*r.Float64())
		l := z1 - z0
		// the gable end that shows where the next house is lower
		s.poly(paint.Solid(paint.Shade(wall, .7)), vec{wallX, 0, z1}, vec{wallX - 8, 0, z1}, vec{wallX - 8, h, z1}, vec{wallX, h, z1})
		s.on(f, paint.Solid(wall), paint.Rect(0, 0, l, h))
		s.poly(paint.Solid(paint.RGB(0x7A4B3C)), vec{wallX + .25, h, z0}, vec{wallX + .25, h, z1}, vec{wallX - 4, h + 2.6, z1}, vec{wallX - 4, h + 2.6, z0})
		s.on(f, paint.Solid(paint.Shade(wall, .72)), paint.Rect(0, 0, l, .45))
		s.on(f, paint.Solid(paint.Shade(wall, .8)), paint.Rect(0, h-.16, l, h))
		n := int(l / 2.2)
		for fl := 0; float64(fl)*2.9+3.1+1.5 < h; fl++ {
			for j := range n {
				x := l * (float64(j) + .5) / float64(n)
				y := 3.1 + 2.9*float64(fl)
				s.on(f, paint.Solid(paint.Shade(paint.RGB(0xEDEAE2), .95)), paint.Rect(x-.58, y-.08, x+.58, y+1.58))
				s.on(f, paint.Gradient(paint.RGB(0x4A5C6C), paint.RGB(0x2C3640), Point{X: 0, Y: 0}, Point{X: 0, Y: 400}), paint.Rect(x-.48, y, x+.48, y+1.5))
				s.on(f, paint.Solid(paint.RGB(0xE4E1D8)), paint.Rect(x-.03, y, x+.03, y+1.5))
				s.light(f, paint.Rect(x-.48, y, x-.03, y+1.5), r)
			}
		}
		if i%2 == 0 { // a shop
			s.on(f, paint.Solid(paint.RGB(0x2B3138)), paint.Rect(.6, .5, l-2.0, 2.35))
			s.on(f, paint.Sheer(paint.RGB(0x9FB4C4), .35), paint.Rect(.75, .6, l-2.15, 2.25))
			s.light(f, paint.Rect(.75, .6, l-2.15, 2.25), r)
			s.on(f, paint.Solid(paint.RGB([]uint32{0x23405C, 0x5C2326, 0x2A4A34, 0xE8E2D2}[i/2%4])), paint.Rect(.5, 2.42, l-1.9, 2.95))
			ink := paint.RGB(0xF2EFE6)
			if i/2%4 == 3 {
				ink = paint.RGB(0x2A2A2A)
			}
			s.write(func(x, y float64) vec { return f(x, -y) }, dies["bold"], signs[i/2%len(signs)], (l-1.4)/2, -2.84, .3, paint.Solid(ink))
		} else {
			for j := range max(n-1, 1) {
				x := (l - 1.6) * (float64(j) + .5) / float64(max(n-1, 1))
				s.on(f, paint.Solid(paint.RGB(0xE4E1D8)), paint.Rect(x-.6, .85, x+.6, 2.4))
				s.on(f, paint.Solid(paint.RGB(0x35404A)), paint.Rect(x-.5, .93, x+.5, 2.32))
				s.light(f, paint.Rect(x-.5, .93, x+.5, 2.32), r)
			}
		}
		s.on(f, paint.Solid(paint.Shade(paint.RGB(0x5A3B2A), .8+.5*r.Float64())), paint.Rect(l-1.5, .05, l-.55, 2.15))
	}
}

// light records a window that may be lit in the evening.
func (s *stage) light(f plane, p []Point, r *rand.Rand) {
	from := .2 + 1.1*r.Float64()
	v := make([]vec, len(p))
	for i, q := range p {
		v[i] = f(q.X, q.Y)
	}
	// Trees and posts stand before the windows farther off: those stay dark.
	if from < .8 && (v[0].Z < 14 || v[0].Z < 34 && p[0].Y < 3) {
		s.lit = append(s.lit, window{append([]Point(nil), s.outline(v)...), from})
	}
}

// paving draws the joints of the far pavement.
func (s *stage) paving() {
	kerbLeft, wallX := s.street.kerbLeft, s.street.wall
	for z := 6.0; z < 60; z += 1 {
		s.poly(paint.Sheer(paint.RGB(0x6E6B66), .5), vec{wallX, 0, z}, vec{kerbLeft, 0, z}, vec{kerbLeft, 0, z + .02}, vec{wallX, 0, z + .02})
	}
	for x := wallX + .6; x < kerbLeft; x += .6 {
		s.poly(paint.Sheer(paint.RGB(0x6E6B66), .5), vec{x, 0, 4}, vec{x + .02, 0, 4}, vec{x + .02, 0, 60}, vec{x, 0, 60})
	}
}

// grain gives the ground its texture: noise fixed to the ground's metres.
func (s *stage) grain(seed uint64, horizon float64) {
	b := s.Image.Rect
	c := &s.cam
	for y := max(int(horizon)+2, 0); y < b.Max.Y; y++ {
		for x := range b.Max.X {
			// the ray through the pixel, down to the road
			ex, ey := (float64(x)-c.cx)/c.f, (float64(y)-c.cy)/c.f
			dy := -ey*c.cp - c.sp
			dz := c.cp - ey*c.sp
			t := c.rise / -dy
			gx, gz := t*(ex*c.cyw+dz*c.sy), t*(-ex*c.sy+dz*c.cyw)
			if gz > 90 || gx < s.street.wall {
				continue
			}
			far := 1 / (1 + gz*gz/500)
			n := 9*(valueNoise(seed, gx*26, gz*26)-.5)*far + 10*(valueNoise(seed+1, gx*2.2, gz*.7)-.5)
			if gx > s.street.kerbLeft && gx < kerbRight { // tyres have polished the wheel tracks
				for _, l := range s.street.lanes {
					d := math.Abs(math.Abs(gx-l) - .72)
					n -= 7 * math.Exp(-d*d/.06)
				}
			}
			q := s.Image.Pix[s.Image.PixOffset(x, y):]
			for i := range 3 {
				q[i] = uint8(paint.Clamp(float64(q[i])+n, 0, 255))
			}
		}
	}
}

func (s *stage) tree(x, z, h float64, r *rand.Rand) {
	s.poly(paint.Solid(paint.RGB(0x4F4338)), vec{x - .13, 0, z}, vec{x + .13, 0, z}, vec{x + .09, h * .6, z}, vec{x - .09, h * .6, z})
	base := []color.RGBA{paint.RGB(0x4E7040), paint.RGB(0x5B7A3E), paint.RGB(0x6A8344)}[r.IntN(3)]
	const n = 170
	for i := range n {
		t := float64(i) / n
		// lower and inner leaves first and darker, the lit crown over them
		px, py := x+r.NormFloat64()*h*.15, h*(.48+.3*t+.28*r.Float64())
		p, ok := s.cam.project(vec{px, py, z})
		if !ok {
			continue
		}
		q := h * (.025 + .04*r.Float64()) * s.cam.f / z
		s.Fill(paint.Sheer(paint.Shade(base, .55+.6*t+.1*r.NormFloat64()), .8), paint.Ellipse(p.X, p.Y, q*(.8+.5*r.Float64()), q, 12))
	}
}

// post is a pole, a street lamp's with its arm over the road.
func (s *stage) post(x, z, h float64, lamp bool) {
	s.poly(paint.Solid(paint.RGB(0x5B6064)), vec{x - .05, 0, z}, vec{x + .05, 0, z}, vec{x + .035, h, z}, vec{x - .035, h, z})
	if !lamp {
		return
	}
	s.poly(paint.Solid(paint.RGB(0x6E7478)), vec{x - .05, h, z}, vec{x + 1.1, h + .1, z}, vec{x + 1.1, h + .2, z}, vec{x - .05, h + .1, z})
}

// board is a sign on a post, facing the camera.
func (s *stage) board(x, z, w, h, y float64, big, small string, c uint32) {
	s.post(x, z, y+h*.5, false)
	f := plane(func(u, v float64) vec { return vec{x + u, y - v, z - .06} })
	s.on(f, paint.Solid(paint.RGB(0xEFEFEA)), paint.RoundRect(-w/2, -h/2, w/2, h/2, .05))
	s.on(f, paint.Solid(paint.RGB(c)), paint.RoundRect(-w/2+.03, -h/2+.03, w/2-.03, h/2-.03, .04))
	s.write(f, dies["bold"], big, 0, -h*.36, h*.36, paint.Solid(paint.RGB(0xF4F4F0)))
	s.write(f, dies["caption"], small, 0, h*.16, h*.13, paint.Solid(paint.RGB(0xF4F4F0)))
}

// valueNoise is smooth noise between 0 and 1.
func valueNoise(seed uint64, x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	tx, ty := x-fx, y-fy
	tx, ty = tx*tx*(3-2*tx), ty*ty*(3-2*ty)
	h := func(i, j float64) float64 {
		v := seed ^ uint64(int64(i))*0x9E3779B97F4A7C15 ^ uint64(int64(j))*0xC2B2AE3D27D4EB4F
		v ^= v >> 29
		v *= 0xBF58476D1CE4E5B9
		v ^= v >> 32
		return float64(v>>11) / (1 << 53)
	}
	return paint.Mix(paint.Mix(h(fx, fy), h(fx+1, fy), tx), paint.Mix(h(fx, fy+1), h(fx+1, fy+1), tx), ty)
}
