package read

import (
	"math"
	"testing"

	"platewatch/ocr/internal/shape"
	"platewatch/ocr/rectify"
	"platewatch/ocr/text"
)

// characters read a text with one confidence, each with one alternative.
func characters(read string, confidence float64, alternative string) [][]text.Alternative {
	var out [][]text.Alternative
	for i := range len(read) {
		out = append(out, []text.Alternative{{Text: read[i : i+1], Confidence: confidence}, {Text: alternative}})
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
				b.cast(characters(l.text, l.confidence, "8"), lineOf(test.letters))
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
	b.cast(characters("AB123", 0.9, "8"), lineOf(5))
	b.cast(characters("AB128", 0.4, "3"), lineOf(5))
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
