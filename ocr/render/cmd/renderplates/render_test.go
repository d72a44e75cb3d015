package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"platewatch/ocr/render"
)

// Every picture's truth must fit it: as many places as characters, in reading
// order, inside the box around them.
func TestTruthFitsThePicture(t *testing.T) {
	f, err := newFoundry(1, 20)
	if err != nil {
		t.Fatal(err)
	}
	var p plate
	var o photo
	hidden := 0
	const plates = 300
	for i := range uint64(plates) {
		if err := o.make(&p, f, newDice(7, i)); err != nil {
			t.Fatal(err)
		}
		if o.label != render.Characters(o.label) || len(o.label) < 2 || len(o.label) > 10 {
			t.Errorf("picture %d: label %q", i, o.label)
		}
		if len(o.centres) != len(o.label) {
			t.Fatalf("picture %d: %d places for %q", i, len(o.centres), o.label)
		}
		if o.hidden { // the characters behind the obstacle stay in the label
			hidden++
			continue
		}
		left, right := min(o.text[0].x, o.text[3].x), max(o.text[1].x, o.text[2].x)
		for j, x := range o.centres {
			if x < left || x > right || j > 0 && x <= o.centres[j-1] {
				t.Errorf("picture %d, %q: places %.1f in %.1f to %.1f", i, o.label, o.centres, left, right)
			}
		}
		if left < 0 || right > storedW {
			t.Errorf("picture %d, %q: characters from %.1f to %.1f of %d", i, o.label, left, right, storedW)
		}
	}
	if want := obstacleShare * float64(plates); math.Abs(float64(hidden)-want) > want/3 {
		t.Errorf("obstacles before %d of %d plates, not about %.0f", hidden, plates, want)
	}
}

// A chunk is the same whenever it is made, and is not made twice.
func TestChunkRepeats(t *testing.T) {
	f, err := newFoundry(1, 20)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		fresh, err := chunk{path: filepath.Join(dir, name), number: 3, size: 20, seed: 5}.write(t.Context(), f)
		if err != nil || !fresh {
			t.Fatalf("chunk %s: fresh %v, %v", name, fresh, err)
		}
	}
	for _, ending := range []string{".pix", ".tsv"} {
		a, err1 := os.ReadFile(filepath.Join(dir, "a"+ending))
		b, err2 := os.ReadFile(filepath.Join(dir, "b"+ending))
		if err1 != nil || err2 != nil || len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s: %d and %d bytes that differ (%v, %v)", ending, len(a), len(b), err1, err2)
		}
	}
	if fresh, err := (chunk{path: filepath.Join(dir, "a"), size: 20, seed: 5}).write(t.Context(), f); err != nil || fresh {
		t.Errorf("made again: %v, %v", fresh, err)
	}
}

// The characters of a die are cut out whole: ink in them, none lost at the box.
func TestFoundryCutsInk(t *testing.T) {
	f, err := newFoundry(1, 20)
	if err != nil {
		t.Fatal(err)
	}
	for i, set := range f.real {
		for _, c := range letters + figures {
			g := set[c]
			if g == nil {
				t.Fatalf("%s has no %c", specimens[i/castings], c)
			}
			ink := 0
			for _, v := range g.ink {
				ink += int(v)
			}
			if share := float64(ink) / 255 / float64(len(g.ink)); share < .12 || share > 1 {
				t.Errorf("%s, %c: %.0f %% ink", specimens[i/castings], c, 100*share)
			}
		}
	}
}

// A tail is seen: it adds ink to the bowl, and all of it in the lower three fifths.
func TestTailIsSeen(t *testing.T) {
	for seed := range uint64(60) {
		d := newDice(seed, 2)
		for _, stroke := range []float64{.09, .18} {
			var face typeface
			var foot float64
			p := pen{stroke: stroke, square: 2}
			face.redraw('Q', .5, p, func(p *pen) {
				tail(d, p, func(f float64) { foot = f; p.path(p.arc(.5, f/2, .5, f/2, 0, 360)...) })
			})
			face.redraw('O', .5, p, func(p *pen) { p.path(p.arc(.5, foot/2, .5, foot/2, 0, 360)...) })
			above, below := 0., 0.
			for i, v := range face['Q'].ink {
				more := (float64(v) - float64(face['O'].ink[i])) / 255
				if i/face['Q'].w < glyphHeight*2/5 {
					above += more
				} else {
					below += more
				}
			}
			if share := below / float64(len(face['Q'].ink)); share < .008 || above != 0 {
				t.Errorf("seed %d, stroke %.2f: %.2f %% of the box below, %.0f pixels above", seed, stroke, 100*share, above)
			}
		}
	}
}

// What stands between groups of characters must not count as one.
func TestMarksAreNotCharacters(t *testing.T) {
	f, err := newFoundry(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	d := newDice(1, 1)
	for _, mark := range []byte("-.:rosh ") {
		settings, _ := compose(d, .6, &f.real[0], "AB 12 C", mark)
		text := ""
		for _, s := range settings {
			if !s.mark {
				text += string(s.char)
			}
		}
		if text != "AB12C" {
			t.Errorf("with %q between: %q", mark, text)
		}
	}
}

// TestSplit: a pattern with a weight is repeated.
func TestSplit(t *testing.T) {
	got := split("LL DD*2 DDD*1 LLL|D")
	want := []string{"LL DD", "LL DD", "DDD", "LLL", "D"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, k := range kinds {
		for _, p := range k.patterns {
			if strings.Trim(p, "LD ") != "" || p != strings.TrimSpace(p) {
				t.Errorf("%s has the pattern %q", k.name, p)
			}
		}
	}
}

// A picture of one grey stays one whatever size it takes.
func TestResizedKeepsGrey(t *testing.T) {
	f := field{}
	f.shape(37, 19, .4)
	for _, cubic := range []bool{false, true} {
		for _, size := range [][2]int{{12, 7}, {37, 19}, {110, 51}} {
			g := f.resized(size[0], size[1], cubic)
			for _, v := range g.v {
				if math.Abs(float64(v)-.4) > 1e-5 {
					t.Fatalf("%v, cubic %v: %v", size, cubic, v)
				}
			}
		}
	}
}

// What lies beside a field leaves it as it was.
func TestFillBeyondTheField(t *testing.T) {
	f := field{}
	for _, at := range []point{{-30, 2}, {30, 2}, {2, -30}, {2, 30}} {
		f.shape(10, 10, 0)
		f.fill(1, 1, []point{at, {at.x + 5, at.y}, {at.x + 5, at.y + 5}, {at.x, at.y + 5}})
		for i, v := range f.v {
			if v != 0 {
				t.Fatalf("a square at %v: %.2f at %d", at, v, i)
			}
		}
	}
}
