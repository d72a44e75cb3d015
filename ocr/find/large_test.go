package find

import (
	"image"
	"testing"

	"gocv.io/x/gocv"
)

// TestLargePicture: a picture that is shrunk before it is searched gives its
// candidates in its own pixels, and so does a part of one.
func TestLargePicture(t *testing.T) {
	const times = 4
	small := gocv.IMRead("../render/testdata/plates/eu-nl-day.jpg", gocv.IMReadGrayScale)
	defer small.Close()
	large := gocv.NewMat()
	defer large.Close()
	gocv.Resize(small, &large, image.Point{}, times, times, gocv.InterpolationLinear)
	if large.Cols()*large.Rows() <= maxPixels {
		t.Fatalf("%d × %d is not large", large.Cols(), large.Rows())
	}
	f, err := New(DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first := func(m gocv.Mat) Candidate {
		t.Helper()
		cs, err := f.Find(m, nil)
		if err != nil || len(cs) == 0 {
			t.Fatalf("%d candidates, %v", len(cs), err)
		}
		return cs[0]
	}
	want := first(small)
	b := want.Box
	if got, same := first(large), (Box{times * b.X, times * b.Y, times * b.W, times * b.H}); got.Box.Overlap(same) < 0.8 {
		t.Errorf("the box is %v, not about %v", got.Box, same)
	}
	const left, top = 101, 51
	part := small.Region(image.Rect(left, top, small.Cols(), small.Rows()))
	defer part.Close()
	if got, same := first(part), (Box{b.X - left, b.Y - top, b.W, b.H}); got.Box.Overlap(same) < 0.8 {
		t.Errorf("in a part the box is %v, not about %v", got.Box, same)
	}
}
