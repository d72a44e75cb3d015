package colour

import (
	"image"
	"image/color"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/rectify"
)

// scene is a body with a white plate in the middle, bumper and road below it, and
// a rear window above.
func scene(body color.RGBA, light float64) (gocv.Mat, [4]rectify.Point) {
	dim := func(c color.RGBA) color.RGBA {
		return color.RGBA{R: uint8(float64(c.R) * light), G: uint8(float64(c.G) * light), B: uint8(float64(c.B) * light), A: 255}
	}
	const w, h, high = 640, 480, 30
	m := gocv.NewMatWithSize(h, w, gocv.MatTypeCV8UC3)
	gocv.Rectangle(&m, image.Rect(0, 0, w, h), dim(color.RGBA{R: 110, G: 110, B: 112, A: 255}), -1)  // road
	gocv.Rectangle(&m, image.Rect(0, 0, w, 30), dim(color.RGBA{R: 120, G: 170, B: 230, A: 255}), -1) // sky
	gocv.Rectangle(&m, image.Rect(60, 40, 580, 360), dim(body), -1)
	gocv.Rectangle(&m, image.Rect(60, 330, 580, 400), dim(color.RGBA{R: 40, G: 40, B: 42, A: 255}), -1) // bumper
	plate := image.Rect(w/2-75, 260, w/2+75, 260+high)
	gocv.Rectangle(&m, plate, dim(color.RGBA{R: 225, G: 225, B: 225, A: 255}), -1)
	for i := range 7 {
		gocv.Rectangle(&m, image.Rect(plate.Min.X+12+i*18, 266, plate.Min.X+19+i*18, 284), dim(color.RGBA{R: 30, G: 30, B: 30, A: 255}), -1)
	}
	p := func(x, y int) rectify.Point { return rectify.Point{X: float64(x), Y: float64(y)} }
	return m, [4]rectify.Point{p(plate.Min.X, plate.Min.Y), p(plate.Max.X, plate.Min.Y), p(plate.Max.X, plate.Max.Y), p(plate.Min.X, plate.Max.Y)}
}

var paints = map[string]color.RGBA{
	black: {R: 28, G: 28, B: 30, A: 255}, white: {R: 240, G: 240, B: 240, A: 255}, grey: {R: 150, G: 150, B: 152, A: 255},
	red: {R: 170, G: 25, B: 30, A: 255}, blue: {R: 25, G: 50, B: 150, A: 255}, green: {R: 30, G: 100, B: 45, A: 255},
	yellow: {R: 230, G: 200, B: 30, A: 255}, orange: {R: 235, G: 110, B: 20, A: 255}, brown: {R: 110, G: 75, B: 45, A: 255},
}

// TestPaints: each colour is named on a body of that colour, in bright and in dim
// light.
func TestPaints(t *testing.T) {
	for _, light := range []float64{1, 0.55} {
		for want, paint := range paints {
			m, plate := scene(paint, light)
			got := Of(m, plate)
			m.Close()
			if len(got) == 0 || got[0].Text != want {
				t.Errorf("light %v, %s: %v", light, want, got)
			}
			sum := 0.0
			for _, a := range got {
				sum += a.Confidence
			}
			if sum > 1 {
				t.Errorf("light %v, %s: the sum is %v", light, want, sum)
			}
		}
	}
}

// TestNothingAboveTheWindowLine: nothing above the part of the body that is looked at
// changes the result, so no windscreen and no face does.
func TestNothingAboveTheWindowLine(t *testing.T) {
	m, plate := scene(paints[red], 1)
	defer m.Close()
	before := Of(m, plate)
	high := plate[3].Y - plate[0].Y
	line := int((plate[0].Y+plate[3].Y)/2 - (above+radius)*high - 3)
	gocv.Rectangle(&m, image.Rect(0, 0, m.Cols(), line), color.RGBA{R: 20, G: 220, B: 40, A: 255}, -1)
	after := Of(m, plate)
	if len(before) != len(after) {
		t.Fatalf("%v became %v", before, after)
	}
	for i := range before {
		if before[i] != after[i] {
			t.Fatalf("%v became %v", before, after)
		}
	}
}

// TestOtherCarsBeside: what is seen at one side of the plate only, such as the next
// car, decides less than what is seen at both.
func TestOtherCarsBeside(t *testing.T) {
	for want, paint := range map[string]color.RGBA{grey: paints[grey], red: paints[red], white: paints[white]} {
		for _, other := range []string{red, white, black, blue} {
			if other == want {
				continue
			}
			m, plate := scene(paint, 1)
			gocv.Rectangle(&m, image.Rect(m.Cols()/2+80, 0, m.Cols(), m.Rows()), paints[other], -1)
			got := Of(m, plate)
			m.Close()
			if len(got) == 0 || got[0].Text != want {
				t.Errorf("%s beside %s: %v", want, other, got)
			}
		}
	}
}

// TestUnknown: a grey picture, and a plate without a body around it, give no colour.
func TestUnknown(t *testing.T) {
	m, plate := scene(paints[red], 1)
	defer m.Close()
	one := gocv.NewMat()
	defer one.Close()
	gocv.CvtColor(m, &one, gocv.ColorBGRToGray)
	if got := Of(one, plate); got != nil {
		t.Errorf("one channel: %v", got)
	}
	infrared := gocv.NewMat()
	defer infrared.Close()
	gocv.CvtColor(one, &infrared, gocv.ColorGrayToBGR)
	if got := Of(infrared, plate); got != nil {
		t.Errorf("three equal channels, as cameras send in infrared: %v", got)
	}
	crop := m.Region(image.Rect(int(plate[0].X)-5, int(plate[0].Y)-5, int(plate[2].X)+5, int(plate[2].Y)+5))
	defer crop.Close()
	near := plate
	for i := range near {
		near[i].X, near[i].Y = near[i].X-plate[0].X+5, near[i].Y-plate[0].Y+5
	}
	if got := Of(crop, near); got != nil {
		t.Errorf("the plate alone: %v", got)
	}
}
