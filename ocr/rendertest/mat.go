package rendertest

import (
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/render"
)

// Mat takes the picture in colour (8 bit, BGR). The caller closes the Mat.
func (c Closeup) Mat(t testing.TB) (gocv.Mat, []render.PlateView) {
	t.Helper()
	img, views, err := c.Take()
	if err != nil {
		t.Fatal(err)
	}
	m, err := gocv.ImageToMatRGB(img)
	if err != nil {
		t.Fatal(err)
	}
	return m, views
}

// Grey takes the picture in grey (8 bit, one channel). The caller closes the Mat.
func (c Closeup) Grey(t testing.TB) (gocv.Mat, []render.PlateView) {
	t.Helper()
	m, views := c.Mat(t)
	gocv.CvtColor(m, &m, gocv.ColorBGRToGray)
	return m, views
}
