package issuer

import (
	"image"
	"image/color"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/rectify"
)

// painted is a street with a plate in its middle, and the corners around the number.
func painted(street, ground, ink color.RGBA) (gocv.Mat, [4]rectify.Point) {
	m := gocv.NewMatWithSize(240, 320, gocv.MatTypeCV8UC3)
	gocv.Rectangle(&m, image.Rect(0, 0, 320, 240), street, -1)
	gocv.Rectangle(&m, image.Rect(100, 100, 220, 126), ground, -1)
	for i := range 6 {
		gocv.Rectangle(&m, image.Rect(112+i*18, 105, 118+i*18, 121), ink, -1)
	}
	p := func(x, y float64) rectify.Point { return rectify.Point{X: x, Y: y} }
	return m, [4]rectify.Point{p(110, 104), p(210, 104), p(210, 122), p(110, 122)}
}

// TestPaint: red characters are Belgian, a yellow ground Luxembourgish or Dutch where
// the number fits; black on white is neither, and what sodium lamps make yellow, and a
// grey picture, say nothing.
func TestPaint(t *testing.T) {
	road, white, black := color.RGBA{R: 110, G: 112, B: 115}, color.RGBA{R: 225, G: 226, B: 228}, color.RGBA{R: 30, G: 30, B: 32}
	red, yellow, sodium := color.RGBA{R: 140, G: 20, B: 40}, color.RGBA{R: 230, G: 190, B: 20}, color.RGBA{R: 200, G: 150, B: 60}
	for name, c := range map[string]struct {
		number              string
		street, ground, ink color.RGBA
		want                string // "": as without the picture
		not                 string
	}{
		"red on white":        {"LJT830", road, white, red, "be", ""},
		"black on white":      {"LJT830", road, white, black, "", "be"},
		"yellow ground":       {"TX1234", road, yellow, black, "lu", ""},
		"white ground":        {"TX1234", road, white, black, "", "lu"},
		"yellow ground, gb":   {"BT62RKO", road, yellow, black, "gb", ""},
		"under sodium lamps":  {"TX1234", sodium, yellow, black, "", "lu"},
		"grey as in infrared": {"LJT830", road, color.RGBA{R: 200, G: 200, B: 200}, color.RGBA{R: 40, G: 40, B: 40}, "", "be"},
	} {
		m, ink := painted(c.street, c.ground, c.ink)
		e, plain := About(c.number, "eu"), About(c.number, "eu")
		e.LookAtPaint(m, ink)
		m.Close()
		got, without := first(t, e.Issuer()), first(t, plain.Issuer())
		if c.want != "" && (got.Text != c.want || got.Confidence < 0.4) || c.not != "" && got.Text == c.not && got.Confidence > without.Confidence {
			t.Errorf("%s: %s is of %v, without the picture of %v", name, c.number, got, without)
		}
	}
}
