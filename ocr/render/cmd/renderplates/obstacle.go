package main

import "math"

// obstacleShare is the share of plates with something before them. Of 8 % the reader
// hardly learned to doubt (ocr/train/README.md).
const obstacleShare = .22

// obstacle stands before a part of the plate: a pole, the next car's body, a tow
// bar. The label keeps the characters behind it, so that the reader learns to doubt
// what it cannot see whole, and that there may be more of it.
type obstacle struct {
	outline  []point // in the plate's drawing
	from, to float64 // grey at its left and its right edge
}

// obstruct makes an obstacle up, or none. A body that hides an end of the plate
// often ends the face and the text there too: a finder sees no more of them.
func (p *plate) obstruct(d dice) *obstacle {
	if !d.one(obstacleShare) {
		return nil
	}
	t := p.text
	pitch := t.w() / float64(max(1, len(p.label)))
	far := 4 * float64(p.h)
	v := pick(d, d.Float64(), d.Float64(), p.ground*d.in(.85, 1.1))
	o := &obstacle{from: v, to: v + d.in(-.3, .3)}
	lean := d.bell(.06)
	if d.one(.2) {
		lean = d.in(-.3, .3)
	}
	middle := (t.y0 + t.y1) / 2
	// side is the x of an edge that leans about the characters' middle.
	side := func(x, y float64) point { return point{x + lean*(y-middle), y} }
	switch q := d.Float64(); {
	case q < .25: // a pole
		w := pitch * d.in(.2, 1.5)
		x := d.in(t.x0-pitch, t.x1+pitch) - w/2
		o.outline = []point{side(x, -far), side(x+w, -far), side(x+w, far), side(x, far)}
	case q < .6: // the next car's body, a bollard, a door
		top, foot := -far, far
		if d.one(.3) {
			top = t.y0 - t.h()*d.in(-.5, 2)
		}
		if d.one(.2) {
			foot = t.y1 + t.h()*d.in(-.5, 2)
		}
		reach := pitch * d.in(-.7, 2.2)
		edge, out := t.x0+reach, -far
		if d.one(.5) {
			edge, out = t.x1-reach, float64(p.w)+far
		}
		o.outline = []point{side(edge, top), {out, top}, {out, foot}, side(edge, foot)}
		if reach > 0 && d.one(.6) {
			if out < 0 {
				p.face.x0, p.text.x0 = max(p.face.x0, edge-pitch*d.in(0, .5)), edge
			} else {
				p.face.x1, p.text.x1 = min(p.face.x1, edge+pitch*d.in(0, .5)), edge
			}
		}
	default: // a tow bar with its ball, from below; sometimes a strap or a handle from above
		w := pitch * d.in(.25, 1.1)
		c := point{d.in(t.x0-pitch*.3, t.x1+pitch*.3), t.y0 + t.h()*d.in(-.2, .95)}
		ball := w / 2 * d.in(1, 2.4)
		down := far
		if d.one(.2) {
			down = -far
		}
		o.outline = append(o.outline, point{c.x + w/2, c.y + down}, point{c.x - w/2, c.y + down})
		for i := range 17 { // from where the bar meets the ball around to the other side
			s, k := math.Sincos(math.Pi * (.85 + 1.3*float64(i)/16))
			o.outline = append(o.outline, point{c.x + ball*k, c.y + math.Copysign(ball*(1+s), down)})
		}
	}
	return o
}

// draw puts the obstacle into a picture; to takes the plate's drawing there.
func (o *obstacle) draw(f *field, to func(x, y float64) point) {
	outline := make([]point, len(o.outline))
	left, right := math.Inf(1), math.Inf(-1)
	for i, q := range o.outline {
		outline[i] = to(q.x, q.y)
		left, right = min(left, outline[i].x), max(right, outline[i].x)
	}
	left, right = max(left, 0), min(right, float64(f.w))
	var mask field
	mask.shape(f.w, f.h, 0)
	mask.fill(1, 1, outline)
	for y := range f.h {
		for x := range f.w {
			k := mask.v[y*f.w+x]
			if k == 0 {
				continue
			}
			share := min(max((float64(x)-left)/max(right-left, 1), 0), 1)
			v := float32(max(0, o.from+(o.to-o.from)*share))
			f.v[y*f.w+x] += (v - f.v[y*f.w+x]) * k
		}
	}
}
