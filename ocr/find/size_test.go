package find

import (
	"image/color"
	"testing"

	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
	"platewatch/ocr/rendertest"
)

// TestSizes: the plate is the first candidate from 10 px high characters to
// those that fill a large picture.
func TestSizes(t *testing.T) {
	for _, width := range []float64{70, 150, 320, 700, 1200, 1700} {
		first(t, rendertest.Closeup{Width: width, Yaw: 10, Pitch: 5, Margin: .4})
	}
}

// TestLeaning: so is one that leans by up to 27 degrees, as front plates do that are
// seen from the side and from above, and it is a likely one.
func TestLeaning(t *testing.T) {
	for _, roll := range []float64{0, -12, 18, 23, -27} {
		if c := first(t, rendertest.Closeup{Width: 200, Yaw: 20, Roll: roll, Margin: .8}); c.Score < 0.5 {
			t.Errorf("leaning by %.0f degrees: score %.2f, at least 0.5", roll, c.Score)
		}
	}
}

// first finds a plate seen from a camera position, which must be the first candidate.
func first(t *testing.T, c rendertest.Closeup) Candidate {
	t.Helper()
	c.Plates = []rendertest.Mounted{{Spec: render.PlateSpec{Layout: "nl", Text: "TX-083-R"}}}
	c.Ground, c.Sensor = color.RGBA{R: 40, G: 60, B: 90, A: 255}, sensor.Effects{Defocus: .4, Noise: 2}
	m, views := c.Grey(t)
	defer m.Close()
	f, err := New(DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	candidates, err := f.Find(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := views[0].Box
	want := Box{float64(b.Min.X), float64(b.Min.Y), float64(b.Dx()), float64(b.Dy())}
	if len(candidates) == 0 || candidates[0].Box.Overlap(want) < 0.5 {
		t.Errorf("%.0f px wide, rolled by %.0f degrees: the plate at %v is not the first of %d candidates", c.Width, c.Roll, b, len(candidates))
		return Candidate{}
	}
	return candidates[0]
}
