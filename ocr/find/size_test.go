package find

import (
	"image/color"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
	"platewatch/ocr/rendertest"
)

// TestSizes: the plate is the first candidate from 10 px high characters to
// those that fill a large picture.
func TestSizes(t *testing.T) {
	f, err := New(DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, width := range []float64{70, 150, 320, 700, 1200, 1700} {
		img, views, err := rendertest.Closeup{
			Plates: []rendertest.Mounted{{Spec: render.PlateSpec{Layout: "nl", Text: "TX-083-R"}}}, Width: width, Yaw: 10, Pitch: 5, Margin: .4,
			Ground: color.RGBA{R: 40, G: 60, B: 90, A: 255}, Sensor: sensor.Effects{Defocus: .4, Noise: 2},
		}.Take()
		if err != nil {
			t.Fatal(err)
		}
		m, err := gocv.ImageToMatRGB(img)
		if err != nil {
			t.Fatal(err)
		}
		gocv.CvtColor(m, &m, gocv.ColorBGRToGray)
		candidates, err := f.Find(m, nil)
		m.Close()
		if err != nil {
			t.Fatal(err)
		}
		b := views[0].Box
		want := Box{float64(b.Min.X), float64(b.Min.Y), float64(b.Dx()), float64(b.Dy())}
		if len(candidates) == 0 || candidates[0].Box.Overlap(want) < 0.5 {
			t.Errorf("%.0f px wide: the plate at %v is not the first of %d candidates", width, b, len(candidates))
		}
	}
}
