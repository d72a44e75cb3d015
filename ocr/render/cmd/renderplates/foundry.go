package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"platewatch/ocr/render"
)

// glyph is the ink of one character, 0–255, w × h pixels. Its height is the
// capitals' height.
type glyph struct {
	w, h int
	ink  []uint8
}

// typeface is a die's characters.
type typeface [128]*glyph

// foundry holds the typefaces that plates are set in.
type foundry struct {
	real   []typeface // of the renderer's own layouts, castings of each in turn
	varied []typeface // of made-up dies
}

// variedFaces is a number large enough that the reader learns none by heart.
const variedFaces = 900

// castings is how often each real die is taken, each time with a Q and a 4 of its own.
const castings = 6

// Layouts from which each real die is taken, because nothing overlaps their
// characters.
var specimens = []string{"tw", "fr-old", "br-mercosul", "gb-plain", "us-ca", "us-tx", "br"}

// usual lists the specimens whose dies a kind of plate uses.
var usual = map[string][]string{"us": {"us-ca", "us-tx"}, "br": {"br"}, "mercosul": {"br-mercosul"}, "uk": {"gb-plain"}, "eu": {"tw", "fr-old", "br-mercosul"}}

// newFoundry casts the renderer's own dies and as many made-up ones as faces says.
func newFoundry(seed uint64, faces int) (*foundry, error) {
	f := &foundry{}
	var p render.Press
	r := rand.New(rand.NewPCG(seed, 0xd1e))
	for _, name := range specimens {
		t, err := cast(&p, name, nil)
		if err != nil {
			return nil, err
		}
		for range castings {
			t := t
			specimenHabits(dice{r}, &t)
			f.real = append(f.real, t)
		}
	}
	for range faces {
		die := render.RandomDie(r)
		// Half of all plates have the open 4, and a reader that has not seen
		// enough of it takes it for an L.
		die.OpenFour = r.IntN(2) == 0
		// Wide and square ones: the Brazilian O is nearly a rectangle.
		if r.Float64() < .35 {
			die.Kappa, die.Round = .6+.3*r.Float64(), .35+.65*r.Float64()
		}
		if r.Float64() < .3 {
			die.Width = 70 + 25*r.Float64()
		}
		t, err := cast(&p, "gb-plain", die)
		if err != nil {
			return nil, err
		}
		if d := (dice{r}); d.one(.75) {
			habits(d, &t, die.Width/100, die.Stroke/100)
			letterHabits(d, &t, die.Width/100, die.Stroke/100)
		}
		if d := (dice{r}); d.one(.16) {
			serifs(d, &t, die.Width/100, min(die.Stroke/100, .13))
		}
		f.varied = append(f.varied, t)
	}
	return f, nil
}

// cast renders every character of a die and cuts out its ink.
func cast(p *render.Press, layout string, die *render.Die) (typeface, error) {
	var t typeface
	l, _ := render.LayoutByName(layout)
	const all = letters + figures
	// Few enough per row that it is not squeezed.
	const row = 4
	for i := 0; i < len(all); i += row {
		truth, err := p.Plate(render.PlateSpec{Layout: layout, Text: all[i : i+row], Scale: 64 / l.Rows[0].Height, Die: die})
		if err != nil {
			return t, fmt.Errorf("cast the characters of %s: %w", layout, err)
		}
		img := p.Image()
		for _, c := range truth.Characters {
			x0, y0, x1, y1 := int(c.Box[0]), int(c.Box[1]+.5), int(c.Box[2]+.99), int(c.Box[3]+.5)
			g := &glyph{w: x1 - x0, h: y1 - y0, ink: make([]uint8, (x1-x0)*(y1-y0))}
			// The stamped edge's shadow is lighter than 0.7 of the face.
			face, ink := .68*float64(l.Face.G), float64(l.Ink.G)+8
			for y := range g.h {
				for x := range g.w {
					v := float64(img.Pix[img.PixOffset(x0+x, y0+y)+1])
					g.ink[y*g.w+x] = uint8(min(max((face-v)/(face-ink), 0), 1) * 255)
				}
			}
			t[c.Text[0]] = g
		}
	}
	return t, nil
}

// faceFor takes a typeface for a kind of plate, about as wide as wanted.
func (f *foundry) faceFor(d dice, k *kind, wide float64) *typeface {
	if own := usual[k.name]; len(own) > 0 && d.one(.15) {
		return &f.real[slices.Index(specimens, pick(d, own...))*castings+d.IntN(castings)]
	}
	return f.faceNear(d, wide)
}

// face takes one typeface.
func (f *foundry) face(d dice) *typeface {
	if d.one(.25) {
		return &f.real[d.IntN(len(f.real))]
	}
	return &f.varied[d.IntN(len(f.varied))]
}

// faceNear picks a typeface whose characters are about as wide as wanted (width /
// height of an H), so that it is little distorted by stretching.
func (f *foundry) faceNear(d dice, wide float64) *typeface {
	best := f.face(d)
	for range 3 {
		if t := f.face(d); math.Abs(t.width('H')-wide) < math.Abs(best.width('H')-wide) {
			best = t
		}
	}
	return best
}

// width is a glyph's width / height.
func (t *typeface) width(c byte) float64 {
	if g := t[c]; g != nil {
		return float64(g.w) / float64(g.h)
	}
	return 0
}

// write sets small lettering with capitals h high, its top at y, centred at cx
// and squeezed to at most room.
func (t *typeface) write(f *field, s string, cx, y, h, stretch, room, v, alpha float64) {
	total := 0.0
	for i := range len(s) {
		total += (t.advance(s[i])) * h * stretch
	}
	k := stretch
	if total > room && total > 0 {
		k *= room / total
		total = room
	}
	x := cx - total/2
	for i := range len(s) {
		f.stamp(t[s[i]&127], x, y, t.width(s[i])*h*k, h, v, alpha)
		x += t.advance(s[i]) * h * k
	}
}

func (t *typeface) advance(c byte) float64 {
	if t[c&127] == nil {
		return .35
	}
	return t.width(c) + .14
}
