package maps

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
)

// sizes of pictures: around those of the kernels, and of a word and its fractions.
var sizes = []image.Point{{1, 1}, {1, 40}, {40, 1}, {2, 3}, {7, 5}, {20, 20}, {21, 33}, {63, 22}, {64, 64}, {65, 30}, {90, 41}, {127, 42}, {128, 43}, {129, 130}, {341, 70}}

// noise is a picture of stripes and spots, from faint to strong.
func noise(size image.Point, seed uint64) gocv.Mat {
	r := rand.New(rand.NewPCG(seed, uint64(size.X*1000+size.Y)))
	m := gocv.NewMatWithSize(size.Y, size.X, gocv.MatTypeCV8UC1)
	for y := range size.Y {
		for x := range size.X {
			v := 128 + 50*(x/5%2) - 25*(y/9%2) + r.IntN(60) - 30
			if r.IntN(20) == 0 {
				v = 255 * r.IntN(2)
			}
			m.SetUCharAt(y, x, uint8(min(max(v, 0), 255)))
		}
	}
	return m
}

func plane1(t *testing.T, m gocv.Mat) shape.Plane {
	t.Helper()
	p, err := shape.PlaneOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// same compares a map with OpenCV's, where the mask is set.
func same(t *testing.T, got *shape.Bits, want, mask gocv.Mat) {
	t.Helper()
	if !mask.Empty() {
		whole := gocv.NewMat()
		defer whole.Close()
		gocv.Resize(mask, &whole, image.Pt(want.Cols(), want.Rows()), 0, 0, gocv.InterpolationNearestNeighbor)
		gocv.BitwiseAnd(want, whole, &want)
	}
	m, err := got.Mat()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if a, b := plane1(t, m), plane1(t, want); !slices.Equal(a.Pix, b.Pix) {
		n := 0
		for i := range a.Pix {
			if a.Pix[i] != b.Pix[i] {
				n++
			}
		}
		t.Errorf("%d of %d pixels are not OpenCV's", n, len(a.Pix))
	}
}

// each runs a test for every size, dark and light, with a mask and without.
func each(t *testing.T, f func(t *testing.T, grey, mask gocv.Mat, light bool)) {
	for i, size := range sizes {
		for _, light := range []bool{false, true} {
			for _, masked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v, light %v, mask %v", size, light, masked), func(t *testing.T) {
					grey, mask := noise(size, uint64(i)), gocv.NewMat()
					defer grey.Close()
					defer mask.Close()
					if masked {
						spots := noise(image.Pt((size.X+3)/4, (size.Y+3)/4), 7)
						defer spots.Close()
						gocv.Threshold(spots, &mask, 140, 255, gocv.ThresholdBinary)
					}
					f(t, grey, mask, light)
				})
			}
		}
	}
}

func whereOf(t *testing.T, mask gocv.Mat) shape.Plane {
	t.Helper()
	if mask.Empty() {
		return shape.Plane{}
	}
	return plane1(t, mask)
}

func TestGradient(t *testing.T) {
	for i, size := range sizes {
		grey := noise(size, uint64(i))
		defer grey.Close()
		signed, want := gocv.NewMat(), gocv.NewMat()
		defer signed.Close()
		defer want.Close()
		gocv.Sobel(grey, &signed, gocv.MatTypeCV16S, 1, 0, 3, 1, 0, gocv.BorderDefault)
		gocv.ConvertScaleAbs(signed, &want, 0.5, 0)
		got := shape.Plane{Pix: make([]uint8, size.X*size.Y), W: size.X, H: size.Y}
		quarter := shape.Plane{}
		wanted := gocv.NewMat()
		defer wanted.Close()
		if size.X >= 3 && size.Y >= 3 {
			gocv.Resize(want, &wanted, image.Point{}, 0.25, 0.25, gocv.InterpolationArea)
			quarter = shape.Plane{Pix: make([]uint8, wanted.Cols()*wanted.Rows()), W: wanted.Cols(), H: wanted.Rows()}
		}
		Gradient(plane1(t, grey), got, quarter)
		if !slices.Equal(got.Pix, plane1(t, want).Pix) {
			t.Errorf("%v: the gradient is not OpenCV's", size)
		}
		if quarter.W > 0 && !slices.Equal(quarter.Pix, plane1(t, wanted).Pix) {
			t.Errorf("%v: its quarter is not OpenCV's", size)
		}
	}
}

func TestOffMean(t *testing.T) {
	const by = 8
	for _, block := range []int{11, 21} {
		each(t, func(t *testing.T, grey, mask gocv.Mat, light bool) {
			want := gocv.NewMat()
			defer want.Close()
			gocv.Blur(grey, &want, image.Pt(block, block))
			if light {
				gocv.Subtract(grey, want, &want)
			} else {
				gocv.Subtract(want, grey, &want)
			}
			gocv.Threshold(want, &want, by-1, 255, gocv.ThresholdBinary)
			var got shape.Bits
			OffMean(plane1(t, grey), block, by, light, whereOf(t, mask), &got)
			same(t, &got, want, mask)
		})
	}
}

func TestHat(t *testing.T) {
	rect := func(w, h int) gocv.Mat { return gocv.GetStructuringElement(gocv.MorphRect, image.Pt(w, h)) }
	stroke, around := rect(21, 1), rect(31, 9)
	defer stroke.Close()
	defer around.Close()
	each(t, func(t *testing.T, grey, mask gocv.Mat, light bool) {
		hat, want := gocv.NewMat(), gocv.NewMat()
		defer hat.Close()
		defer want.Close()
		if light {
			gocv.MorphologyEx(grey, &hat, gocv.MorphTophat, stroke)
		} else {
			gocv.MorphologyEx(grey, &hat, gocv.MorphBlackhat, stroke)
		}
		gocv.Dilate(hat, &want, around)
		gocv.ConvertScaleAbs(want, &want, 0.45, 0)
		gocv.Compare(hat, want, &want, gocv.CompareGT)
		gocv.Threshold(hat, &hat, 10, 255, gocv.ThresholdBinary)
		gocv.BitwiseAnd(want, hat, &want)
		var got shape.Bits
		Hat(plane1(t, grey), light, whereOf(t, mask), &got)
		same(t, &got, want, mask)
	})
}
