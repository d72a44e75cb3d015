package render

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"

	"platewatch/ocr/render/number"
	"platewatch/ocr/render/paint"
)

// PlateSpec says which plate to draw.
type PlateSpec struct {
	Layout string  // a name of LayoutNames
	Text   string  // as displayed, separators included (see [number.Random]); empty: made up from Seed
	Scale  float64 // pixels per millimetre; 0 means 1
	Seed   uint64  // of everything that is left to chance
	Wear   float64 // 0 new – 1 dirty, scratched, shaded
	Frame  bool    // a dealer's frame over the edges
	Die    *Die    // instead of the layout's own
}

// PlateTruth is what is on a drawn plate. Boxes are in pixels of its picture.
type PlateTruth struct {
	Text       string // A to Z, 0 to 9
	Display    string
	Layout     string
	Characters []CharacterTruth
	Rows       [][4]float64 // around the characters of each row, top row first: x0, y0, x1, y1
}

// CharacterTruth is one character's box: tight around the ink.
type CharacterTruth struct {
	Text string
	Box  [4]float64 // x0, y0, x1, y1
}

// Plate draws one plate flat, face on, as an opaque picture of its face
// (corners included). It returns an error if the layout is unknown, the text
// has a character without a die or does not fit, or the scale is out of range.
func Plate(s PlateSpec) (*image.RGBA, PlateTruth, error) {
	var p Press
	t, err := p.Plate(s)
	return p.c.Image, t, err
}

// Press draws plates one after the other into the same memory. The zero value
// is ready. It is not safe for concurrent use.
type Press struct {
	c     paint.Canvas
	arena []Point
	polys [][]Point
}

// Image is the picture of the last plate; the next call overwrites it.
func (p *Press) Image() *image.RGBA { return p.c.Image }

// Plate is like the function of that name; the picture is in Image.
func (p *Press) Plate(s PlateSpec) (PlateTruth, error) {
	l, ok := layouts[s.Layout]
	if !ok {
		return PlateTruth{}, fmt.Errorf("render: there is no plate layout %q", s.Layout)
	}
	if s.Scale == 0 {
		s.Scale = 1
	}
	if !(s.Scale >= .05 && s.Scale <= 8) {
		return PlateTruth{}, fmt.Errorf("render: %g pixels per millimetre is outside 0.05–8", s.Scale)
	}
	r := rand.New(rand.NewPCG(s.Seed, 0x9e3779b97f4a7c15))
	if s.Text == "" {
		s.Text = number.Random(l.Patterns, l.Letters, l.Vanity, r)
	}
	k := s.Scale
	p.c.Resize(int(math.Round(l.Width*k)), int(math.Round(l.Height*k)))
	d := s.Die
	if d == nil {
		d = dies[l.Die]
	}
	p.face(l, k, r)
	t := PlateTruth{Text: Characters(s.Text), Display: s.Text, Layout: l.Name}
	rows := strings.Split(s.Text, "/")
	if len(rows) != len(l.Rows) {
		return t, fmt.Errorf("render: %q has %d rows, layout %s %d", s.Text, len(rows), l.Name, len(l.Rows))
	}
	for i, row := range rows {
		c, err := p.row(l, l.Rows[i], d, row, k, r)
		if err != nil {
			return t, err
		}
		t.Characters = append(t.Characters, c...)
		if len(c) > 0 {
			t.Rows = append(t.Rows, [4]float64{c[0].Box[0], c[0].Box[1], c[len(c)-1].Box[2], c[0].Box[3]})
		}
	}
	p.fittings(l, k, s, r)
	if s.Wear > 0 {
		p.wear(l, k, s.Wear, r)
	}
	return t, nil
}

// face paints the ground, picture, border, bands and captions.
func (p *Press) face(l *Layout, k float64, r *rand.Rand) {
	w, h := l.Width*k, l.Height*k
	p.c.Clear(l.Face)
	p.art(l, k, r)
	for _, b := range l.Bands {
		p.c.Fill(paint.Solid(b.Color), paint.Rect(b.X0*k, b.Y0*k, b.X1*k, b.Y1*k))
		cx, cy := (b.X0+b.X1)/2, (b.Y0+b.Y1)/2
		bw := b.X1 - b.X0
		switch {
		case b.Stars:
			var stars [][]Point
			for i := range 12 {
				s, c := math.Sincos(2 * math.Pi * float64(i) / 12)
				stars = append(stars, star((cx+c*bw*.3)*k, (b.Y0+(b.Y1-b.Y0)*.32+s*bw*.3)*k, bw*.075*k))
			}
			p.c.Fill(paint.Solid(gold), stars...)
			cy = b.Y0 + (b.Y1-b.Y0)*.76
		case b.Flag:
			fx, fy, fw, fh := cx-bw*.34, b.Y0+(b.Y1-b.Y0)*.2, bw*.68, (b.Y1-b.Y0)*.22
			p.c.Fill(paint.Solid(white), paint.Rect((fx+fw*.38)*k, fy*k, (fx+fw*.62)*k, (fy+fh)*k), paint.Rect(fx*k, (fy+fh*.3)*k, (fx+fw)*k, (fy+fh*.7)*k))
			p.c.Fill(paint.Solid(paint.RGB(0xC8102E)), paint.Rect((fx+fw*.44)*k, fy*k, (fx+fw*.56)*k, (fy+fh)*k), paint.Rect(fx*k, (fy+fh*.4)*k, (fx+fw)*k, (fy+fh*.6)*k))
			cy = b.Y0 + (b.Y1-b.Y0)*.74
		}
		p.text(dies["caption"], b.Text, cx, cy-b.TextHeight/2, b.TextHeight, bw*.82, k, b.Ink)
	}
	if b := l.Border; b.Width > 0 {
		o, i := b.Inset*k, (b.Inset+b.Width)*k
		p.c.Fill(paint.Solid(b.Color), paint.RoundRect(o, o, w-o, h-o, (l.Corner-b.Inset)*k), paint.Reversed(paint.RoundRect(i, i, w-i, h-i, (l.Corner-b.Inset-b.Width)*k)))
	}
	for _, c := range l.Texts {
		if s := c.Choice[r.IntN(len(c.Choice))]; s != "" {
			p.text(dies[c.Die], s, c.X, c.Y, c.Height, c.MaxW, k, c.Ink)
		}
	}
}

// row draws one line of the number and returns its characters.
func (p *Press) row(l *Layout, rw Row, d *Die, s string, k float64, r *rand.Rand) ([]CharacterTruth, error) {
	width := func(ch rune) float64 {
		switch ch {
		case ' ':
			return rw.Space
		case '^', ':':
			return max(rw.Space, rw.Height*.36)
		case '-', '.':
			return max(rw.Space, d.glyph(ch).width*rw.Height/100)
		}
		if g := d.glyph(ch); g != nil {
			return g.width * rw.Height / 100
		}
		return -1
	}
	// Gaps stand between characters; a separator brings its own.
	total, n := 0.0, 0
	for _, ch := range s {
		w := width(ch)
		if w < 0 {
			return nil, fmt.Errorf("render: no die for %q in %q", ch, s)
		}
		total += w + rw.Gap
		n++
	}
	total -= rw.Gap
	if n == 0 {
		return nil, nil
	}
	room := rw.Right - rw.Left
	sx := min(1, room/total)
	if sx < .55 {
		return nil, fmt.Errorf("render: %q does not fit on layout %s", s, l.Name)
	}
	x := rw.Left + (room-total*sx)/2
	var out []CharacterTruth
	for _, ch := range s {
		w := width(ch) * sx
		switch ch {
		case ' ':
		case '^':
			p.arms(x+w/2, rw.Top+rw.Height/2, w*.36, k, r)
		case ':':
			p.seals(x+w/2, rw.Top, rw.Height, w*.42, k, r)
		default:
			g := d.glyph(ch)
			gw := g.width * rw.Height / 100 * sx
			gx := x + (w-gw)/2
			p.emboss(g, gx, rw.Top, rw.Height/100*sx, rw.Height/100, k, l.Ink, l.Face)
			if ch != '-' && ch != '.' {
				out = append(out, CharacterTruth{string(ch), [4]float64{gx * k, rw.Top * k, (gx + gw) * k, (rw.Top + rw.Height) * k}})
			}
		}
		x += w + rw.Gap*sx
	}
	return out, nil
}

// emboss draws a glyph with the thin light and dark edge of stamped metal.
func (p *Press) emboss(g *glyph, x, y, sx, sy, k float64, ink, face color.RGBA) {
	if k >= .5 {
		p.glyph(g, x-.8, y-.8, sx, sy, k, paint.Sheer(paint.Shade(face, 1.2), .6))
		p.glyph(g, x+1, y+1.2, sx, sy, k, paint.Sheer(paint.Shade(face, .55), .5))
	}
	p.glyph(g, x, y, sx, sy, k, paint.Solid(ink))
}

// glyph draws a shape with its box's top-left corner at (x, y) millimetres.
func (p *Press) glyph(g *glyph, x, y, sx, sy, k float64, pt paint.Ink) {
	p.arena, p.polys = p.arena[:0], p.polys[:0]
	for _, q := range g.polys {
		n := len(p.arena)
		for _, a := range q {
			p.arena = append(p.arena, Point{X: (x + a.X*sx) * k, Y: (y + a.Y*sy) * k})
		}
		p.polys = append(p.polys, p.arena[n:len(p.arena):len(p.arena)])
	}
	p.c.Fill(pt, p.polys...)
}

// text draws a caption centred at cx, squeezed to at most maxW (0: as it is).
func (p *Press) text(d *Die, s string, cx, top, h, maxW, k float64, ink color.RGBA) {
	gap := h * .14
	w := d.textWidth(s, h, gap, h*.5)
	sx := 1.0
	if maxW > 0 && w > maxW {
		sx = maxW / w
	}
	x := cx - w*sx/2
	for _, ch := range s {
		if ch == ' ' {
			x += h * .5 * sx
			continue
		}
		if g := d.glyph(ch); g != nil {
			p.glyph(g, x, top, h/100*sx, h/100, k, paint.Solid(ink))
			x += (g.width*h/100 + gap) * sx
		}
	}
}

func star(cx, cy, r float64) []Point {
	p := make([]Point, 10)
	for i := range p {
		q := r
		if i%2 == 1 {
			q = r * .4
		}
		s, c := math.Sincos(math.Pi*float64(i)/5 - math.Pi/2)
		p[i] = Point{X: cx + q*c, Y: cy + q*s}
	}
	return p
}
