package main

import "math"

// side is a mark beside the characters.
type side struct {
	what   string
	x0, x1 float64
	left   bool
}

// chooseSides chooses the marks left and right of the characters, and their room.
func chooseSides(d dice, k *kind, w float64, left, right *float64) []side {
	var out []side
	x0, x1 := *left, *right
	takeLeft := func(what string, share float64) {
		*left = x0 + w*share
		out = append(out, side{what, x0 - w*.02, *left, true})
	}
	takeRight := func(what string, share float64) {
		*right = x1 - w*share
		out = append(out, side{what, *right, x1 + w*.02, false})
	}
	us := []string{"stack", "stack", "stack", "chair", "emblem", "emblem", "picture", "picture", "figure", "art", "art", "art", "sticker"}
	switch {
	case k.name == "eu" || k.name == "uk" && d.one(.6):
		if d.one(.72) {
			takeLeft("band", d.in(.065, .095))
		}
		if k.name == "eu" && d.one(.22) {
			takeRight("band", d.in(.055, .08))
		}
		if k.name == "eu" && d.one(.05) {
			takeRight("stack", d.in(.06, .1))
		}
	case k.name == "us" && d.one(.06): // Wyoming: a county, a rider, and letters behind the number
		takeLeft(pick(d, us...), d.in(.12, .24))
		takeRight("stack", d.in(.08, .16))
	case k.name == "us" && d.one(.45):
		takeLeft(pick(d, us...), d.in(.1, .24))
	case k.name == "us" && d.one(.2):
		takeRight(pick(d, us...), d.in(.1, .2))
	case k.name == "other" && d.one(.4):
		takeLeft(pick(d, "band", "emblem", "stack", "stack"), d.in(.07, .16))
	}
	return out
}

func (p *plate) sideItem(d dice, s side) {
	mid, room := (s.x0+s.x1)/2, s.x1-s.x0
	h, top := p.text.h(), p.text.y0
	if s.what != "band" && d.one(.5) { // close to the number
		room *= d.in(.5, 1)
		if s.left {
			s.x0 = s.x1 - room
		} else {
			s.x1 = s.x0 + room
		}
		mid = (s.x0 + s.x1) / 2
	}
	contrast := p.ground - p.print
	switch s.what {
	case "band":
		p.band(d, s)
	case "stack":
		p.stack(d, s, mid, room)
	case "chair":
		p.chair(mid, top+h/2, h*d.in(.6, .95), pick(d, p.print, p.print, d.Float64()))
	case "emblem":
		p.emblem(d, mid, top+h*d.in(.4, .6), min(room*.45, h*d.in(.3, .55)))
	case "art":
		p.art(d, mid, top+h*d.in(.35, .6), room/2, h*d.in(.4, .85))
	case "figure": // a person, an animal: as high as the characters, and as dark
		v := p.print + d.in(0, .35)*contrast
		for range 3 + d.IntN(3) {
			p.fill(v, 1, blob(d, mid+d.in(-.2, .2)*room, top+h*d.in(.15, .9), room*d.in(.12, .3), h*d.in(.12, .4)))
		}
	case "picture":
		p.rect(s.x0+2, top-h*d.in(0, .3), s.x1-2, top+h*d.in(.9, 1.3), p.tint(d, .1, .9))
		for range 1 + d.IntN(6) {
			p.disc(d.in(s.x0, s.x1), top+h*d.in(0, 1), d.in(1, 5), d.Float64())
		}
		if d.one(.5) {
			p.small.write(&p.field, d.fill("DD"), mid, top+h*.55, h*.4, 1, room*.8, d.in(.6, 1), 1)
		} else if d.one(.5) { // two words, as large as half a character
			ink := d.in(.6, 1)
			p.small.write(&p.field, d.fill("LLLLLL"[:3+d.IntN(4)]), mid, top+h*.05, h*.25, 1, room*.8, ink, 1)
			p.small.write(&p.field, d.fill("LLLL"), mid, top+h*.45, h*.4, 1, room*.8, ink, 1)
		}
	case "sticker":
		p.sticker(d, s.x0+room*.15, top+h*d.in(0, .4), room*.7, h*d.in(.4, .6))
	}
}

// band is the coloured field of a country or a county.
func (p *plate) band(d dice, s side) {
	f, h := p.face, p.face.h()
	width := (s.x1 - s.x0) * d.in(.9, 1.15)
	x0, x1 := f.x0, s.x0+width
	if !s.left {
		x0, x1 = s.x1-width, f.x1
	}
	v := d.in(.05, .55)
	if d.one(.2) {
		v = d.in(.3, .9)
	}
	ink := d.in(.75, 1)
	if v > .55 {
		ink = d.in(0, .3)
	}
	p.rect(x0, f.y0, x1, f.y1, v)
	mid, room := (x0+x1)/2, x1-x0
	text := pick(d, countries...)
	if !s.left && d.one(.7) {
		text = d.fill(pick(d, "DD", "DD", "LL"))
	}
	switch {
	case d.one(.7):
		p.ring(mid, f.y0+h*d.in(.25, .38), room*d.in(.25, .38), pick(d, 1, 1, 2.), ink*d.in(.6, 1)+v*.2)
	case d.one(.5):
		p.fill(ink, 1, blob(d, mid, f.y0+h*.3, room*.3, h*.15))
	}
	p.small.write(&p.field, text, mid, f.y0+h*d.in(.6, .75), h*d.in(.13, .24), d.in(.7, 1), room*.9, ink, d.in(.6, 1))
}

// emblem is a coat of arms, a silhouette, a round seal.
func (p *plate) emblem(d dice, cx, cy, r float64) {
	v := pick(d, p.print, d.Float64(), d.Float64())
	switch d.IntN(5) {
	case 0:
		shield := func(k float64) []point {
			return []point{{cx - r*k, cy - r*k*1.2}, {cx + r*k, cy - r*k*1.2}, {cx + r*k, cy + r*k*.3}, {cx, cy + r*k*1.3}, {cx - r*k, cy + r*k*.3}}
		}
		p.fill(v, 1, shield(1))
		p.fill(d.Float64(), 1, shield(d.in(.5, .9)))
		p.rect(cx-r*.12, cy-r*.8, cx+r*.12, cy+r*.6, d.Float64())
	case 1:
		p.fill(v, 1, blob(d, cx, cy, r, r*d.in(.8, 1.5)))
		p.disc(cx, cy, r*d.in(.2, .5), d.Float64())
	case 2:
		p.disc(cx, cy, r, v)
		p.ring(cx, cy, r*d.in(.5, .9), 1.2, d.Float64())
		if d.one(.3) { // a seal with a letter or a number
			p.small.write(&p.field, d.fill(pick(d, "L", "DD")), cx, cy-r*.5, r, 1, r*1.4, d.Float64(), 1)
		}
	case 3: // star, sun
		n := 5 + d.IntN(9)
		var q []point
		for i := range 2 * n {
			s, c := math.Sincos(math.Pi * float64(i) / float64(n))
			k := r * (1 - .5*float64(i%2))
			q = append(q, point{cx + k*s, cy - k*c})
		}
		p.fill(v, 1, q)
	case 4:
		p.fill(v, d.in(.4, 1), blob(d, cx, cy, r, r*1.2))
		p.fill(d.Float64(), d.in(.4, 1), blob(d, cx+r*d.in(-.3, .3), cy, r*.5, r*.6))
	}
}

// chair is the sign for the disabled.
func (p *plate) chair(x, y, s, v float64) {
	t := max(1, .11*s)
	p.ring(x, y+.25*s, .3*s, t, v)
	p.line(x-.05*s, y-.4*s, x, y+.1*s, t*1.2, v)
	p.disc(x-.05*s, y-.47*s, .09*s, v)
	p.line(x, y+.1*s, x+.3*s, y+.1*s, t, v)
	p.line(x+.3*s, y+.1*s, x+.42*s, y+.5*s, t, v)
}

// sticker shows a month or a year.
func (p *plate) sticker(d dice, x, y, w, h float64) {
	v := pick(d, d.in(0, .5), d.in(.5, 1), p.ground*d.in(.8, 1.1))
	ink := d.in(.65, 1)
	if v > .5 {
		ink = d.in(0, .35)
	}
	p.rect(x, y, x+w, y+h, v)
	if d.one(.3) {
		p.outline(x, y, x+w, y+h, 1, ink)
	}
	text := d.fill("DD")
	if d.one(.4) {
		text = pick(d, months...)
	}
	p.small.write(&p.field, text, x+w/2, y+h*d.in(.12, .3), h*d.in(.4, .65), d.in(.7, 1.1), w*.9, ink, 1)
	if d.one(.3) {
		p.small.write(&p.field, d.fill("DDDD"), x+w/2, y+h*.72, h*.24, 1, w*.9, ink, 1)
	}
}

// mark draws a separator between two groups of characters: '-' a dash, '.' a dot,
// ':' two discs, 'r' two round seals, 'o' a patch, 's' an emblem, 'h' a shield
// over a bar, 'k' a sticker, 't' a picture as high as the characters, 'w' a wide one,
// such as Wyoming's rider or a fire brigade's cross, ' ' nothing.
func (p *plate) mark(d dice, what byte, cx, cy, w float64) {
	switch what {
	case '-':
		half, t := min(w*d.in(.22, .42), capital*.22), d.in(1.3, 4)
		p.ink.rect(cx-half, cy-t, cx+half, cy+t, 1)
	case '.':
		p.ink.disc(cx, cy+d.in(-4, 4), d.in(2, 5), 1)
	case ':':
		for _, dy := range []float64{-9, 9} {
			p.disc(cx, cy+dy+d.in(-1, 1), d.in(3.5, 6.5), d.Float64())
		}
	case 'r':
		r := min(w*.42, d.in(4, 8.5))
		for _, dy := range []float64{-10, 10} {
			p.disc(cx, cy+dy, r, d.in(.2, 1))
			p.ring(cx, cy+dy, r*d.in(.4, .8), 1.2, d.Float64())
		}
	case 'o':
		p.fill(d.in(.1, 1), 1, blob(d, cx, cy, min(w*.5, d.in(.15, .42)*capital), d.in(.2, .6)*capital))
		if d.one(.5) {
			p.disc(cx, cy, d.in(2, 6), d.Float64())
		}
	case 'k':
		p.sticker(d, cx-w*.45, cy-capital*d.in(.2, .5), w*.9, capital*d.in(.4, .8))
	case 't':
		p.fill(p.tint(d, .2, 1), 1, blob(d, cx, cy+d.in(-4, 4), w*d.in(.3, .6), capital*d.in(.4, .65)))
		if d.one(.5) {
			p.fill(d.Float64(), 1, blob(d, cx+d.in(-3, 3), cy+d.in(-8, 8), w*.25, capital*.3))
		}
	case 'w':
		p.art(d, cx, cy+d.in(-4, 4), w*d.in(.3, .5), capital*d.in(.4, .75))
	case 's':
		p.emblem(d, cx, cy+d.in(-5, 5), min(w*.5, d.in(.18, .4)*capital))
	case 'h':
		p.emblem(d, cx, cy-d.in(2, 9), min(w*.45, d.in(.16, .3)*capital))
		if d.one(.6) {
			p.ink.rect(cx-w*.25, cy+7, cx+w*.25, cy+10, 1)
		}
	}
}
