package resample

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
)

// TestResamplesLikeOpenCV compares both ways with cv::warpAffine, inside the picture
// and beyond all its ends.
func TestResamplesLikeOpenCV(t *testing.T) {
	size := image.Pt(168, 48)
	r := rand.New(rand.NewPCG(3, 4))
	from := gocv.NewMatWithSize(60, 90, gocv.MatTypeCV8UC1)
	defer from.Close()
	source, err := shape.PlaneOf(from)
	if err != nil {
		t.Fatal(err)
	}
	for i := range source.Pix {
		source.Pix[i] = uint8(r.IntN(256))
	}
	// Edges as sharp as those of a camera.
	gocv.GaussianBlur(from, &from, image.Pt(3, 3), 0.8, 0.8, gocv.BorderReplicate)
	for _, test := range []struct {
		name string
		m    Affine
	}{
		{"as it is", Affine{A: 1, E: 1}},
		{"enlarged", Affine{A: .4, C: 3, E: .4, F: -2}},
		{"leaning", Affine{A: .5, C: 10, D: .2, E: .5, F: 5}},
		{"leaning upwards, beyond every end", Affine{A: .9, C: -20, D: -.3, E: .9, F: 10}},
		{"far outside", Affine{A: .5, C: 300, E: .5, F: -200}},
	} {
		t.Run(test.name, func(t *testing.T) {
			compare(t, size, func(to shape.Plane) error { return Sheared(source, to, test.m) }, func(to *gocv.Mat) {
				warp(from, to, test.m, size, gocv.InterpolationCubic)
			})
			slanted := test.m
			slanted.B = .07
			compare(t, size, func(to shape.Plane) error { return Halved(source, to, slanted) }, func(to *gocv.Mat) {
				double := gocv.NewMat()
				defer double.Close()
				warp(from, &double, slanted, size.Mul(2), gocv.InterpolationLinear)
				gocv.Resize(double, to, size, 0, 0, gocv.InterpolationArea)
			})
		})
	}
}

func warp(from gocv.Mat, to *gocv.Mat, m Affine, size image.Point, how gocv.InterpolationFlags) {
	matrix := gocv.NewMatWithSize(2, 3, gocv.MatTypeCV64F)
	defer matrix.Close()
	for i, v := range []float64{m.A, m.B, m.C, m.D, m.E, m.F} {
		matrix.SetDoubleAt(i/3, i%3, v)
	}
	gocv.WarpAffineWithParams(from, to, matrix, size, how|gocv.WarpInverseMap, gocv.BorderReplicate, color.RGBA{})
}

// compare allows the last bit: the fractions are rounded elsewhere.
func compare(t *testing.T, size image.Point, ours func(shape.Plane) error, theirs func(*gocv.Mat)) {
	t.Helper()
	const mean, most = 0.3, 1 // grey levels
	mine := shape.Plane{Pix: make([]uint8, size.X*size.Y), W: size.X, H: size.Y}
	if err := ours(mine); err != nil {
		t.Fatal(err)
	}
	m := gocv.NewMat()
	defer m.Close()
	theirs(&m)
	his, err := shape.PlaneOf(m)
	if err != nil {
		t.Fatal(err)
	}
	sum, worst := 0.0, 0.0
	for i := range mine.Pix {
		d := math.Abs(float64(mine.Pix[i]) - float64(his.Pix[i]))
		sum, worst = sum+d, max(worst, d)
	}
	if sum /= float64(len(mine.Pix)); sum > mean || worst > most {
		t.Errorf("%v: %.2f grey levels off on average, %.0f at most; at most %.1f and %d", size, sum, worst, mean, most)
	}
}

// TestShrinksAsOpenCV: the means are those of cv::resize, bit for bit.
func TestShrinksAsOpenCV(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		grey, want := gocv.NewMatWithSize(4+r.IntN(150), 4+r.IntN(300), gocv.MatTypeCV8UC1), gocv.NewMat()
		p, err := shape.PlaneOf(grey)
		if err != nil {
			t.Fatal(err)
		}
		values := 2 + r.IntN(255) // few values lie half way between two means more often
		for i := range p.Pix {
			p.Pix[i] = uint8(r.IntN(values))
		}
		part := image.Rect(r.IntN(p.W), r.IntN(p.H), p.W, p.H)
		for _, by := range []float64{1, 0.5, 1.0 / 3, 0.4, 0.75, 2.0 / 3, 0.99, 0.1 + 0.9*r.Float64(), 48 / (48 + 200*r.Float64())} {
			if float64(part.Dx())*by < 1 || float64(part.Dy())*by < 1 {
				continue
			}
			cut := grey.Region(part)
			gocv.Resize(cut, &want, image.Point{}, by, by, gocv.InterpolationArea)
			cut.Close()
			got, err := Shrunk(grey, part, by)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.ToBytes(), want.ToBytes()) || got.Cols() != want.Cols() {
				t.Errorf("%v by %g: it is not OpenCV's", part, by)
			}
			got.Close()
		}
		grey.Close()
		want.Close()
	}
}
