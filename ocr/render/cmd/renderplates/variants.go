package main

import "math"

// Dies differ in more than the measures of render.Die: in how the leg of the 4
// stands, how the 1 is flagged, how far the W comes up. A pen draws such
// characters into a typeface, so that the reader meets every habit.

// glyphHeight is that of glyphs in pixels.
const glyphHeight = 64

// pen draws strokes into a box of wide × 1, in which the stroke's outer edge
// stays. Paths are given in 0–1 both ways.
type pen struct {
	f       field
	wide    float64
	stroke  float64 // width, as a share of the height
	square  float64 // exponent of the bowls: 2 is an ellipse, more is squarer
	rounded bool    // ends
}

func (p *pen) path(points ...point) {
	t := p.stroke * glyphHeight
	at := func(q point) point {
		return point{t/2 + q.x*(p.wide*glyphHeight-t), t/2 + q.y*(glyphHeight-t)}
	}
	for i := 1; i < len(points); i++ {
		a, b := at(points[i-1]), at(points[i])
		p.f.line(a.x, a.y, b.x, b.y, t, 1)
		if i > 1 || p.rounded {
			p.f.disc(a.x, a.y, t/2, 1)
		}
		if i == len(points)-1 && p.rounded {
			p.f.disc(b.x, b.y, t/2, 1)
		}
	}
	if p.rounded || len(points) < 2 {
		return
	}
	p.end(at(points[1]), at(points[0]), t)
	p.end(at(points[len(points)-2]), at(points[len(points)-1]), t)
}

// end squares a stroke off at the edge of its box.
func (p *pen) end(from, to point, t float64) {
	l := math.Hypot(to.x-from.x, to.y-from.y)
	if l == 0 {
		return
	}
	k := t / 2 / l
	p.f.line(to.x, to.y, to.x+(to.x-from.x)*k, to.y+(to.y-from.y)*k, t, 1)
}

// arc is a part of a bowl, angles in degrees, 0 to the right, clockwise.
func (p *pen) arc(cx, cy, rx, ry, from, to float64) []point {
	const steps = 20
	out := make([]point, steps+1)
	for i := range out {
		s, c := math.Sincos((from + (to-from)*float64(i)/steps) * math.Pi / 180)
		out[i] = point{cx + rx*math.Copysign(math.Pow(math.Abs(c), 2/p.square), c), cy + ry*math.Copysign(math.Pow(math.Abs(s), 2/p.square), s)}
	}
	return out
}

func (p *pen) glyph() *glyph {
	g := &glyph{w: p.f.w, h: p.f.h, ink: make([]uint8, len(p.f.v))}
	for i, v := range p.f.v {
		g.ink[i] = uint8(min(max(v, 0), 1) * 255)
	}
	return g
}

// turned is the glyph upside down: a 9 from a 6.
func (g *glyph) turned() *glyph {
	o := &glyph{w: g.w, h: g.h, ink: make([]uint8, len(g.ink))}
	for i, v := range g.ink {
		o.ink[len(o.ink)-1-i] = v
	}
	return o
}

// ring is a closed outline of the whole box whose corners have the radius round, as a
// share of the width; those on the left have radius left.
func (p *pen) ring(left, round float64) []point {
	high := max(p.wide-p.stroke, .01) / (1 - p.stroke) // a share of the width as one of the height
	corner := func(x, y, r, from float64) []point {
		cx, cy := x+r*(1-2*x), y+r*high*(1-2*y)
		return p.arc(cx, cy, r, r*high, from, from+90)
	}
	q := append(corner(0, 0, left, 180), corner(1, 0, round, 270)...)
	q = append(append(q, corner(1, 1, round, 0)...), corner(0, 1, left, 90)...)
	return append(q, q[0])
}

// bowl is the round of B, P and R: from their stem at y0 out to reach, and back at y1.
func (p *pen) bowl(stem, reach, y0, y1 float64) []point {
	turn := min(.5, (y1-y0)*.75)
	q := append([]point{{stem, y0}}, p.arc(reach-turn, (y0+y1)/2, turn, (y1-y0)/2, -90, 90)...)
	return append(q, point{stem, y1})
}

// redraw replaces a character by what strokes draw with p, in a box width wide.
func (t *typeface) redraw(c byte, width float64, p pen, strokes func(p *pen)) {
	p.wide = max(width, p.stroke*1.02)
	p.f.shape(max(2, int(p.wide*glyphHeight+.5)), glyphHeight, 0)
	strokes(&p)
	t[c] = p.glyph()
}

// habits draws some of a typeface's characters anew. wide is the width of a
// usual character, stroke that of the strokes, both as a share of the height.
func habits(d dice, t *typeface, wide, stroke float64) {
	square, rounded := pick(d, 2, 2, 2.3, 2.8, 4.), d.one(.3)
	draw := func(c byte, width float64, strokes func(p *pen)) {
		if d.one(.35) {
			return
		}
		t.redraw(c, width, pen{stroke: stroke, square: square, rounded: rounded}, strokes)
	}
	waist := d.in(.44, .53)
	top, foot := waist/2, (1-waist)/2
	draw('4', wide, func(p *pen) {
		bar, stem := d.in(.6, .84), d.in(.55, .82)
		if d.one(.75) { // open: California's leg stands nearly upright
			p.path(point{pick(d, d.in(.02, .6), d.in(.2, .45)), 0}, point{0, bar}, point{1, bar})
			p.path(point{stem, d.in(.2, .62)}, point{stem, 1})
			return
		}
		p.path(point{stem, 1}, point{stem, 0}, point{0, bar}, point{1, bar})
	})
	one := pick(d, "bar", "flag", "flag", "slab", "slab")
	draw('1', map[string]float64{"bar": stroke, "flag": wide * d.in(.4, .62), "slab": wide * d.in(.55, .9)}[one], func(p *pen) {
		switch drop := d.in(.08, .3); one {
		case "bar":
			p.path(point{.5, 0}, point{.5, 1})
		case "flag":
			p.path(point{0, drop}, point{1, 0}, point{1, 1})
		default:
			p.path(point{d.in(0, .25), drop}, point{.5, 0}, point{.5, 1})
			p.path(point{0, 1}, point{1, 1})
		}
	})
	draw('2', wide, func(p *pen) {
		high := d.in(.2, .3)
		bowl := p.arc(.5, high, .5, high, 180+d.in(-25, 40), 360+d.in(5, 45)) // Idaho's has a low bowl with a short hook: nearly a Z
		if d.one(.5) {                                                        // the neck runs out in a curve
			bowl = append(bowl, point{d.in(.4, .6), d.in(.58, .66)}, point{d.in(.06, .14), d.in(.78, .86)})
		}
		p.path(append(bowl, point{0, 1}, point{1, 1})...)
	})
	draw('3', wide, func(p *pen) {
		if d.one(.35) {
			p.path(append([]point{{0, 0}, {1, 0}, {.45, .42}}, p.arc(.46, .71, .54, .29, -90, d.in(140, 175))...)...)
			return
		}
		// Arms that reach down to the middle of a bowl make it a 9 at 25 px.
		p.path(append(p.arc(.48, top, .47, top, d.in(180, 215), 450), point{d.in(.15, .4), waist})...)
		p.path(p.arc(.46, waist+foot, .54, foot, -90, d.in(140, 175))...)
	})
	draw('7', wide, func(p *pen) {
		q := []point{{0, 0}, {1, 0}, {d.in(.15, .5), 1}}
		if d.one(.3) {
			q = append([]point{{0, d.in(.1, .18)}}, q...)
		}
		if d.one(.3) {
			q = append(q[:len(q)-1], point{.6, .45}, q[len(q)-1])
		}
		p.path(q...)
	})
	six := func(p *pen) {
		round := d.in(.26, .34) // France's is lower than a half
		p.path(p.arc(.5, 1-round, .5, round, 0, 360)...)
		switch d.IntN(4) {
		case 0: // straight back
			p.path(point{d.in(.6, .85), 0}, point{.05, .55})
		case 1:
			p.path(append([]point{{0, 1 - round}, {0, .3}}, p.arc(.5, .3, .5, .3, 180, d.in(280, 350))...)...)
		case 2: // a long hook, which leaves little of a gap before the bowl: France's
			arm := d.in(.2, .28)
			hook := append([]point{{0, 1 - round}, {0, arm}}, p.arc(.5, arm, .5, arm, 180, 360)...)
			p.path(append(hook, point{1, d.in(arm, .34)})...)
		default:
			p.path(append([]point{{0, .68}}, p.arc(.7, .6, .7, .6, 180, 270)...)...)
		}
	}
	draw('6', wide, six)
	before := t['9']
	draw('9', wide, six)
	if t['9'] != before {
		t['9'] = t['9'].turned()
	}
	draw('8', wide, func(p *pen) {
		p.path(p.arc(.5, top, d.in(.4, .48), top, 0, 360)...)
		p.path(p.arc(.5, waist+foot, .5, foot, 0, 360)...)
	})
	zero := wide * pick(d, 1, 1, .92, .84)
	// Brazil's O is a rectangle with small round corners, and its D the same with
	// sharp ones on the left.
	corner := 0.
	if d.one(.35) {
		corner = d.in(.18, .45)
	}
	round := func(p *pen, foot float64) {
		if corner > 0 {
			p.path(p.ring(corner, corner)...)
			return
		}
		p.path(p.arc(.5, foot/2, .5, foot/2, 0, 360)...)
	}
	draw('0', zero, func(p *pen) { round(p, 1) })
	draw('O', wide*d.in(.95, 1.1), func(p *pen) { round(p, 1) })
	draw('Q', wide, func(p *pen) { tail(d, p, func(foot float64) { round(p, foot) }) })
	draw('S', wide, func(p *pen) {
		q := append(p.arc(.5, top, .48, top, d.in(-35, 5), -180), p.arc(.5, top, .48, top, 180, 90)...)
		q = append(q, p.arc(.5, waist+foot, .5, foot, -90, 0)...)
		p.path(append(q, p.arc(.5, waist+foot, .5, foot, 0, d.in(145, 190))...)...)
	})
	draw('5', wide, func(p *pen) {
		p.path(append([]point{{.95, 0}, {.08, 0}, {.04, .46}}, p.arc(.47, .68, .53, .32, -140, 150)...)...)
	})
	draw('G', wide, func(p *pen) {
		switch d.IntN(3) {
		case 0:
			p.path(append(p.arc(.5, .5, .5, .5, -35, -360), point{.55, .5})...)
		case 1:
			p.path(append(p.arc(.5, .5, .5, .5, -35, -325), point{.97, .55}, point{.55, .55})...)
		default:
			p.path(p.arc(.5, .5, .5, .5, -35, -330)...)
			p.path(point{.55, .55}, point{1, .55}, point{1, 1})
		}
	})
	draw('W', wide*d.in(1, 1.35), func(p *pen) {
		foot := d.in(.08, .28)
		p.path(point{0, 0}, point{foot, 1}, point{.5, d.in(0, .6)}, point{1 - foot, 1}, point{1, 0})
	})
	draw('M', wide*d.in(1, 1.3), func(p *pen) {
		lean := pick(d, 0, 0, d.in(0, .14))
		p.path(point{0, 1}, point{lean, 0}, point{.5, d.in(.4, 1)}, point{1 - lean, 0}, point{1, 1})
	})
	draw('J', wide*d.in(.8, 1), func(p *pen) {
		q := append([]point{{1, 0}, {1, .7}}, p.arc(.5, .7, .5, .3, 0, 170)...)
		if d.one(.4) {
			q = append([]point{{.4, 0}}, q...)
		}
		p.path(q...)
	})
	draw('D', wide, func(p *pen) {
		if corner > 0 {
			p.path(p.ring(0, min(.5, corner*d.in(1, 1.5)))...)
			return
		}
		p.path(append(append([]point{{.35, 0}}, p.arc(.4, .5, .6, .5, -90, 90)...), point{0, 1}, point{0, 0}, point{.35, 0})...)
	})
}

// tail draws a Q: its bowl, which ends at the foot that is told, and one of the tails
// that dies have. In photographs one Q in eight was taken for an O while only the first
// was drawn.
func tail(d dice, p *pen, bowl func(foot float64)) {
	switch d.IntN(3) {
	case 0: // from within to the corner
		bowl(.96)
		p.path(point{d.in(.45, .65), d.in(.65, .78)}, point{d.in(.9, 1), 1})
	case 1: // California's: steep, through the foot
		bowl(d.in(.88, 1))
		x := d.in(.38, .6)
		p.path(point{x, d.in(.6, .78)}, point{x + d.in(.08, .3), 1})
	default: // France's and Mississippi's: short, at the corner
		bowl(d.in(.94, 1))
		p.path(point{d.in(.58, .76), d.in(.76, .87)}, point{d.in(.86, 1), 1})
	}
}

// specimenHabits draws the characters of a real die anew that such dies cut in more ways
// than the renderer does: the tail of the Q, and the 4, whose leg stands nearly upright
// in California.
func specimenHabits(d dice, t *typeface) {
	wide := t.width('H')
	stroke := min(.2, max(.08, wide*d.in(.2, .26)))
	t.redraw('Q', t.width('O'), pen{stroke: stroke, square: 2, rounded: d.one(.5)}, func(p *pen) {
		tail(d, p, func(foot float64) { p.path(p.arc(.5, foot/2, .5, foot/2, 0, 360)...) })
	})
	if d.one(.5) {
		t.redraw('4', wide, pen{stroke: stroke, square: 2, rounded: d.one(.5)}, func(p *pen) {
			bar, stem := d.in(.66, .78), d.in(.55, .7)
			p.path(point{d.in(.15, .4), 0}, point{0, bar}, point{1, bar})
			p.path(point{stem, d.in(.4, .56)}, point{stem, 1})
		})
	}
}
