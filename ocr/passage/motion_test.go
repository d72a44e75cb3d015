package passage

import (
	"image"
	"testing"
)

// TestShift: a plate moves when both its ends do.
func TestShift(t *testing.T) {
	at := image.Rect(100, 50, 260, 90)
	for _, test := range []struct {
		name string
		to   image.Rectangle
		want float64
	}{
		{"still", at, 0},
		{"to the right", at.Add(image.Pt(80, 0)), 80},
		{"up and to the left", at.Add(image.Pt(-30, -40)), 50},
		{"only its left half was read", image.Rect(100, 50, 180, 90), 0},
		{"nearer", at.Inset(-20), 0},
		{"nearer, and to the right", image.Rect(110, 40, 310, 100), 10},
	} {
		if got := shift(at, test.to); got != test.want {
			t.Errorf("%s: %g, want %g", test.name, got, test.want)
		}
	}
}
