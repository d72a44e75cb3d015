package render

import (
	"image/color"
	"testing"
	"time"
)

// TestRailing: where a railing stands its bars and the street between them take
// turns, and nothing else of the picture changes.
func TestRailing(t *testing.T) {
	red := color.RGBA{255, 0, 0, 255}
	spec := ClipSpec{View: View{Width: 640, Height: 480, Focal: 600, Rise: 1.5, Pitch: 3}, Length: time.Second, Seed: 3}
	bare, err := Still(spec, 0)
	if err != nil {
		t.Fatal(err)
	}
	spec.Railings = []Railing{{X0: -1, X1: 1, Z0: 10, Z1: 10, Foot: 0.5, Height: 1, Pitch: 0.2, Bar: 0.05, Paint: red}}
	fenced, err := Still(spec, 0)
	if err != nil {
		t.Fatal(err)
	}
	// One metre at ten metres is 60 pixels, and the fence's middle lies a little
	// below the picture's.
	bars, in := 0, false
	c := spec.View.pinhole()
	middle, _ := c.project(vec{0, 1, 10})
	for x := range 640 {
		now := fenced.Image.RGBAAt(x, int(middle.Y)) == red
		if now && !in {
			bars++
		}
		if in = now; now && (x < 320-61 || x > 320+61) {
			t.Fatalf("a bar at column %d, beyond the railing's ends", x)
		}
	}
	if bars != 10 {
		t.Errorf("%d bars, want 10: 2 m, one every 20 cm", bars)
	}
	for y := range 480 {
		if y > int(middle.Y)-32 && y < int(middle.Y)+32 {
			continue
		}
		for x := range 640 {
			if bare.Image.RGBAAt(x, y) != fenced.Image.RGBAAt(x, y) {
				t.Fatalf("the picture changes at %d, %d, above or below the railing", x, y)
			}
		}
	}
}
