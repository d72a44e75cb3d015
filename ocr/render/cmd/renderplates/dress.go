package main

import "math"

// background draws the picture behind the characters.
func (p *plate) background(d dice) {
	f, contrast := p.face, p.ground-p.print
	if d.one(.4) {
		p.clouds(d, pick(d, 8, 16, 32, 60), d.in(.02, .25))
	}
	if d.one(p.kind.art) {
		if d.one(.28) {
			p.slope(d.in(-.2, .2)*contrast, d.in(-.4, .4)*contrast)
		}
		if d.one(.1) { // Idaho's sky: as dark as the characters above, light below them
			p.sky(p.tint(d, .5, .95), f.y0, f.y0+d.in(.35, .75)*f.h())
			if d.one(.4) {
				p.sky(p.tint(d, .3, .9), f.y1, f.y1-d.in(.2, .4)*f.h())
			}
		}
		if d.one(.25) { // a coloured band at the top or the foot
			t := d.in(.1, .3) * f.h()
			if d.one(.6) {
				p.rect(0, 0, float64(p.w), f.y0+t, p.tint(d, -.1, .95))
			} else {
				p.rect(0, f.y1-t, float64(p.w), float64(p.h), p.tint(d, -.1, .95))
			}
		}
		if d.one(.3) { // hills, waves
			k, base, amp, from := d.in(.02, .1), f.y0+d.in(.3, 1)*f.h(), d.in(2, 12), d.angle()
			q := []point{{float64(p.w), float64(p.h)}, {0, float64(p.h)}}
			for x := 0.; x < float64(p.w)+6; x += 6 {
				q = append(q, point{x, base + amp*math.Sin(k*x+from) + d.in(-4, 4)})
			}
			p.fill(p.tint(d, -.1, .55), 1, q)
		}
		for range pick(d, 0, 0, 1, 1, 2, 3) {
			p.fill(p.tint(d, -.12, .6), 1, blob(d, d.in(f.x0, f.x1), d.in(f.y0, f.y1), d.in(.06, .3)*f.h(), d.in(.1, .4)*f.h()))
		}
		if d.one(.3) { // the state's emblem in the middle
			p.fill(p.tint(d, .05, .7), 1, blob(d, f.x0+f.w()*d.in(.35, .65), f.y0+f.h()*d.in(.4, .6), d.in(.1, .22)*f.h(), d.in(.2, .4)*f.h()))
		}
		if d.one(.12) {
			p.ring(f.x0+f.w()*d.in(.2, .8), f.y0+f.h()*d.in(.4, 1.2), f.h()*d.in(.3, .9), pick(d, 1, 2, 4, 8.), p.tint(d, -.1, .4))
		}
	}
	for range pick(d, 0, 0, 0, 0, 1, 3) {
		p.line(d.in(0, float64(p.w)), d.in(0, float64(p.h)), d.in(0, float64(p.w)), d.in(0, float64(p.h)), d.in(1, 3), p.tint(d, .05, .35))
	}
}

// captions are the small lettering above and below the number.
func (p *plate) captions(d dice) {
	f, k := p.face, p.kind.name
	above, below := p.text.y0-f.y0, f.y1-p.text.y1
	ink := p.print
	if d.one(.3) {
		ink = d.Float64()
	}
	line := func(s string, top, h, room float64) {
		p.small.write(&p.field, s, f.x0+f.w()*d.in(.42, .58), top, max(3, h), d.in(.7, 1.5), room*f.w(), ink, d.in(.55, 1))
	}
	switch {
	case k == "us" || k == "other" && d.one(.3):
		if d.one(.88) {
			h := above * d.in(.45, .82)
			line(pick(d, states...), f.y0+max(1, (above-h)*d.in(.25, .8)), h, d.in(.3, .8))
		}
		if d.one(.75) {
			h := below * d.in(.25, .62)
			line(pick(d, slogans...), p.text.y1+max(1, (below-h)*d.in(.25, .85)), h, d.in(.3, .85))
		}
		for _, c := range []point{{.015, .02}, {.8, .02}, {.015, .78}, {.8, .78}} {
			if chance := .25 + .17*float64(int(1-c.y)); d.one(chance) {
				p.sticker(d, f.x0+f.w()*(c.x+d.in(0, .06)), f.y0+f.h()*(c.y+d.in(0, .03)), f.w()*d.in(.1, .17), f.h()*d.in(.12, .2))
			}
		}
	case k == "mercosul":
		p.rect(f.x0, f.y0, f.x1, f.y0+max(3, above*d.in(.5, .85)), d.in(.05, .5))
		ink = d.in(.75, 1)
		line(pick(d, "BRASIL", "REPUBLICA ARGENTINA", "URUGUAY", "PARAGUAY"), f.y0+above*d.in(.12, .25), above*d.in(.25, .45), .6)
	case k == "br" || k == "other" && d.one(.4):
		if d.one(.93) {
			h := min(above*d.in(.35, .65), .32*capital)
			city := pick(d, cities...)
			if d.one(.3) {
				city = d.fill("LL LLLLLLLL"[:4+d.IntN(8)])
			}
			line(city, f.y0+max(1, (above-h)*d.in(.3, .8)), h, .7)
		}
		for range pick(d, 0, 1, 2) { // the lead seal and its wires
			x := f.x0 + f.w()*d.in(.2, .85)
			p.rect(x, f.y1-f.h()*d.in(.06, .12), x+d.in(2, 9), f.y1-f.h()*d.in(0, .06), d.Float64())
		}
	default:
		if d.one(.2) {
			line(pick(d, dealers...), f.y1-f.h()*d.in(.09, .13), f.h()*d.in(.05, .08), .4)
		}
		if d.one(.12) {
			line(pick(d, dealers...), f.y0+f.h()*.03, f.h()*d.in(.06, .1), .4)
		}
	}
}

// fittings are bolts, the border, rust.
func (p *plate) fittings(d dice) {
	f := p.face
	for range pick(d, 0, 0, 1, 2, 2, 4) {
		x := f.x0 + f.w()*pick(d, d.in(.1, .3), d.in(.7, .9), d.in(.03, .97))
		y := f.y0 + f.h()*pick(d, d.in(.04, .14), d.in(.86, .96))
		if p.kind.name == "eu" {
			y = f.y0 + f.h()*d.in(.3, .7)
			if d.one(.6) {
				x = f.x0 + f.w()*pick(d, d.in(.1, .14), d.in(.9, .98))
			}
		}
		p.disc(x, y, d.in(1.5, 4), d.Float64())
		p.disc(x+.5, y+.5, 1, d.Float64())
		if d.one(.25) {
			p.rect(x-5, y-1.5, x+5, y+1.5, d.in(0, .5))
		}
	}
	if d.one(.5) {
		v := pick(d, p.print, p.print, d.Float64())
		o := d.in(.006, .07) * f.h()
		p.outline(f.x0+o, f.y0+o, f.x1-o, f.y1-o, d.in(.8, 2.2), v)
	}
	if d.one(.14) { // dirt in patches
		n := field{}
		n.shape(p.w, p.h, .5)
		n.clouds(d, pick(d, 4, 8, 16), 1)
		level, v := float32(d.in(.78, .92)), float32(d.in(.1, .6))
		for i, q := range n.v {
			if q > level {
				p.v[i] += (v - p.v[i]) * .5
			}
		}
	}
}

// holder is a dealer's or a bracket's frame, frame pixels wide outside the
// plate and reaching over its edge.
func (p *plate) holder(d dice, frame float64) {
	w, h := float64(p.w), float64(p.h)
	v := d.in(0, .25)
	if d.one(.25) {
		v = d.in(.3, 1)
	}
	ink := d.in(0, .3)
	if v < .5 {
		ink = d.in(.6, 1)
	}
	top, foot, edge := frame+p.face.h()*d.in(0, .05), frame+p.face.h()*d.in(0, .07), frame+p.face.w()*d.in(0, .015)
	if p.kind.name == "us" && d.one(.6) { // wide enough for a name
		top, foot = frame, frame+(p.face.y1-p.text.y1)*d.in(.2, .85)
		if d.one(.7) {
			top += (p.text.y0 - p.face.y0) * d.in(.1, .7)
		}
	}
	p.rect(0, 0, w, top, v)
	p.rect(0, h-foot, w, h, v)
	p.rect(0, 0, edge, h, v)
	p.rect(w-edge, 0, w, h, v)
	name := func(y, room float64) {
		p.small.write(&p.field, pick(d, dealers...), w*d.in(.4, .6), y+room*.2, room*d.in(.4, .65), d.in(.7, 1.5), w*.8, ink, 1)
	}
	if top > 7 && d.one(.5) {
		name(0, top)
	}
	if foot > 5 && d.one(.7) {
		name(h-foot, foot)
	}
	if d.one(.3) {
		p.outline(0, 0, w, h, 1, ink*.6)
	}
}

// shade lays shadows and highlights over the plate.
func (p *plate) shade(d dice) {
	w, h := float64(p.w), float64(p.h)
	if d.one(.14) {
		a, k := d.angle(), float32(d.in(.45, .85))
		s, c := math.Sincos(a)
		ox, oy := w*d.in(.1, .9), h*d.in(.2, .8)
		for y := range p.h {
			for x := range p.w {
				if (float64(x)-ox)*c+(float64(y)-oy)*s > 0 {
					p.v[y*p.w+x] *= k
				}
			}
		}
	}
	if d.one(.25) {
		a, b := d.in(.55, 1), d.in(.55, 1)
		for y := range p.h {
			for x := range p.w {
				p.v[y*p.w+x] *= float32(a + (b-a)*float64(x)/w)
			}
		}
	}
	if d.one(.04) {
		p.disc(d.in(0, w), d.in(0, h), d.in(4, 16), 1.1)
	}
}
