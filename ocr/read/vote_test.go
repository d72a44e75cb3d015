package read

import (
	"errors"
	"io/fs"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"platewatch/ocr/internal/shape"
	"platewatch/ocr/rectify"
)

// symbols reads text with one confidence, each character with one alternative.
func symbols(text string, confidence float64, alternative string) []symbol {
	var out []symbol
	for i := range len(text) {
		out = append(out, symbol{choices: []Alternative{{text[i : i+1], confidence}, {alternative, 0}}})
	}
	return out
}

// lineOf is a line with n letters.
func lineOf(n int) rectify.Line { return rectify.Line{Letters: make([]shape.Shape, n)} }

func TestVote(t *testing.T) {
	type looked struct {
		text       string
		confidence float64
	}
	tests := []struct {
		name    string
		letters int
		looks   []looked
		want    string // empty: nothing is read
		settled bool   // after the last look
	}{
		{"one look", 5, []looked{{"AB123", 0.9}}, "AB123", false},
		{"two agree", 5, []looked{{"AB123", 0.9}, {"AB123", 0.9}}, "AB123", true},
		{"two agree, but hardly believe it", 5, []looked{{"AB123", 0.5}, {"AB123", 0.5}}, "AB123", false},
		{"two against one", 5, []looked{{"AB128", 0.95}, {"AB123", 0.9}, {"AB123", 0.9}}, "AB123", true},
		{"the surer of two", 5, []looked{{"AB128", 0.7}, {"AB123", 0.9}}, "AB123", false},
		{"as many as there are letters", 5, []looked{{"IAB123", 0.9}, {"AB123", 0.85}}, "AB123", false},
		{"too short to be a plate", 2, []looked{{"AB", 0.99}}, "", false},
		{"too long to be a plate", 13, []looked{{"ABCDEFGHIJKLM", 0.99}}, "", false},
		{"nothing at all", 5, []looked{{"", 0}}, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var b ballot
			for _, l := range test.looks {
				b.cast(symbols(l.text, l.confidence, "8"), lineOf(test.letters))
			}
			if got := b.settled(); got != test.settled {
				t.Errorf("settled is %v", got)
			}
			r, ok := b.count()
			if r.Text != test.want || ok != (test.want != "") {
				t.Errorf("read %q, %v; want %q", r.Text, ok, test.want)
			}
			if ok && (r.Confidence <= 0 || r.Confidence > 1 || len(r.Characters) != len(r.Text)) {
				t.Errorf("confidence %g, %d characters", r.Confidence, len(r.Characters))
			}
		})
	}
}

// TestAlternatives: the looks' alternatives are merged by place, the likeliest
// first, and a character with its alternatives never exceeds certainty.
func TestAlternatives(t *testing.T) {
	var b ballot
	b.cast(symbols("AB123", 0.9, "8"), lineOf(5))
	b.cast(symbols("AB128", 0.4, "3"), lineOf(5))
	r, _ := b.count()
	last := r.Characters[4]
	if last.Text != "3" || len(last.Alternatives) != 1 || last.Alternatives[0].Text != "8" {
		t.Errorf("the last character is %+v", last)
	}
	for i, c := range r.Characters {
		sum := c.Confidence
		for _, a := range c.Alternatives {
			sum += a.Confidence
		}
		if sum > 1+1e-9 || math.IsNaN(sum) {
			t.Errorf("character %d adds up to %g", i, sum)
		}
	}
}

func TestEngine(t *testing.T) {
	e, err := newEngine(English())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	white := make([]uint8, 200*60)
	for i := range white {
		white[i] = 255
	}
	got, err := e.recognise(white, 200, 60)
	if d := cmp.Diff([]symbol(nil), got, cmpopts.EquateEmpty(), cmp.AllowUnexported(symbol{})); d != "" || err != nil {
		t.Errorf("an empty strip reads as %v, %v", got, err)
	}
	for _, size := range [][2]int{{0, 10}, {10, 0}, {-1, 5}, {300, 60}} {
		if _, err := e.recognise(white, size[0], size[1]); err == nil {
			t.Errorf("%d × %d pixels out of %d give no error", size[0], size[1], len(white))
		}
	}
	if _, err := e.recognise(white, 1, 1); err != nil {
		t.Errorf("one pixel: %v", err)
	}
}

func TestModelMissing(t *testing.T) {
	for _, m := range []Model{{Dir: t.TempDir(), Name: "plate"}, {Name: "nolanguage"}} {
		m.Looks = English().Looks
		_, err := NewReader(m, 1, nil)
		var missing *ModelError
		if err == nil || !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) || missing.Hint() == "" {
			t.Errorf("%+v: %v", m, err)
		}
	}
}
