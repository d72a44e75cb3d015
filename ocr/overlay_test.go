package ocr

import (
	"image"
	"image/color"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
)

func TestAtMargin(t *testing.T) {
	frame := image.Rect(0, 0, 1280, 720)
	for _, c := range []struct {
		name             string
		y, slope, height float64
		want             bool
	}{
		{"a clock", 28, 0, 18, true},
		{"a name at the lower end", 690, 0.005, 20, true},
		{"a plate on the road", 500, 0, 20, false},
		{"a plate near the lower end", 640, 0, 20, false},
		{"a plate that leaves the picture", 690, 0.08, 20, false},
		{"a near plate", 640, 0, 50, false},
	} {
		if got := atMargin(find.Line{Y: c.y, Slope: c.slope, Height: c.height}, frame); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestWritten: text that stays where it is while the picture moves behind it is the
// camera's own. The plate in the picture is not, though it is as regular.
func TestWritten(t *testing.T) {
	r := open(t)
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(picture(t, "us-tx-frame.jpg"), &grey, gocv.ColorBGRToGray)
	const step = 6
	size := image.Pt(grey.Cols()-20*step, grey.Rows())
	var m Memory
	read := 0
	for i := range 16 {
		part := grey.Region(image.Rect(i*step, 0, i*step+size.X, size.Y))
		shown := part.Clone()
		part.Close()
		gocv.PutTextWithParams(&shown, "14B 02819", image.Pt(size.X/3, size.Y/4), gocv.FontHersheySimplex, 0.9, color.RGBA{255, 255, 255, 255}, 2, gocv.LineAA, false)
		res, err := r.Follow(t.Context(), shown, image.Rectangle{Max: size}, time.Duration(i)*250*time.Millisecond, &m)
		shown.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range res.Plates {
			if p.Text == "KRD8254" {
				read++
			}
		}
	}
	if len(m.written) != 1 || !image.Pt(size.X/3+60, size.Y/4-10).In(m.written[0].around) {
		t.Errorf("%d places are taken for the camera's text", len(m.written))
	}
	if read < 14 {
		t.Errorf("the plate was read on %d of 16 frames", read)
	}
}
