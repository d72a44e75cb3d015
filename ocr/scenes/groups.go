package scenes

import (
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"platewatch/ocr/region"
	"platewatch/ocr/render"
	"platewatch/ocr/render/paint"
)

// Group is a kind of rendered picture that is hard to judge: its plates are few
// among those of the photographs, but a reader must not be surer of them than it
// is right.
type Group struct {
	Name, Region string   // the region that a reader is told
	Layouts      []string // of the plates
	Texts        []string // forms of the numbers, see [number.Random]; none: the layouts' own
	Obstacles    bool     // beside the plate, or before a part of it
}

// Groups are the groups, by name and region.
var Groups = []Group{
	{Name: "short", Region: "de", Layouts: []string{"de"}, Texts: []string{"L:D", "L:DD", "LL:D", "L:L D", "L:DDD", "LL:DD", "L:L DD", "LL:L D"}},
	{Name: "short", Region: "uk", Layouts: []string{"gb", "gb-rear", "gb-plain"}, Texts: []string{"L D", "D L", "L DD", "LL D", "D LL", "L DDD", "LL DD", "LLL D", "DD LL"}},
	{Name: "short", Region: "us", Layouts: []string{"us-az", "us-ca", "us-co", "us-fl", "us-ny", "us-oh", "us-tx", "us-wa"}, Texts: []string{"L", "D", "LL", "LD", "DD", "LLL", "LLD", "LLLL", "DLLL"}},
	{Name: "two-row", Region: "eu", Layouts: []string{"eu-two", "nl-two", "es-moto", "it-moto"}},
	{Name: "two-row", Region: "uk", Layouts: []string{"gb-moto"}},
	{Name: "two-row", Region: "br", Layouts: []string{"br-moto", "br-mercosul-moto"}},
	{Name: "obstacle", Region: "eu", Layouts: []string{"de", "fr", "nl", "es", "it", "pl", "be", "cz", "se", "sk", "at"}, Obstacles: true},
	{Name: "obstacle", Region: "uk", Layouts: []string{"gb", "gb-rear", "gb-plain"}, Obstacles: true},
	{Name: "obstacle", Region: "us", Layouts: []string{"us-az", "us-ca", "us-co", "us-fl", "us-ny", "us-oh", "us-tx", "us-wa"}, Obstacles: true},
	{Name: "obstacle", Region: "br", Layouts: []string{"br", "br-mercosul"}, Obstacles: true},
	{Name: "road", Region: "eu", Layouts: []string{"de", "fr", "nl", "es", "it", "pl", "be", "cz", "se", "sk", "at"}},
	{Name: "road", Region: "uk", Layouts: []string{"gb", "gb-rear", "gb-plain"}},
	{Name: "road", Region: "us", Layouts: []string{"us-az", "us-ca", "us-co", "us-fl", "us-ny", "us-oh", "us-tx", "us-wa"}},
	{Name: "road", Region: "br", Layouts: []string{"br", "br-mercosul"}},
}

const (
	widestPicture  = 1000 // pixels: a larger one takes longer, and shows the same plate
	narrowestPlate = 80   // pixels: smaller ones are a matter of luck
)

// Spec makes up the n-th picture of a group: [Random]'s with one plate of the
// group, which is whole within the picture. The same n gives the same picture.
func (g Group) Spec(n int) (render.ClipSpec, error) {
	r := rand.New(rand.NewPCG(uint64(n), 0x2545f491))
	for seed := r.Uint64() >> 16; ; seed++ {
		spec := Random(seed)
		if len(spec.Vehicles) == 0 || spec.View.Width > widestPicture {
			continue
		}
		spec.Length = time.Duration(float64(time.Second) / spec.FPS) // one frame
		plate := &spec.Vehicles[0].Plate
		plate.Layout = g.Layouts[r.IntN(len(g.Layouts))]
		if len(g.Texts) > 0 {
			plate.Text = g.text(r, plate.Layout)
		}
		view, ok, err := plateOf(spec)
		if err != nil {
			return spec, err
		}
		if !ok || !view.Clear || view.Width() < narrowestPlate || len(g.Texts) == 0 && !issued(plate.Layout, view.Text) {
			continue
		}
		if g.Obstacles {
			spec.Before = []render.Obstacle{obstacle(r, view)}
		}
		return spec, nil
	}
}

// text makes up a number in one of the group's forms.
func (g Group) text(r *rand.Rand, layout string) string {
	l, _ := render.LayoutByName(layout)
	letters := l.Letters
	if letters == "" {
		letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	}
	return strings.Map(func(c rune) rune {
		switch c {
		case 'L':
			return rune(letters[r.IntN(len(letters))])
		case 'D':
			return '1' + rune(r.IntN(9))
		}
		return c
	}, g.Texts[r.IntN(len(g.Texts))])
}

// issued tells whether a place issues such numbers, where its formats are known. The
// layouts have the letters of all series: a California plate with an O as its third
// letter does not exist, and nobody could tell it from one with a 0.
func issued(layout, text string) bool {
	place, err := region.Parse(layout)
	return err != nil || place.Name(text) != ""
}

// plateOf is the plate of a picture with one vehicle; ok is false where it cannot be
// seen.
func plateOf(spec render.ClipSpec) (view render.PlateView, ok bool, err error) {
	for shot, err := range render.Clip(spec) {
		if err != nil {
			return view, false, err
		}
		if p := shot.Truth.Plates; len(p) == 1 {
			return p[0], true, nil
		}
	}
	return view, false, nil
}

// obstacle makes up what hides a part of a plate, or none of it but stands close:
// a pole, a car's body from one side, or a tow bar from below.
func obstacle(r *rand.Rand, v render.PlateView) render.Obstacle {
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	grey := func() color.RGBA {
		g := uint8(r.IntN(230))
		return color.RGBA{g, uint8(min(255, int(g)+r.IntN(20))), uint8(min(255, int(g)+r.IntN(25))), 255}
	}
	q := v.Corners
	wide, high := v.Width(), q[3].Sub(q[0]).Len()
	// at is a place relative to the plate, 0 to 1 across and down.
	at := func(x, y float64) paint.Point {
		return paint.Lerp(paint.Lerp(q[0], q[1], x), paint.Lerp(q[3], q[2], x), y)
	}
	lean := between(-0.06, 0.06) // of its edge, plate widths for a height
	inside := between(-0.08, 0.4)
	o := render.Obstacle{From: grey(), To: grey(), Across: true}
	switch kind := r.IntN(3); kind {
	case 0: // a pole
		x := inside - between(0.1, 0.5)
		if r.IntN(2) == 0 {
			inside, x = 1-inside, 1-x
		}
		far := 6 * wide / math.Max(high, 1)
		o.Outline = []paint.Point{at(inside+lean*far, -far), at(x+lean*far, -far), at(x-lean*far, far), at(inside-lean*far, far)}
	case 1: // the next car's body
		x := -between(0.8, 3)
		if r.IntN(2) == 0 {
			inside, x = 1-inside, 1-x
		}
		top, foot := between(-3, 0.1), between(0.9, 3)
		o.Outline = []paint.Point{at(inside+lean, top), at(x, top), at(x, foot), at(inside-lean, foot)}
		o.Across = false
	default: // a tow bar, with its ball
		w := between(0.05, 0.14)
		x := between(0, 1)
		top := between(-0.1, 0.6)
		ball := w * between(0.9, 1.4) * wide
		c := at(x, top)
		o.Outline = append(o.Outline, at(x+w/2, 3), at(x-w/2, 3))
		for i := range 13 {
			s, k := math.Sincos(math.Pi * (0.85 + 1.3*float64(i)/12))
			o.Outline = append(o.Outline, paint.Point{X: c.X + ball*k, Y: c.Y + ball*(1+s)})
		}
	}
	return o
}
