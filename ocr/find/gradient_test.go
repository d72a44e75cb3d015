package find

import (
	"image"
	"math/rand/v2"
	"testing"

	"gocv.io/x/gocv"
)

// TestGradientInBands: band by band the gradient is that of the whole picture,
// whatever its height.
func TestGradientInBands(t *testing.T) {
	for _, rows := range []int{1, 127, 128, 129, 300} {
		grey := gocv.NewMatWithSize(rows, 90, gocv.MatTypeCV8UC1)
		defer grey.Close()
		r := rand.New(rand.NewPCG(uint64(rows), 1))
		for y := range rows {
			for x := range 90 {
				grey.SetUCharAt(y, x, uint8(r.IntN(256)))
			}
		}
		signed, want, off := gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
		defer signed.Close()
		defer want.Close()
		defer off.Close()
		gocv.Sobel(grey, &signed, gocv.MatTypeCV16S, 1, 0, 3, 1, 0, gocv.BorderDefault)
		gocv.ConvertScaleAbs(signed, &want, 1, 0)
		got := gocv.NewMatWithSize(rows, 90, gocv.MatTypeCV8UC1)
		defer got.Close()
		absGradient(grey, &got, 1)
		gocv.AbsDiff(got, want, &off)
		if n := gocv.CountNonZero(off); n > 0 || got.Size()[0] != rows {
			t.Errorf("%d rows: %d pixels of %v differ", rows, n, image.Pt(got.Cols(), got.Rows()))
		}
	}
}
