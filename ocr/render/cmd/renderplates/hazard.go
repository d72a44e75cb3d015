package main

import "math"

// sky fades from grey v at the height from to the face's own at the height to.
func (p *plate) sky(v, from, to float64) {
	for y := range p.h {
		share := float32(min(max((to-float64(y))/(to-from), 0), 1))
		if share == 0 {
			continue
		}
		for x := range p.w {
			q := &p.v[y*p.w+x]
			*q += (float32(v) - *q) * share
		}
	}
}

// otherRow sets the row above or below the one that is read.
func (p *plate) otherRow(d dice, set *typeface) {
	text := d.fill(pick(d, "LL", "LLL", "DDDD", "LLDD", "DDL", "LL DD"))
	gap := d.in(.14, .4) * capital
	y := p.text.y1 + gap
	if d.one(.5) {
		y = p.text.y0 - gap - capital
	}
	set.write(&p.field, text, p.face.x0+p.face.w()/2, y, capital, d.in(.8, 1.2), p.face.w()*.92, p.print, 1)
}

// hazards draws obstructions: bolts through strokes, a tow ball, the shadow of a
// bumper.
func (p *plate) hazards(d dice) {
	t := p.text
	if d.one(.09) {
		for range 1 + d.IntN(2) {
			x, y := d.in(t.x0, t.x1), t.y0+t.h()*pick(d, d.in(-.05, .25), d.in(.75, 1.05), d.in(0, 1))
			p.disc(x, y, d.in(1.5, 4), d.Float64())
			p.disc(x+d.in(-1, 1), y+d.in(-1, 1), d.in(.6, 1.6), d.Float64())
		}
	}
	if d.one(.03) {
		r := d.in(.12, .4) * t.h()
		x, y := d.in(t.x0, t.x1), t.y1+r*d.in(-.4, .9)
		p.disc(x, y, r, d.in(.2, .9))
		p.disc(x-r*.3, y-r*.3, r*.3, 1)
		p.rect(x-r*.4, y, x+r*.4, float64(p.h), d.in(0, .3))
	}
	if d.one(.09) { // low sun: a hard edge along the plate
		at, lean, dark := t.y0+t.h()*d.in(-.1, 1.1), d.in(-.12, .12), float32(d.in(.2, .75))
		sign := float64(pick(d, -1, 1))
		soft := d.in(.5, 4)
		for y := range p.h {
			for x := range p.w {
				over := sign * (float64(y) - at - lean*(float64(x)-float64(p.w)/2))
				share := float32(min(max(over/soft+.5, 0), 1))
				p.v[y*p.w+x] *= 1 - (1-dark)*share
			}
		}
	}
	if d.one(.015) { // bars of light between slats or branches
		period, a, dark := d.in(10, 60), d.angle(), float32(d.in(.35, .8))
		s, c := math.Sincos(a)
		for y := range p.h {
			for x := range p.w {
				if math.Sin((float64(x)*c+float64(y)*s)*2*math.Pi/period) > .2 {
					p.v[y*p.w+x] *= dark
				}
			}
		}
	}
}
