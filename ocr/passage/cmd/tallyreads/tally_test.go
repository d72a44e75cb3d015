package main

import (
	"image"
	"strings"
	"testing"

	"platewatch/ocr"
	"platewatch/ocr/text"
)

// seen is a plate of which each frame read a text, "" for nothing, moving.
func seen(plate string, confidence float64, texts ...string) *Seen {
	s := &Seen{File: "p.jpg", Plate: plate}
	for i, read := range texts {
		f := Frame{Box: image.Rect(10*i, 0, 10*i+100, 25)}
		if read != "" {
			p := ocr.Plate{Reading: text.Reading{Text: read, Confidence: confidence}, Height: 20, Box: f.Box}
			for k := range len(read) {
				p.Characters = append(p.Characters, text.Character{Text: read[k : k+1], Confidence: 0.75, Alternatives: []text.Alternative{{Text: "X", Confidence: 0.125}}})
			}
			f.Plates = append(f.Plates, p)
		}
		s.Frames = append(s.Frames, f)
	}
	return s
}

func TestLookUpsAreTold(t *testing.T) {
	var all tally
	for _, s := range []*Seen{
		seen("AB123", 0.9, "AB123", "", "AB123"),
		seen("CD456", 0.9, "CD4S6", "CD4S6", "CD4S6"),
		seen("EF789", 0.9, "EF7B9", "EF7B9", "EF789", "EF789", "EF789"), // looked up, and corrected
		seen("GH123", 0.9, "GH12", "GH12"),
		seen("IJ123", 0.9, "IJ1234", "IJ1234"),
		seen("KL123", 0.9, "KL12345", "KL12345"),
		seen("MN123", 0.9, "MN123"), // one frame: not looked up
	} {
		var one tally
		if err := one.add(s); err != nil {
			t.Fatal(err)
		}
		all.merge(&one)
	}
	want := "7 plates, 6 looked up 7 times, 2 right; one missed 1, one added 1, others 1; 2 of 20 characters wrong; " +
		"of two frames 8 of 9 alike, after a wrong one 6 of 7; 0 left out"
	if got := all.summary(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	table := string(all.table())
	for _, line := range []string{"plates\t2\t4\n", "plates\t0\t0\n", "missed\t1\n", "added\t1\n", "2\t5\tS\t750\tX:125\t1\n", "2\tA\tA\t750\tX:125\t1\n"} {
		if !strings.Contains(table, line) {
			t.Errorf("the table lacks %q:\n%s", line, table)
		}
	}
	for _, text := range []string{"AB123", "CD456", "p.jpg"} {
		if strings.Contains(table, text) {
			t.Errorf("the table names %s", text)
		}
	}
}

// A reading with a character too few counts in the class of the look-ups that are as
// sure among theirs as it is among the readings.
func TestReadingsClasses(t *testing.T) {
	var r readings
	for i := range 100 {
		r.add(text.Reading{Text: "AB123", Confidence: float64(i) / 100}, "AB123")
	}
	for _, confidence := range []float64{0.05, 0.15, 0.15, 0.995} {
		r.add(text.Reading{Text: "AB12", Confidence: confidence}, "AB123")
	}
	r.add(text.Reading{Text: "AB1234", Confidence: 0.5}, "AB123")
	lookups := [classes]int{10, 40, 40, 10}
	if got, want := r.classes(r.missed, lookups), [classes]int{1, 2, 0, 1}; got != want {
		t.Errorf("one too few: %v, want %v", got, want)
	}
	if got, want := r.classes(r.added, lookups), [classes]int{1: 0, 2: 1}; got != want {
		t.Errorf("one too many: %v, want %v", got, want)
	}
}
