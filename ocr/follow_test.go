package ocr

import (
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
)

// passing is a view of a frame, and an attempt of a line of a height with a text there.
func passing(m *Memory, frame gocv.Mat, at time.Duration, x, height float64, read string, confidence float64) (*view, Attempt) {
	c := find.Candidate{
		Line: find.Line{X0: x, X1: x + 6*height, Y: 300, Height: height},
		Box:  find.Box{X: x - height/2, Y: 300 - 0.9*height, W: 7 * height, H: 1.8 * height},
	}
	a := Attempt{Candidate: c}
	a.Reading.Text, a.Reading.Confidence = read, confidence
	return &view{memory: m, frame: frame, at: at}, a
}

// TestGlance: a place that was read in vain twice gets the cheaper network's look only,
// until it comes closer; also where it moves by its own width in a frame.
func TestGlance(t *testing.T) {
	const each = 40 * time.Millisecond
	frame := gocv.NewMatWithSize(720, 1280, gocv.MatTypeCV8UC1)
	defer frame.Close()
	for _, c := range []struct {
		name       string
		text       string
		confidence float64
		step       float64 // pixels a frame
		reads      int
		height     float64 // then
		want       bool
	}{
		{"lettering", "AUTOBERG", 0.3, 5, 2, 16, true},
		{"fast lettering", "AUTOBERG", 0.3, 110, 2, 16, true},
		{"lettering, once", "AUTOBERG", 0.3, 5, 1, 16, false},
		{"lettering that comes closer", "AUTOBERG", 0.3, 5, 2, 19, false},
		{"lettering that goes away", "AUTOBERG", 0.3, 5, 2, 13, true},
		{"a plate", "KT57DHX", 0.8, 5, 2, 16, false},
	} {
		var m Memory
		at, x := each, 100.0
		for range c.reads {
			v, a := passing(&m, frame, at, x, 16, c.text, c.confidence)
			v.noteMoving(a, v.boxOf(a.Candidate), demand{}, false)
			at, x = at+each, x+c.step
		}
		v, a := passing(&m, frame, at, x, c.height, "", 0)
		if got := v.glanceAt(a.Candidate, demand{}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if !v.glanceAt(a.Candidate, demand{margin: true}) {
			t.Errorf("%s, where cameras write: no glance", c.name)
		}
	}
	var still *view
	if still.glanceAt(find.Candidate{}, demand{margin: true}) {
		t.Error("on a single picture: a glance")
	}
}
