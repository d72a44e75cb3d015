package render

import (
	"image/color"
	"math"
	"math/rand/v2"
	"strconv"

	"platewatch/ocr/render/paint"
)

// art paints the picture on the face: pale, so that the number stays legible.
func (p *Press) art(l *Layout, k float64, r *rand.Rand) {
	w, h := l.Width*k, l.Height*k
	v := func(c0, c1 uint32, y0, y1 float64) {
		p.c.Fill(paint.Gradient(paint.RGB(c0), paint.RGB(c1), Point{X: 0, Y: y0}, Point{X: 0, Y: y1}), paint.Rect(0, y0, w, y1))
	}
	ridge := func(c color.RGBA, base, amp float64, n int) {
		q := []Point{{X: 0, Y: h}}
		for i := range n + 1 {
			y := base - amp*r.Float64()
			if i%2 == 0 {
				y = base
			}
			q = append(q, Point{X: w * float64(i) / float64(n), Y: y})
		}
		p.c.Fill(paint.Solid(c), append(q, Point{X: w, Y: h}))
	}
	switch l.Art {
	case ArtFade:
		v(0xBFD8EE, 0xF3F4F0, 0, h*.42)
		v(0xF3F4F0, 0xDCE9D2, h*.6, h)
		if l.Name == "us-fl" {
			p.c.Fill(paint.Solid(paint.RGB(0xF3B87A)), paint.Ellipse(w*.47, h*.55, h*.15, h*.15, 24), paint.Ellipse(w*.55, h*.6, h*.15, h*.15, 24))
		}
	case ArtHills:
		v(0xF4F5F2, 0xE6EFE6, 0, h)
		ridge(paint.RGB(0xC4DCCB), h*.42, h*.3, 9)
		ridge(paint.RGB(0xD8E8DC), h*.66, h*.16, 7)
	case ArtSunset:
		v(0xB9CCE8, 0xF4E3C4, 0, h*.45)
		v(0xF4E3C4, 0xF0C79A, h*.45, h)
		p.c.Fill(paint.Solid(paint.RGB(0xF7E9A8)), paint.Ellipse(w*.5, h*.66, h*.24, h*.24, 32))
		ridge(paint.RGB(0xD9B9B0), h*.84, h*.2, 8)
	case ArtWaves:
		v(0xDCE7F3, 0xF5F6F6, 0, h*.5)
		ridge(paint.RGB(0xCFDDEC), h*.5, h*.36, 5)
		v(0xF1F3F3, 0xF1F3F3, h*.5, h)
	case ArtStripe:
		p.c.Fill(paint.Solid(paint.RGB(0xE8B33A)), paint.Rect(0, h*.235, w, h*.255), paint.Rect(0, h*.8, w, h*.82))
	}
}

// arms draws a small shield.
func (p *Press) arms(cx, cy, r, k float64, rng *rand.Rand) {
	c := []color.RGBA{paint.RGB(0xC8202C), paint.RGB(0x1E4FA0), paint.RGB(0x2D7A3E)}[rng.IntN(3)]
	sh := func(q float64) []Point {
		return []Point{{X: (cx - q) * k, Y: (cy - q*1.2) * k}, {X: (cx + q) * k, Y: (cy - q*1.2) * k}, {X: (cx + q) * k, Y: (cy + q*.3) * k}, {X: cx * k, Y: (cy + q*1.35) * k}, {X: (cx - q) * k, Y: (cy + q*.3) * k}}
	}
	p.c.Fill(paint.Solid(paint.RGB(0x303030)), sh(r))
	p.c.Fill(paint.Solid(c), sh(r*.86))
	p.c.Fill(paint.Solid(paint.RGB(0xECECEC)), paint.Rect((cx-r*.12)*k, (cy-r*.8)*k, (cx+r*.12)*k, (cy+r*.5)*k), paint.Rect((cx-r*.5)*k, (cy-r*.45)*k, (cx+r*.5)*k, (cy-r*.22)*k))
}

// seals draws the two round stickers of German plates.
func (p *Press) seals(cx, top, h, r, k float64, rng *rand.Rand) {
	ring := []color.RGBA{paint.RGB(0xE07B28), paint.RGB(0x3A78C2), paint.RGB(0xC9A21E), paint.RGB(0x4A9A4A)}[rng.IntN(4)]
	r = min(r, h*.22)
	for i, c := range []color.RGBA{ring, paint.RGB(0xC9CDD2)} {
		y := top + h*(.26+.48*float64(i))
		p.c.Fill(paint.Solid(paint.Shade(c, .8)), paint.Ellipse(cx*k, y*k, r*k, r*k, 24))
		p.c.Fill(paint.Solid(c), paint.Ellipse(cx*k, y*k, r*.9*k, r*.9*k, 24))
		p.c.Fill(paint.Solid(paint.Shade(c, .7)), paint.Ellipse(cx*k, y*k, r*.4*k, r*.4*k, 16))
	}
}

// fittings draws the parts mounted on a pressed plate: bolts, seals, a frame.
func (p *Press) fittings(l *Layout, k float64, s PlateSpec, r *rand.Rand) {
	for i, st := range l.Sticker {
		if r.Float64() < .2 {
			continue
		}
		c := []color.RGBA{paint.RGB(0xD8A21C), paint.RGB(0x2F8F5B), paint.RGB(0x2B64A8), paint.RGB(0xC2403A), paint.RGB(0xE6E6E2)}[r.IntN(5)]
		p.c.Fill(paint.Solid(c), paint.RoundRect(st.X*k, st.Y*k, (st.X+st.W)*k, (st.Y+st.H)*k, 2*k))
		txt := strconv.Itoa(24 + r.IntN(4))
		if i == 0 {
			txt = []string{"JAN", "MAR", "MAY", "JUN", "AUG", "OCT", "DEC"}[r.IntN(7)]
		}
		p.text(dies["caption"], txt, st.X+st.W/2, st.Y+st.H*.3, st.H*.42, st.W*.8, k, paint.RGB(0x1C1C1C))
	}
	for _, b := range l.Bolts {
		if r.Float64() < .25 {
			continue
		}
		x, y, q := b.X*k, b.Y*k, (3.6+r.Float64()*1.2)*k
		p.c.Fill(paint.Sheer(paint.RGB(0x404040), .5), paint.Ellipse(x+.5*k, y+.9*k, q, q, 14))
		p.c.Fill(paint.Gradient(paint.RGB(0xD8DADC), paint.RGB(0x85888C), Point{X: x, Y: y - q}, Point{X: x, Y: y + q}), paint.Ellipse(x, y, q*.9, q*.9, 14))
		a := r.Float64() * math.Pi
		dx, dy := math.Cos(a)*q*.6, math.Sin(a)*q*.6
		nx, ny := -dy*.25, dx*.25
		p.c.Fill(paint.Sheer(paint.RGB(0x303030), .7), []Point{{X: x - dx + nx, Y: y - dy + ny}, {X: x + dx + nx, Y: y + dy + ny}, {X: x + dx - nx, Y: y + dy - ny}, {X: x - dx - nx, Y: y - dy - ny}})
	}
	if s.Frame {
		w, h := l.Width*k, l.Height*k
		t, foot := 4*k, 4*k
		// A frame's foot may cover what is below the characters, never the characters.
		last := l.Rows[len(l.Rows)-1]
		if free := l.Height - last.Top - last.Height; free > 9 {
			foot = min(free-4, 19) * k
		}
		p.c.Fill(paint.Solid(paint.RGB(0x1C1D20)), paint.RoundRect(0, 0, w, h, 3*k), paint.Reversed(paint.Rect(t, t, w-t, h-foot)))
		if foot > 8*k {
			s := []string{"HILLSIDE MOTORS", "AUTOHAUS BERG", "GARAGE DU LAC", "SUNSET AUTO", "VALLEY CARS"}[r.IntN(5)]
			p.text(dies["bold"], s, l.Width/2, l.Height-foot/k*.74, foot/k*.48, l.Width*.7, k, paint.RGB(0xD6D6D6))
		}
	}
}

// wear lays dirt, scratches and shade over the face.
func (p *Press) wear(l *Layout, k, amount float64, r *rand.Rand) {
	w, h := l.Width*k, l.Height*k
	dirt := paint.RGB(0x6B5B45)
	// splashes come from below
	n := int(40 * amount)
	for range n {
		x, y := r.Float64()*w, h-math.Abs(r.NormFloat64())*h*.4
		q := math.Abs(r.NormFloat64()) * 3 * k
		p.c.Fill(paint.Sheer(dirt, .1+.35*r.Float64()*amount), blob(x, y, q, r))
	}
	p.c.Fill(paint.Sheer(dirt, .16*amount), paint.Rect(0, h*.55, w, h))
	p.c.Fill(paint.Sheer(dirt, .14*amount), paint.Rect(0, h*.8, w, h))
	for range int(6 * amount) {
		x, y, a := r.Float64()*w, r.Float64()*h, r.Float64()*math.Pi
		s, c := math.Sincos(a)
		g := (10 + 40*r.Float64()) * k
		t := .35 * k
		p.c.Fill(paint.Sheer(paint.RGB(0x9A9A96), .5), []Point{{X: x - s*t, Y: y + c*t}, {X: x + c*g - s*t, Y: y + s*g + c*t}, {X: x + c*g + s*t, Y: y + s*g - c*t}, {X: x + s*t, Y: y - c*t}})
	}
	if r.Float64() < amount*.5 { // the shadow of the boot's lip
		y := h * (.15 + .35*r.Float64())
		p.c.Fill(paint.Sheer(paint.RGB(0x101014), .25+.25*r.Float64()), []Point{{X: 0, Y: 0}, {X: w, Y: 0}, {X: w, Y: y}, {X: 0, Y: y * (.6 + .6*r.Float64())}})
	}
}

// blob is an irregular round patch.
func blob(x, y, q float64, r *rand.Rand) []Point {
	p := make([]Point, 9)
	for i := range p {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(len(p)))
		k := q * (.5 + r.Float64())
		p[i] = Point{X: x + c*k, Y: y + s*k}
	}
	return p
}
