package render

import "platewatch/ocr/render/paint"

import "math"

// This file draws what is on the two ends of a vehicle: lamps, grille, bumper,
// lettering. Positions are metres on the surface car.tail, y up.

// patch paints a polygon on the end of the vehicle.
func (s *stage) patch(c *car, pt paint.Ink, p []Point) { s.on(c.tail, pt, p) }

// both paints a polygon and its mirror image.
func (s *stage) both(c *car, pt paint.Ink, p []Point) {
	s.patch(c, pt, p)
	m := make([]Point, len(p))
	for i, q := range p {
		m[len(p)-1-i] = Point{X: -q.X, Y: q.Y}
	}
	s.patch(c, pt, m)
}

// letter writes on the end of the vehicle, centred at x, top at y.
func (s *stage) letter(c *car, d *Die, text string, x, y, h float64, pt paint.Ink) {
	s.write(func(u, v float64) vec { return c.tail(u, -v) }, d, text, x, -y, h, pt)
}

// lampBoxes are the outlines of the lamps on the right, for painting and for
// their glow.
func (c *car) lampBoxes(w, top float64) [][]Point {
	if c.front {
		y0, y1 := .56, math.Min(top-.015, .78)
		if c.Body == SUV || c.Body == Van {
			y0 = .66
		}
		return [][]Point{{{X: w - .40, Y: y0 + .03}, {X: w - .06, Y: y0 + .05}, {X: w - .015, Y: y1 - .03}, {X: w - .10, Y: y1}, {X: w - .36, Y: y0 + .10}}}
	}
	switch c.Body {
	case Sedan:
		return [][]Point{paint.RoundRect(w-.36, .74, w-.02, .91, .04)}
	case SUV:
		return [][]Point{paint.RoundRect(w-.30, .80, w-.02, .99, .05)}
	case Van:
		return [][]Point{paint.RoundRect(w-.15, .80, w-.03, 1.16, .03)}
	}
	return [][]Point{paint.RoundRect(w-.27, .68, w-.02, .92, .06)}
}

// back paints the rear.
func (s *stage) back(c *car, k sky, w, top float64) {
	dark := paint.Solid(paint.Shade(c.Paint, .45))
	// bumper: seam, reflectors, exhaust
	s.patch(c, dark, paint.Rect(-w+.02, .615, w-.02, .622))
	s.patch(c, paint.Solid(trim), paint.RoundRect(-w+.12, .27, w-.12, .37, .03))
	s.both(c, paint.Solid(paint.RGB(0x9A1B1E)), paint.Rect(w-.30, .43, w-.12, .455))
	s.patch(c, paint.Solid(paint.RGB(0x0B0B0C)), paint.Ellipse(.5, .27, .06, .03, 14))
	for _, b := range c.lampBoxes(w, top) {
		s.both(c, paint.Solid(paint.RGB(0x4A0C0F)), b)
		in := make([]Point, len(b))
		var m Point
		for _, q := range b {
			m = m.Add(q)
		}
		m = m.Mul(1 / float64(len(b)))
		for i, q := range b {
			in[i] = paint.Lerp(m, q, .88)
		}
		s.both(c, paint.Solid(paint.RGB(0xB3202A)), in)
		// reversing lamp and a highlight
		q := bounds2(b)
		s.both(c, paint.Solid(paint.RGB(0xD9CFC6)), paint.Rect(m.X-q.X*.3, m.Y-q.Y*.22, m.X+q.X*.3, m.Y-.005))
		s.both(c, paint.Sheer(paint.RGB(0xFFFFFF), .22), paint.Rect(m.X-q.X*.38, m.Y+q.Y*.25, m.X+q.X*.36, m.Y+q.Y*.31))
	}
	py := c.sh.plateY[0]
	if c.Body == Van {
		for _, x := range [2]float64{-1, 1} {
			p := paint.RoundRect(x*.36-.27, tailGlassY[0], x*.36+.27, tailGlassY[1], .06)
			s.patch(c, paint.Solid(paint.RGB(0x0D0F12)), paint.RoundRect(x*.36-.285, 1.245, x*.36+.285, 1.775, .07))
			s.patch(c, paint.Solid(glass), p)
			s.patch(c, paint.Sheer(paint.RGB(0xC9D6E2), .18), []Point{{X: x*.36 - .2, Y: 1.3}, {X: x*.36 - .05, Y: 1.3}, {X: x*.36 + .2, Y: 1.74}, {X: x*.36 + .05, Y: 1.74}})
		}
		s.patch(c, dark, paint.Rect(-.006, .62, .006, top-.03))
		s.patch(c, paint.Solid(paint.RGB(0x3C3F43)), paint.RoundRect(.03, .98, .11, 1.02, .01))
		if c.Lettering != "" {
			s.letter(c, dies["bold"], c.Lettering, 0, 1.17, .085, paint.Solid(paint.RGB(0x24476F)))
		}
	} else {
		// the recess of the plate, the handle over it, seams of the boot
		s.patch(c, paint.Solid(paint.Shade(c.Paint, .62)), paint.RoundRect(-.33, py-.10, .33, py+.10, .03))
		s.patch(c, paint.Solid(paint.RGB(0x2B2D30)), paint.RoundRect(-.22, py+.088, .22, py+.108, .01))
		s.patch(c, dark, paint.Rect(-w+.30, .63, -w+.306, top-.02))
		s.patch(c, dark, paint.Rect(w-.306, .63, w-.30, top-.02))
	}
	chrome := paint.Solid(paint.RGB(0xC4C8CC))
	by := math.Min(py+.145, top-.05)
	if c.Body == Van {
		by = 1.02
	}
	s.patch(c, chrome, paint.Ellipse(0, by, .035, .035, 18))
	s.patch(c, paint.Solid(paint.Shade(c.Paint, .6)), paint.Ellipse(0, by, .026, .026, 18))
	badge := chrome
	if p := c.Paint; int(p.R)+int(p.G)+int(p.B) > 450 {
		badge = paint.Solid(paint.RGB(0x3A3D41))
	}
	if c.Brand != "" {
		s.letter(c, dies["caption"], c.Brand, -.50*w/.85, py-.115, .028, badge)
	}
	if c.Model != "" {
		s.letter(c, dies["caption"], c.Model, .50*w/.85, py-.115, .028, badge)
	}
	if c.Sticker != "" { // a dealer's sticker on the bumper
		s.patch(c, paint.Solid(paint.RGB(0xE9E6DA)), paint.RoundRect(-.62, .49, -.36, .56, .01))
		s.letter(c, dies["bold"], c.Sticker, -.49, .545, .03, paint.Solid(paint.RGB(0x7A1C22)))
	}
}

// face paints the front.
func (s *stage) face(c *car, k sky, w, top float64) {
	g0, g1 := .57, top-.03
	if c.Body == SUV || c.Body == Van {
		g0 = .68
	}
	s.patch(c, paint.Solid(paint.RGB(0x101113)), paint.RoundRect(-w+.42, g0, w-.42, g1, .03))
	for i := range 4 {
		y := paint.Mix(g0+.015, g1-.015, (float64(i)+.5)/4)
		s.patch(c, paint.Solid(paint.RGB(0x55595E)), paint.Rect(-w+.45, y-.006, w-.45, y+.006))
	}
	s.patch(c, paint.Solid(paint.RGB(0x141517)), paint.RoundRect(-w+.34, .25, w-.34, .36, .04))
	s.both(c, paint.Solid(paint.RGB(0x141517)), paint.RoundRect(w-.30, .30, w-.10, .40, .03))
	s.both(c, paint.Solid(paint.RGB(0xD8DADC)), paint.Ellipse(w-.20, .35, .035, .035, 14))
	s.patch(c, paint.Solid(paint.Shade(c.Paint, .45)), paint.Rect(-w+.02, .53, w-.02, .537))
	for _, b := range c.lampBoxes(w, top) {
		s.both(c, paint.Solid(paint.RGB(0x2A2D31)), b)
		var m Point
		in := make([]Point, len(b))
		for _, q := range b {
			m = m.Add(q)
		}
		m = m.Mul(1 / float64(len(b)))
		for i, q := range b {
			in[i] = paint.Lerp(m, q, .9)
		}
		s.both(c, paint.Solid(paint.RGB(0xAEB6BD)), in)
		s.both(c, paint.Solid(paint.RGB(0xF2F5F7)), paint.Ellipse(m.X+.02, m.Y, .045, .04, 16))
		s.both(c, paint.Solid(paint.RGB(0xF2F5F7)), paint.Ellipse(m.X-.1, m.Y-.005, .032, .03, 16))
		s.both(c, paint.Solid(paint.RGB(0xD98A2B)), paint.Ellipse(m.X+.11, m.Y+.03, .022, .028, 12))
	}
	chrome := paint.Solid(paint.RGB(0xD0D4D8))
	m := (g0 + g1) / 2
	s.patch(c, chrome, paint.Ellipse(0, m, .05, .05, 20))
	s.patch(c, paint.Solid(paint.RGB(0x2A2D31)), paint.Ellipse(0, m, .038, .038, 20))
	s.patch(c, paint.Solid(paint.RGB(0x8C2A2E)), paint.Rect(-.022, m-.022, .022, m+.022))
	py := c.sh.plateY[1]
	s.patch(c, paint.Solid(trim), paint.RoundRect(-.275, py-.07, .275, py+.07, .01))
}

// glow lights the lamps that are not hidden; dusk is how dark it is.
func (s *stage) glow(c *car, dusk float64, hidden func(Point) bool) {
	if dusk <= .05 {
		return
	}
	w := c.sh.halfWidth(0)
	if c.front {
		w = c.sh.halfWidth(c.sh.length)
	}
	for _, b := range c.lampBoxes(w, c.top()) {
		var m Point
		for _, q := range b {
			m = m.Add(q)
		}
		m = m.Mul(1 / float64(len(b)))
		for _, side := range [2]float64{-1, 1} {
			q, ok := s.cam.project(c.tail(side*m.X, m.Y))
			if !ok || hidden(q) {
				continue
			}
			e := s.cam.eye(c.tail(m.X, m.Y))
			px := s.cam.f / e.Z // pixels per metre
			if c.front {
				s.halo(q, .55*px, .9*dusk, 255, 244, 220)
				s.halo(q, .13*px, 2.2*dusk, 255, 252, 240)
			} else {
				s.halo(q, .30*px, .55*dusk, 255, 40, 30)
				s.halo(q, .10*px, .9*dusk, 255, 90, 70)
			}
		}
	}
}

// halo adds a soft round light of radius r pixels.
func (s *stage) halo(p Point, r, power float64, cr, cg, cb float64) {
	if r < 1 || r > 2000 {
		return
	}
	b := s.Image.Rect
	x0, x1 := max(b.Min.X, int(p.X-r)), min(b.Max.X, int(p.X+r)+1)
	y0, y1 := max(b.Min.Y, int(p.Y-r)), min(b.Max.Y, int(p.Y+r)+1)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			d := math.Hypot(float64(x)+.5-p.X, float64(y)+.5-p.Y) / r
			if d >= 1 {
				continue
			}
			k := power * (1 - d) * (1 - d)
			q := s.Image.Pix[s.Image.PixOffset(x, y):]
			q[0] = uint8(math.Min(255, float64(q[0])+cr*k))
			q[1] = uint8(math.Min(255, float64(q[1])+cg*k))
			q[2] = uint8(math.Min(255, float64(q[2])+cb*k))
		}
	}
}

// bounds2 is the width and height of a polygon.
func bounds2(p []Point) Point {
	lo, hi := p[0], p[0]
	for _, q := range p {
		lo.X, lo.Y = math.Min(lo.X, q.X), math.Min(lo.Y, q.Y)
		hi.X, hi.Y = math.Max(hi.X, q.X), math.Max(hi.Y, q.Y)
	}
	return hi.Sub(lo)
}
