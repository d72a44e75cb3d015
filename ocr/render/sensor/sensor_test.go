package sensor

import (
	"image"
	"math"
	"testing"
)

func grey(w, h int, v uint8) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = v
	}
	return img
}

func mean(img *image.RGBA) (m, dev float64) {
	var s, q, n float64
	for i := 0; i < len(img.Pix); i += 4 {
		v := float64(img.Pix[i+1])
		s, q, n = s+v, q+v*v, n+1
	}
	m = s / n
	return m, math.Sqrt(max(0, q/n-m*m))
}

// An edge under a Gaussian of standard deviation s rises from 16 % to 84 %
// within 2 s pixels.
func TestDefocusWidensAnEdge(t *testing.T) {
	img := grey(80, 20, 0)
	for y := range 20 {
		for x := 40; x < 80; x++ {
			q := img.Pix[img.PixOffset(x, y):]
			q[0], q[1], q[2] = 255, 255, 255
		}
	}
	if err := (Effects{Defocus: 4}).Apply(img, 1); err != nil {
		t.Fatal(err)
	}
	at := func(x int) float64 { return float64(img.Pix[img.PixOffset(x, 10)]) / 255 }
	if a, b := at(35), at(43); math.Abs(a-.16) > .04 || math.Abs(b-.84) > .04 {
		t.Errorf("4 px before and behind the edge it is %.2f and %.2f, want 0.16 and 0.84", a, b)
	}
}

func TestMotionSmearsAlongItsAngle(t *testing.T) {
	img := grey(40, 40, 0)
	q := img.Pix[img.PixOffset(20, 20):]
	q[0], q[1], q[2] = 255, 255, 255
	if err := (Effects{Motion: 9, Angle: 0}).Apply(img, 1); err != nil {
		t.Fatal(err)
	}
	var row, col int
	for i := range 40 {
		if img.Pix[img.PixOffset(i, 20)] > 0 {
			row++
		}
		if img.Pix[img.PixOffset(20, i)] > 0 {
			col++
		}
	}
	if row < 8 || row > 10 || col != 1 {
		t.Errorf("a point became %d px wide and %d px high, want 9 and 1", row, col)
	}
}

func TestNoiseHasItsDeviation(t *testing.T) {
	img := grey(200, 200, 128)
	if err := (Effects{Noise: 8}).Apply(img, 3); err != nil {
		t.Fatal(err)
	}
	if m, d := mean(img); math.Abs(m-128) > .5 || math.Abs(d-8) > 1 {
		t.Errorf("mean %.1f, deviation %.1f; want 128 and about 8", m, d)
	}
}

func TestExposureContrastAndJPEG(t *testing.T) {
	img := grey(64, 64, 100)
	if err := (Effects{Exposure: 1.5, Contrast: .5, Quality: 90}).Apply(img, 3); err != nil {
		t.Fatal(err)
	}
	if m, _ := mean(img); math.Abs(m-139) > 2 { // (150-128)/2+128
		t.Errorf("mean %.1f, want 139", m)
	}
}
