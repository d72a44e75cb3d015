package render

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"platewatch/ocr/render/paint"
)

// Body is the kind of a vehicle.
type Body uint8

// The bodies there are.
const (
	Hatch Body = iota
	Sedan
	SUV
	Van
)

// shape gives a body's measures in metres. s runs from the rear bumper (0) to
// the front.
type shape struct {
	length, half, belt float64
	top                []Point    // outline over the length: X is s, Y the height
	rearGlass          [2]float64 // s of the rear window; equal: none, or in the tail
	screen             [2]float64 // s of the windscreen
	side               [][2]float64
	axles              [2]float64
	wheel              float64
	tumble             float64    // half width of the roof / half width
	plateY             [2]float64 // centre of the plate above the road: rear, front
}

var shapes = [...]shape{
	Hatch: {length: 4.0, half: .88, belt: .98,
		top:       []Point{{X: 0, Y: .98}, {X: .05, Y: 1.0}, {X: .38, Y: 1.38}, {X: .55, Y: 1.46}, {X: 1.2, Y: 1.49}, {X: 1.9, Y: 1.48}, {X: 2.25, Y: 1.42}, {X: 3.0, Y: 1.02}, {X: 3.5, Y: .92}, {X: 3.85, Y: .8}, {X: 4, Y: .70}},
		rearGlass: [2]float64{.07, .36}, screen: [2]float64{2.28, 2.98}, side: [][2]float64{{.62, 1.3}, {1.4, 2.35}}, axles: [2]float64{.72, 3.2}, wheel: .315, tumble: .74, plateY: [2]float64{.80, .48}},
	Sedan: {length: 4.6, half: .91, belt: .97,
		top:       []Point{{X: 0, Y: .98}, {X: .08, Y: 1.04}, {X: .55, Y: 1.08}, {X: 1.2, Y: 1.38}, {X: 1.6, Y: 1.45}, {X: 2.2, Y: 1.45}, {X: 2.6, Y: 1.39}, {X: 3.4, Y: 1.0}, {X: 4.1, Y: .9}, {X: 4.48, Y: .79}, {X: 4.6, Y: .7}},
		rearGlass: [2]float64{.6, 1.2}, screen: [2]float64{2.62, 3.38}, side: [][2]float64{{1.1, 1.75}, {1.85, 2.75}}, axles: [2]float64{.95, 3.75}, wheel: .33, tumble: .72, plateY: [2]float64{.82, .48}},
	SUV: {length: 4.5, half: .94, belt: 1.14,
		top:       []Point{{X: 0, Y: 1.1}, {X: .05, Y: 1.14}, {X: .3, Y: 1.54}, {X: .5, Y: 1.66}, {X: 1.2, Y: 1.7}, {X: 2.2, Y: 1.69}, {X: 2.55, Y: 1.62}, {X: 3.2, Y: 1.18}, {X: 4.0, Y: 1.08}, {X: 4.4, Y: .98}, {X: 4.5, Y: .86}},
		rearGlass: [2]float64{.07, .28}, screen: [2]float64{2.58, 3.17}, side: [][2]float64{{.55, 1.0}, {1.05, 1.7}, {1.78, 2.65}}, axles: [2]float64{.85, 3.6}, wheel: .37, tumble: .8, plateY: [2]float64{.9, .6}},
	Van: {length: 5.2, half: .98, belt: 1.22,
		top:       []Point{{X: 0, Y: 1.93}, {X: .06, Y: 1.96}, {X: .3, Y: 2.0}, {X: 2.6, Y: 2.0}, {X: 3.5, Y: 1.92}, {X: 4.3, Y: 1.25}, {X: 4.9, Y: 1.1}, {X: 5.1, Y: .98}, {X: 5.2, Y: .84}},
		rearGlass: [2]float64{-1, -1}, screen: [2]float64{3.55, 4.25}, side: [][2]float64{{3.0, 3.95}}, axles: [2]float64{1.0, 4.25}, wheel: .35, tumble: .9, plateY: [2]float64{.72, .55}},
}

// height is the height of the roof line at s.
func (sh *shape) height(s float64) float64 {
	t := sh.top
	if s <= t[0].X {
		return t[0].Y
	}
	for i := 1; i < len(t); i++ {
		if s <= t[i].X {
			return paint.Mix(t[i-1].Y, t[i].Y, (s-t[i-1].X)/(t[i].X-t[i-1].X))
		}
	}
	return t[len(t)-1].Y
}

// halfWidth is half the width at the belt line: the body narrows to its ends.
func (sh *shape) halfWidth(s float64) float64 {
	a := paint.Clamp(s/.55, 0, 1)
	b := paint.Clamp((sh.length-s)/.75, 0, 1)
	return sh.half * (1 - .07*(1-a)*(1-a) - .10*(1-b)*(1-b))
}

// ringN is the number of corners of a cross-section from sill to roof.
const ringN = 12

// ring is the right half of the cross-section at s.
func (sh *shape) ring(s float64) [ringN]Point {
	w := sh.halfWidth(s)
	top := sh.height(s)
	belt := math.Min(sh.belt, top-.04)
	cab := paint.Smooth(.02, .3, top-sh.belt)
	wt := w * paint.Mix(.9, sh.tumble, cab)
	return [ringN]Point{
		{X: w * .90, Y: .20}, {X: w * .96, Y: .26}, {X: w * .985, Y: .42}, {X: w, Y: .6}, {X: w * .995, Y: paint.Mix(.6, belt, .6)}, {X: w * .97, Y: belt},
		{X: paint.Mix(w*.965, wt, .35*cab+.1), Y: paint.Mix(belt, top, .3)}, {X: paint.Mix(w*.965, wt, .75*cab+.15), Y: paint.Mix(belt, top, .66)}, {X: paint.Mix(w*.96, wt, .95), Y: paint.Mix(belt, top, .88)},
		{X: wt * .9, Y: paint.Mix(belt, top, .965)}, {X: wt * .55, Y: top}, {X: 0, Y: top + .015},
	}
}

// sky is the light of a scene.
type sky struct {
	sun    vec     // towards the sun
	direct float64 // share of the sun's light
}

// coat is body colour under the light: diffuse, and a clear coat that mirrors
// the sky above and the road below.
func (k sky) coat(c color.RGBA, n vec, gloss float64) color.RGBA {
	d := math.Max(0, n.dot(k.sun))*k.direct + .52 + .26*n.Y
	c = paint.Shade(c, d)
	up := paint.Smooth(-.15, .95, n.Y)
	m := paint.BlendColor(paint.RGB(0x4A4C50), paint.RGB(0xE4ECF4), up)
	return paint.BlendColor(c, m, gloss*(.07+.24*up*up))
}

var (
	glass  = paint.RGB(0x20262C)
	rubber = paint.RGB(0x17181A)
	trim   = paint.RGB(0x25272A)
)

// car is a vehicle placed in the scene.
type car struct {
	Vehicle
	sh    *shape
	x, z  float64 // middle of the lane; distance of the nearer bumper
	front bool    // it shows its front
}

// at returns the scene position of a point of the body (lateral, right as seen from
// behind; height; s).
func (c *car) at(x, y, s float64) vec {
	if c.front {
		return vec{c.x - x, y, c.z + c.sh.length - s}
	}
	return vec{c.x + x, y, c.z + s}
}

// tail is the surface of the end that shows: x to the right as seen, y up.
func (c *car) tail(x, y float64) vec {
	s := c.setback(x, y)
	if c.front {
		return c.at(-x, y, c.sh.length-s)
	}
	return c.at(x, y, s)
}

// setback is how far the surface of the end lies behind the bumper's line.
func (c *car) setback(x, y float64) float64 {
	top := c.top()
	k := x / (c.sh.half * .9)
	s := .10*k*k - .10 // bent across
	if y > .62 {       // leaning in above the bumper
		s += .10 * (y - .62) / math.Max(top-.62, .2)
	} else if y < .38 {
		s += .22 * (.38 - y)
	}
	return s
}

// top is the height of the end that shows.
func (c *car) top() float64 {
	if c.front {
		return c.sh.top[len(c.sh.top)-1].Y
	}
	return c.sh.top[0].Y
}

// plateCorners are the corners of the plate, w × h metres, clockwise from the
// top left as a reader sees it.
func (c *car) plateCorners(w, h float64) [4]vec {
	y := c.sh.plateY[0]
	if c.front {
		y = c.sh.plateY[1]
	}
	put := func(x, y float64) vec {
		s := c.setback(0, y) - .015
		if c.front {
			return c.at(-x, y, c.sh.length-s)
		}
		return c.at(x, y, s)
	}
	return [4]vec{put(-w/2, y+h/2), put(w/2, y+h/2), put(w/2, y-h/2), put(-w/2, y-h/2)}
}

type facet struct {
	p     [4]vec
	depth float64
	pt    paint.Ink
}

// draw paints the vehicle without its plate and lamps' glow.
func (s *stage) draw(c *car, k sky) {
	s.shadow(c)
	s.tyres(c)
	sh := c.sh
	// stations: dense at the ends and where the roof line bends
	st := []float64{0, .03, .08, .14}
	for v := .22; v < sh.length-.2; v += .12 {
		st = append(st, v)
	}
	st = append(st, sh.length-.14, sh.length-.08, sh.length-.03, sh.length)
	camera := vec{0, s.cam.rise, 0}
	var fs []facet
	in := func(v float64, r [2]float64) bool { return v > r[0] && v < r[1] }
	add := func(a, b, cc, d vec, col color.RGBA, gloss float64) {
		n := b.sub(a).cross(d.sub(a))
		if n.len() < 1e-9 {
			n = cc.sub(b).cross(d.sub(b))
		}
		m := a.add(b).add(cc).add(d).mul(.25)
		n = n.unit()
		if n.dot(camera.sub(m)) < 0 {
			return
		}
		fs = append(fs, facet{[4]vec{a, b, cc, d}, m.sub(camera).len(), paint.Solid(k.coat(col, n, gloss))})
	}
	for i := 0; i+1 < len(st); i++ {
		a, b := sh.ring(st[i]), sh.ring(st[i+1])
		mid := (st[i] + st[i+1]) / 2
		for j := 0; j+1 < ringN; j++ {
			col, gloss := c.Paint, 1.0
			switch {
			case j <= 1:
				col, gloss = trim, .2
			case j >= 9 && (in(mid, sh.screen) || in(mid, sh.rearGlass)):
				col, gloss = glass, .7
			case j == 5 || j == 6 || j == 7:
				for _, r := range sh.side {
					if in(mid, r) && sh.height(mid) > sh.belt+.16 {
						col, gloss = glass, .9
					}
				}
			}
			for _, side := range [2]float64{1, -1} {
				p0, p1 := c.at(side*a[j].X, a[j].Y, st[i]), c.at(side*b[j].X, b[j].Y, st[i+1])
				p2, p3 := c.at(side*b[j+1].X, b[j+1].Y, st[i+1]), c.at(side*a[j+1].X, a[j+1].Y, st[i])
				if side > 0 {
					add(p0, p3, p2, p1, col, gloss)
				} else {
					add(p0, p1, p2, p3, col, gloss)
				}
			}
		}
	}
	if !c.front {
		s.mirrors(c, k)
	}
	slices.SortStableFunc(fs, func(a, b facet) int { return cmp.Compare(b.depth, a.depth) })
	for _, f := range fs {
		s.quad(f.pt, f.p[:]...)
	}
	if c.front {
		s.mirrors(c, k)
	}
	s.wheels(c)
	s.end(c, k)
}

// mirrors paints the two outside mirrors.
func (s *stage) mirrors(c *car, k sky) {
	at := c.sh.screen[1] - .25
	w := c.sh.halfWidth(at) * .96
	for _, side := range [2]float64{-1, 1} {
		put := func(g, d float64) []vec {
			var p []vec
			for _, q := range paint.RoundRect(w-.04+g, c.sh.belt-.01+g, w+.2-g, c.sh.belt+.15-g, .05) {
				p = append(p, c.at(side*q.X, q.Y, at+d))
			}
			return p
		}
		s.poly(paint.Solid(k.coat(paint.Shade(c.Paint, .7), vec{0, .1, -1}, .5)), put(0, 0)...)
		if !c.front {
			s.poly(paint.Solid(paint.RGB(0x8FA0AE)), put(.02, -.01)...)
		}
	}
}

// end paints the bent end of the body that faces the camera.
func (s *stage) end(c *car, k sky) {
	top := c.top()
	w := c.sh.halfWidth(0)
	if c.front {
		w = c.sh.halfWidth(c.sh.length)
	}
	const nx, ny = 14, 12
	edge := func(y float64) float64 { // the outline narrows at sill and top
		v := w * 1.0
		if y < .4 {
			v *= 1 - .12*math.Pow((.4-y)/.2, 2)
		}
		if d := top - y; d < .12 {
			v *= 1 - .05*math.Pow(1-d/.12, 2)
		}
		if top > 1.5 && y > c.sh.belt { // vans: up to the roof
			v = paint.Mix(v, w*c.sh.tumble, paint.Smooth(c.sh.belt, top, y)*.8)
		}
		return v
	}
	for i := range nx { // the upper edge runs into the body behind it
		u0, u1 := float64(i)/nx*2-1, float64(i+1)/nx*2-1
		e := edge(top) * .94
		sb, hb := .09, c.sh.height(.09)
		if c.front {
			sb, hb = c.sh.length-.09, c.sh.height(c.sh.length-.09)
			u0, u1 = -u0, -u1
		}
		a, b := c.at(u0*e, hb+.004, sb), c.at(u1*e, hb+.004, sb)
		if c.front {
			u0, u1 = -u0, -u1
		}
		s.quad(paint.Solid(k.coat(c.Paint, vec{0, .55, -.8}, 1)), c.tail(u0*e, top), c.tail(u1*e, top), b, a)
	}
	for j := range ny {
		y0, y1 := paint.Mix(.2, top, float64(j)/ny), paint.Mix(.2, top, float64(j+1)/ny)
		for i := range nx {
			u0, u1 := float64(i)/nx*2-1, float64(i+1)/nx*2-1
			a, b := c.tail(u0*edge(y0), y0), c.tail(u1*edge(y0), y0)
			d, e := c.tail(u1*edge(y1), y1), c.tail(u0*edge(y1), y1)
			n := e.sub(a).cross(b.sub(a)).unit()
			col, g := c.Paint, 1.0
			if y1 < .36 {
				col, g = trim, .2
			}
			s.quad(paint.Solid(k.coat(col, n, g)), a, b, d, e)
		}
	}
	if c.front {
		s.face(c, k, w, top)
	} else {
		s.back(c, k, w, top)
	}
}

// shadow darkens the road under the vehicle, softly.
func (s *stage) shadow(c *car) {
	const n = 16
	for i := range n {
		g := .34 - .5*float64(i)/n
		var p []vec
		for _, q := range paint.RoundRect(-c.sh.half-g, -g, c.sh.half+g, c.sh.length+g, .5) {
			p = append(p, c.at(q.X, 0, q.Y))
		}
		s.poly(paint.Sheer(paint.RGB(0x0C0D10), .085), p...)
	}
}

// tyres paints the visible part of the wheels under the body.
func (s *stage) tyres(c *car) {
	for _, a := range [2]float64{c.sh.axles[1], c.sh.axles[0]} {
		for _, side := range [2]float64{-1, 1} {
			x0, x1 := side*(c.sh.half-.03), side*(c.sh.half-.24)
			r := c.sh.wheel
			for _, ss := range [2]float64{a - r*.6, a + r*.6} {
				s.poly(paint.Solid(rubber), c.at(x0, 0.01, ss), c.at(x1, 0.01, ss), c.at(x1, .5, ss), c.at(x0, .5, ss))
			}
		}
	}
}

// wheels paints the wheels on the side that shows.
func (s *stage) wheels(c *car) {
	side := 1.0
	if c.front {
		side = -1
	}
	if c.x > 0 {
		side = -side
	}
	for _, a := range c.sh.axles {
		x := side * (c.sh.halfWidth(a) + .004)
		r := c.sh.wheel
		disc := func(col color.RGBA, r, dx float64) {
			var p []vec
			for _, q := range paint.Ellipse(a, c.sh.wheel, r, r, 32) {
				p = append(p, c.at(x+side*dx, math.Max(q.Y, 0), q.X))
			}
			s.poly(paint.Solid(col), p...)
		}
		disc(paint.RGB(0x0E0F11), r*1.14, 0)
		disc(rubber, r, .004)
		disc(paint.RGB(0x8E9297), r*.68, .008)
		disc(paint.RGB(0x3A3D41), r*.56, .009)
		for i := range 5 {
			sn, cs := math.Sincos(2*math.Pi*float64(i)/5 + .3)
			q := func(d, t float64) vec { return c.at(x+side*.01, c.sh.wheel+r*(d*sn+t*cs), a+r*(d*cs-t*sn)) }
			s.poly(paint.Solid(paint.RGB(0x9EA2A7)), q(0, -.09), q(.62, -.07), q(.62, .07), q(0, .09))
		}
		disc(paint.RGB(0x9EA2A7), r*.14, .011)
	}
}
