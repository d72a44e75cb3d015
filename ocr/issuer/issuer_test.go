package issuer

import (
	"math"
	"slices"
	"strings"
	"testing"

	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/rectify"
	"platewatch/ocr/text"
)

// spelled are a network's outputs that show a text: two steps for each character
// with a blank between, and the likely class has probability sure.
func spelled(word string, sure float32) []float32 {
	const steps = 42
	out := make([]float32, steps*ctc.Classes)
	for t := range steps {
		c := 0
		if at := t / 3; t%3 != 2 && at < len(word) {
			c = 1 + strings.IndexByte(text.Alphabet, word[at])
		}
		for k := range ctc.Classes {
			out[t*ctc.Classes+k] = (1 - sure) / float32(ctc.Classes-1)
		}
		out[t*ctc.Classes+c] = sure
	}
	return out
}

func first(t *testing.T, d []text.Alternative) text.Alternative {
	t.Helper()
	if len(d) == 0 {
		return text.Alternative{}
	}
	sum := 0.0
	for i, a := range d {
		sum += a.Confidence
		if a.Confidence < 0 || i > 0 && a.Confidence > d[i-1].Confidence {
			t.Fatalf("not a distribution with the likeliest first: %v", d)
		}
	}
	if sum > 1+1e-9 {
		t.Fatalf("the sum is %v: %v", sum, d)
	}
	return d[0]
}

// looks are the model's outputs by place.
type looks map[Place][]float32

// issuer returns the issuer that the looks at the wanted places give.
func (l looks) issuer(plate, expected string) []text.Alternative {
	e := About(plate, expected)
	for p := range e.Places() {
		if steps := l[p]; steps != nil {
			e.Look(p, steps)
		}
	}
	return e.Issuer()
}

// TestLettering: words and signs decide between authorities whose series the
// number fits, and a longer word wins over one inside it.
func TestLettering(t *testing.T) {
	for _, c := range []struct {
		plate, expected string
		looks           looks
		want            string
		least           float64
	}{
		{"ABC1234", "us", looks{above: spelled("GEORGIA", 0.9)}, "us-ga", 0.9},
		{"ABC1234", "us", looks{above: spelled("GEORGTA", 0.9)}, "us-ga", 0.3}, // one letter misread
		{"ABC1234", "us", looks{below: spelled("EMPIRESTATE", 0.9)}, "us-ny", 0.8},
		{"123ABC", "us", looks{above: spelled("ARKANSAS", 0.9)}, "us-ar", 0.9}, // and not Kansas
		{"ABC123", "us", looks{above: spelled("WESTVIRGINIA", 0.9)}, "us-wv", 0.9},
		{"ABC123", "eu", looks{band: spelled("LT", 0.9)}, "lt", 0.8},
		{"ABC123", "eu", looks{band: spelled("S", 0.9)}, "se", 0.8},
		{"AB123CD", "eu", looks{band: spelled("F", 0.9)}, "fr", 0.9},
		{"AB123CD", "eu", looks{band: spelled("I", 0.9)}, "it", 0.9},
		{"KT57DHX", "", looks{}, "gb", 0.5}, // no other has such numbers
	} {
		got := first(t, c.looks.issuer(c.plate, c.expected))
		if got.Text != c.want || got.Confidence < c.least {
			t.Errorf("%s, told %q: %v, want %s with at least %v", c.plate, c.expected, got, c.want, c.least)
		}
	}
}

// TestUnknown: an issuer that nothing decides is not named.
func TestUnknown(t *testing.T) {
	if got := (looks{}).issuer("ABC123", "us"); len(got) > 0 {
		t.Errorf("three letters and three digits are of many states: %v", got)
	}
	if got := (looks{above: spelled("", 0.9), below: spelled("", 0.9)}).issuer("ABC123", "us"); len(got) > 0 {
		t.Errorf("and strips without lettering change nothing: %v", got)
	}
}

// TestPlaces: only the places that may decide are looked at.
func TestPlaces(t *testing.T) {
	wanted := func(plate, expected string) []Place { return slices.Collect(About(plate, expected).Places()) }
	if got := wanted("ABC1234", "us"); len(got) != 2 || got[0] != above || got[1] != below {
		t.Errorf("a US plate: %v", got)
	}
	if got := wanted("WOBA123", "de"); len(got) != 3 || got[0] != band {
		t.Errorf("a German plate: %v", got)
	}
	if got := wanted("AYO9034", "br"); len(got) != 0 {
		t.Errorf("a Brazilian plate: %v", got)
	}
}

// TestCorners: the places lie beside the number, whatever its slope, and have
// corners clockwise from the top left.
func TestCorners(t *testing.T) {
	for _, slope := range []float64{0, 0.2, -0.3} {
		at := func(x, y float64) rectify.Point { return rectify.Point{X: x, Y: y + slope*x} }
		ink := [4]rectify.Point{at(100, 50), at(300, 50), at(300, 90), at(100, 90)}
		for _, p := range slices.Concat(strips, bands) {
			q := p.Corners(ink)
			area := 0.0
			for i := range q {
				j := (i + 1) % 4
				area += q[i].X*q[j].Y - q[j].X*q[i].Y
			}
			if area <= 0 || math.IsNaN(area) {
				t.Errorf("slope %v, place %d: not clockwise: %v", slope, p, q)
			}
		}
		if q := above.Corners(ink); q[3].Y > ink[0].Y+math.Abs(slope)*200 || q[0].Y >= q[3].Y {
			t.Errorf("slope %v: not above: %v", slope, q)
		}
		if q := band.Corners(ink); q[1].X >= ink[0].X {
			t.Errorf("slope %v: not left: %v", slope, q)
		}
	}
}
