package main

import "math"

// art draws a picture that is as high and as dark as the characters, and made of parts
// like theirs: a rider, an archer, a cross, a college's seal. rx and ry are half its
// width and height. In photographs the reader took such for a 9, a Q, or two 1s.
func (p *plate) art(d dice, cx, cy, rx, ry float64) {
	ink := p.print + d.in(0, .4)*(p.ground-p.print)
	at := func() point { return point{cx + d.in(-.9, .9)*rx, cy + d.in(-.9, .9)*ry} }
	if d.one(.4) { // its body
		p.fill(ink, 1, blob(d, cx, cy+d.in(-.2, .4)*ry, rx*d.in(.3, .9), ry*d.in(.3, .7)))
	}
	for range 3 + d.IntN(5) {
		a, v := at(), ink
		if d.one(.25) {
			v = p.tint(d, 0, .6)
		}
		switch d.IntN(5) {
		case 0: // a limb, a lance
			b := at()
			p.line(a.x, a.y, b.x, b.y, d.in(1.5, 5), v)
		case 1: // a bent one
			p.bent(d, a, at(), at(), v)
		case 2:
			p.fill(v, 1, blob(d, a.x, a.y, rx*d.in(.1, .4), ry*d.in(.1, .35)))
		case 3:
			p.disc(a.x, a.y, d.in(.08, .25)*ry, v)
		default:
			r := min(rx, ry) * d.in(.3, .9)
			p.ring(cx, cy, r, d.in(1.2, 4), v)
		}
	}
	switch {
	case d.one(.12): // a seal's letter
		p.small.write(&p.field, d.fill("L"), cx, cy-ry*.4, ry*.8, 1.2, rx*1.4, d.Float64(), 1)
	case d.one(.12): // a cross with blades
		w, t := min(rx, ry), d.in(1.5, 3)
		for i := range 4 {
			s, c := math.Sincos(math.Pi / 2 * float64(i))
			p.line(cx, cy, cx+w*c, cy+w*s, w*d.in(.3, .6), p.tint(d, 0, 1))
			p.line(cx+w*(c-.4*s), cy+w*(s+.4*c), cx+w*(c+.4*s), cy+w*(s-.4*c), t, ink)
		}
	}
}

// bent draws a stroke from a to b that bends towards by.
func (p *plate) bent(d dice, a, by, b point, v float64) {
	const steps = 6
	t, last := d.in(1.5, 4), a
	for i := 1; i <= steps; i++ {
		k := float64(i) / steps
		next := point{
			(1-k)*(1-k)*a.x + 2*k*(1-k)*by.x + k*k*b.x,
			(1-k)*(1-k)*a.y + 2*k*(1-k)*by.y + k*k*b.y,
		}
		p.line(last.x, last.y, next.x, next.y, t, v)
		last = next
	}
}

// stack writes the letters one below the other that stand beside the number and are no
// part of it: those of a county, of a kind of plate. They are printed like the number,
// half as high, and often nearly as wide.
func (p *plate) stack(d dice, s side, mid, room float64) {
	text := d.fill(pick(d, "LL", "LL", "LL", "LLL", "LLLL", "DD", "DL"))
	h, top := p.text.h(), p.text.y0
	each := h * d.in(.95, 1.15) / float64(len(text))
	high, stretch := each*d.in(.75, .92), d.in(.7, 1.2)
	bold := 0.
	if d.one(.6) {
		stretch, bold = d.in(.9, 2), d.in(0, .12)*each
	}
	if d.one(.5) { // right beside the number
		w := min(room, .5*high*stretch)
		if s.left {
			mid = s.x1 - w/2
		} else {
			mid = s.x0 + w/2
		}
	}
	for i := range len(text) {
		y := top + float64(i)*each
		for _, dx := range []float64{-bold, 0, bold} {
			p.small.write(&p.field, text[i:i+1], mid+dx, y, high, stretch, room, p.print, 1)
		}
	}
}
