package render

import (
	"bytes"
	"image"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/ocr/render/number"
	"platewatch/ocr/render/paint"
)

// blank replaces a display text by one without ink, row by row.
func blank(l *Layout) string { return strings.Repeat(" /", len(l.Rows)-1) + " " }

// The truth's boxes are measured on the pixels: what the characters change
// against the same plate without them lies in their boxes and reaches every
// side of each box.
func TestCharacterBoxes(t *testing.T) {
	const k = 1.5 // pixels per millimetre
	for _, name := range LayoutNames() {
		l := layouts[name]
		r := rand.New(rand.NewPCG(9, 9))
		for range 2 {
			// without the coats of arms and seals, which are no characters
			text := strings.NewReplacer("^", " ", ":", " ", "-", " ", ".", " ").Replace(number.Random(l.Patterns, l.Letters, l.Vanity, r))
			with, truth, err := Plate(PlateSpec{Layout: name, Text: text, Scale: k})
			if err != nil {
				t.Fatal(err)
			}
			without, _, err := Plate(PlateSpec{Layout: name, Text: blank(l), Scale: k})
			if err != nil {
				t.Fatal(err)
			}
			if len(truth.Characters) != len(truth.Text) {
				t.Fatalf("%s %q: %d boxes for %d characters", name, text, len(truth.Characters), len(truth.Text))
			}
			left := image.NewRGBA(with.Rect)
			copy(left.Pix, with.Pix)
			for _, c := range truth.Characters {
				b := image.Rect(int(c.Box[0]), int(c.Box[1]), int(c.Box[2]+.999), int(c.Box[3]+.999))
				if !b.In(with.Rect) {
					t.Errorf("%s %q: the box %v of %s leaves the plate %v", name, text, b, c.Text, with.Rect)
					continue
				}
				wide := b.Inset(-4) // the embossed edge is part of the ink
				var ink image.Rectangle
				for y := wide.Min.Y; y < wide.Max.Y; y++ {
					for x := wide.Min.X; x < wide.Max.X; x++ {
						if !(image.Point{x, y}.In(with.Rect)) {
							continue
						}
						if with.RGBAAt(x, y) != without.RGBAAt(x, y) {
							if image.Pt(x, y).In(b) {
								ink = ink.Union(image.Rect(x, y, x+1, y+1))
							}
							left.SetRGBA(x, y, without.RGBAAt(x, y))
						}
					}
				}
				// Diagonals are a little narrower than the box at its corners.
				if d := b.Inset(3); ink.Min.X > d.Min.X+4 || ink.Min.Y > d.Min.Y || ink.Max.X < d.Max.X-4 || ink.Max.Y < d.Max.Y {
					t.Errorf("%s %q: the ink of %s is %v, its box %v", name, text, c.Text, ink, b)
				}
			}
			if !bytes.Equal(left.Pix, without.Pix) {
				t.Errorf("%s %q: there is ink of the characters outside their boxes", name, text)
			}
		}
	}
}

// Every label is one that its layout's patterns or a vanity text allows, fits
// its plate, and gives its characters back.
func TestLabels(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var p Press
	for _, name := range LayoutNames() {
		l := layouts[name]
		letters := l.Letters
		if letters == "" {
			letters = "A-Z"
		}
		var alt []string
		for _, q := range l.Patterns {
			q = regexp.QuoteMeta(q)
			q = strings.ReplaceAll(strings.ReplaceAll(q, "D", "[0-9]"), "L", "["+letters+"]")
			alt = append(alt, q)
		}
		if l.Vanity {
			alt = append(alt, "[A-Z0-9]{1,8}")
		}
		want := regexp.MustCompile("^(" + strings.Join(alt, "|") + ")$")
		for range 60 {
			text := number.Random(l.Patterns, l.Letters, l.Vanity, r)
			if !want.MatchString(text) {
				t.Fatalf("%s made %q, which is none of %q", name, text, l.Patterns)
			}
			truth, err := p.Plate(PlateSpec{Layout: name, Text: text, Scale: .2})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := ""
			for _, c := range truth.Characters {
				got += c.Text
			}
			if got != Characters(text) || len(truth.Rows) != len(l.Rows) {
				t.Fatalf("%s %q: characters %q in %d rows", name, text, got, len(truth.Rows))
			}
		}
	}
}

func TestPlateRefuses(t *testing.T) {
	for _, s := range []PlateSpec{
		{Layout: "atlantis"},
		{Layout: "nl", Text: "TOO LONG FOR THE PLATE"},
		{Layout: "nl", Text: "AB-12é"},
		{Layout: "nl", Text: "AB/12"},
		{Layout: "nl", Scale: 9},
		{Layout: "nl", Scale: -1},
	} {
		if _, _, err := Plate(s); err == nil {
			t.Errorf("%+v was drawn", s)
		}
	}
}

// The same specification gives the same bytes, and a press gives what a fresh
// one does whatever it drew before.
func TestPlateIsDeterministic(t *testing.T) {
	var p Press
	for i, name := range LayoutNames() {
		s := PlateSpec{Layout: name, Scale: .6, Seed: uint64(i), Wear: .7, Frame: i%2 == 0}
		fresh, want, err := Plate(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Plate(PlateSpec{Layout: "eu-two", Scale: 1, Seed: 99}); err != nil {
			t.Fatal(err)
		}
		got, err := p.Plate(s)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: truth differs:\n%s", name, d)
		}
		if !bytes.Equal(fresh.Pix, p.Image().Pix) {
			t.Errorf("%s: a used press draws another picture", name)
		}
		s.Seed++
		if other, _, err := Plate(s); err != nil || bytes.Equal(other.Pix, fresh.Pix) {
			t.Errorf("%s: another seed draws the same picture (%v)", name, err)
		}
	}
}

// Every die, random ones too, has all characters, and no two of them look the
// same (O and 0 may, and I and 1: that is so on real plates).
func TestDiesAreComplete(t *testing.T) {
	all := map[string]*Die{}
	for n, d := range dies {
		all[n] = d
	}
	r := rand.New(rand.NewPCG(5, 5))
	for i := range 40 {
		all["random"+string(rune('A'+i))] = RandomDie(r)
	}
	for name, d := range all {
		seen := map[string]rune{}
		var p Press
		for _, ch := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" {
			g := d.glyph(ch)
			if g == nil || len(g.polys) == 0 {
				t.Errorf("die %s has no %c", name, ch)
				continue
			}
			for _, q := range g.polys {
				for _, a := range q {
					if a.X < -1e-9 || a.X > g.width+1e-9 || a.Y < -1e-9 || a.Y > 100+1e-9 {
						t.Fatalf("die %s: %c leaves its box at %v", name, ch, a)
					}
				}
			}
			p.c.Resize(100, 50)
			p.c.Clear(paint.RGB(0xFFFFFF))
			p.glyph(g, 5, 5, .4, .4, 1, paint.Solid(paint.RGB(0)))
			pix := string(p.c.Image.Pix)
			if o, ok := seen[pix]; ok && !strings.Contains("O0 I1", string(o)+string(ch)) {
				t.Errorf("die %s: %c and %c look the same", name, o, ch)
			}
			seen[pix] = ch
		}
	}
}

func BenchmarkPlate(b *testing.B) {
	var p Press
	names := LayoutNames()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := p.Plate(PlateSpec{Layout: names[i%len(names)], Scale: .6, Seed: uint64(i), Wear: .5}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "plates/s")
}
