package main

import "strings"

// capital is the characters' height in the drawing, pixels.
const capital = 40.

// box is a rectangle, x0 y0 x1 y1.
type box struct{ x0, y0, x1, y1 float64 }

func (b box) w() float64 { return b.x1 - b.x0 }
func (b box) h() float64 { return b.y1 - b.y0 }

// plate is one drawn plate, face on.
type plate struct {
	field          // the plate and the frame round it
	ink      field // coverage by characters
	face     box   // the plate without the frame
	text     box   // tight around the characters
	centres  []float64
	label    string
	kind     *kind
	ground   float64 // grey of the face
	print    float64 // grey of the characters
	corner   float64 // radius
	small    *typeface
	inverted bool
}

// setting is one character or mark on its way to its place.
type setting struct {
	mark bool
	char byte
	x, w float64
}

// draw makes a plate up.
func (p *plate) draw(f *foundry, d dice) {
	p.kind = chooseKind(d)
	k := p.kind
	shown := k.text(d)
	p.label = strings.ReplaceAll(shown, " ", "")
	wide := k.wide.draw(d)
	set := f.faceFor(d, k, wide)
	p.small = f.face(d)
	p.ground, p.print = greys(d)
	p.inverted = d.one(k.dark)

	h := capital / k.capital.draw(d)
	w := h * k.aspect.draw(d)
	frame := 0.
	framed := d.one(k.frame)
	if framed {
		frame = h * d.in(.03, .12)
	}
	p.shape(int(w+2*frame), int(h+2*frame), p.ground)
	p.face = box{frame, frame, frame + w, frame + h}
	p.corner = d.in(.0, .12) * h
	if k.name == row { // the other row is above or below what the reader is shown
		frame = h * d.in(.4, .7)
		p.shape(int(w), int(h+2*frame), p.ground)
		p.face = box{0, frame, w, frame + h}
	}

	left, right := p.face.x0+w*d.in(.02, .06), p.face.x1-w*d.in(.02, .06)
	sides := chooseSides(d, k, w, &left, &right)
	mark := k.marks[d.IntN(len(k.marks))]
	settings, width := compose(d, wide, set, shown, mark)

	room := right - left
	stretch, off := 1., 0.
	if width > room {
		stretch = room / width
	} else {
		if want := d.in(.86, 1) * room; len(p.label) >= 5 && width < want {
			stretch = min(want/width, d.in(1, 1.45))
		}
		off = (room - width*stretch) * d.in(.3, .7)
		if d.one(.2) {
			off = (room - width*stretch) * d.in(0, 1)
		}
	}
	height := capital
	if stretch < .62 { // too much text is also set lower
		height *= max(.75, stretch/.62)
	}
	x, y := left+off, p.face.y0+h*k.middle.draw(d)-height/2
	p.text = box{x, y, x + width*stretch, y + height}

	p.background(d)
	if k.name == row {
		p.otherRow(d, set)
	}
	for _, s := range sides {
		p.sideItem(d, s)
	}
	p.ink.shape(p.w, p.h, 0)
	p.centres = p.centres[:0]
	uneven := d.one(.15)
	for _, s := range settings {
		cx, cw := x+s.x*stretch, s.w*stretch
		if s.mark {
			p.mark(d, s.char, cx+cw/2, y+height/2, cw)
			continue
		}
		up := 0.
		if uneven {
			up = d.in(-1, 1)
		}
		p.ink.stamp(set[s.char], cx, y+up, cw, height, 1, 1)
		p.centres = append(p.centres, cx+cw/2)
	}
	p.emboss(d)
	p.captions(d)
	p.fittings(d)
	if p.inverted {
		for i, v := range p.v {
			p.v[i] = 1 - v
		}
		p.ground, p.print = 1-p.ground, 1-p.print
	}
	if framed {
		p.holder(d, frame)
	}
	p.hazards(d)
	p.shade(d)
}

func chooseKind(d dice) *kind {
	q := d.Float64()
	for i := range kinds {
		if q -= kinds[i].share; q < 0 {
			return &kinds[i]
		}
	}
	return &kinds[0]
}

// greys are those of the ground and the characters.
func greys(d dice) (ground, ink float64) {
	ground = d.in(.6, 1)
	ink = d.in(0, .3) * ground
	if d.one(.2) {
		ground = d.in(.4, .9)
		ink = ground * d.in(.1, .55)
	}
	if d.one(.06) {
		ink = ground - d.in(.16, .28)
	}
	return ground, ink
}

// tint is a grey on the way from the face's, 0, to the characters', 1: between the shares
// lo and hi of it.
func (p *plate) tint(d dice, lo, hi float64) float64 {
	return p.ground - d.in(lo, hi)*(p.ground-p.print)
}

// compose sets the text from x = 0 on, with characters wide / height, and
// returns its width.
func compose(d dice, wide float64, set *typeface, shown string, mark byte) ([]setting, float64) {
	h := set.width('H')
	stretch := min(1.7, max(.5, wide/max(.1, h)))
	gap := d.in(.05, .3) * capital
	between := d.in(.15, .8) * capital
	switch mark {
	case ' ':
	case 'w':
		between = d.in(.7, 1.6) * capital
	default:
		between = d.in(.25, .8) * capital
	}
	cell := 0.
	if d.one(.35) { // every character has the same room
		cell = .95 * h * stretch * capital
	}
	var out []setting
	x := 0.
	for i := range len(shown) {
		if shown[i] == ' ' {
			out = append(out, setting{true, mark, x, between})
			x += between + gap
			continue
		}
		w := set.width(shown[i]) * capital * stretch
		room := max(cell, w)
		out = append(out, setting{false, shown[i], x + (room-w)/2, w})
		x += room + gap
	}
	return out, x - gap
}

// emboss lays the ink over the face: thicker or thinner than the die, with
// blurred or shadowed edges.
func (p *plate) emboss(d dice) {
	switch {
	case d.one(.45):
	case d.one(.14): // worn or lit from the side: only the stamped edges stand out
		blurred := p.ink.blurred(d.in(1, 2))
		core := float32(d.in(0, .5))
		for i, v := range blurred {
			p.ink.v[i] = min(4*v*(1-v)+core*max(2*v-1, 0), 1)
		}
	case d.one(.3): // rounded by the paint
		blurred := p.ink.blurred(d.in(1.2, 2.6))
		level := float32(d.in(.36, .52))
		for i, v := range blurred {
			p.ink.v[i] = min(max((v-level)*5+.5, 0), 1)
		}
	default:
		blurred := p.ink.blurred(.8)
		level := float32(d.in(.25, .62))
		for i, v := range blurred {
			p.ink.v[i] = min(max((v-level)*3+.5, 0), 1)
		}
	}
	if d.one(.35) {
		p.edge(pick(d, -1, 1), pick(d, -1, 0, 1), float32(d.in(-.35, .35)))
	}
	tone := field{}
	if d.one(.2) {
		tone.shape(p.w, p.h, 0)
		tone.clouds(d, pick(d, 4, 8, 20), d.in(.05, .3))
	}
	if d.one(.08) { // bleached by the sun, or by a light, towards one end
		a, b := d.in(.2, .6), d.in(.5, 1)
		if d.one(.5) {
			a, b = b, a
		}
		for i := range p.ink.v {
			p.ink.v[i] *= float32(a + (b-a)*float64(i%p.w)/float64(p.w))
		}
	}
	for i, m := range p.ink.v {
		to := float32(p.print)
		if tone.v != nil {
			to += tone.v[i]
		}
		p.v[i] += (to - p.v[i]) * m
	}
}

// edge adds light or shade beside the characters, dx and dy pixels off.
func (p *plate) edge(dx, dy int, amount float32) {
	for y := range p.h {
		for x := range p.w {
			sx, sy := x-dx, y-dy
			if sx < 0 || sy < 0 || sx >= p.w || sy >= p.h {
				continue
			}
			if m := p.ink.v[sy*p.w+sx] - p.ink.v[y*p.w+x]; m > 0 {
				p.v[y*p.w+x] += m * amount
			}
		}
	}
}
