// Package resample cuts sloping, leaning parts out of grey pictures, as
// cv::warpAffine does, to a grey level, in less than half of its instructions, of which it
// took 12 of the 101 million of a clear plate (callgrind, amd64), and shrinks them, as
// cv::resize does, bit for bit, in a third of its.
package resample

/*
#cgo CXXFLAGS: -std=c++17 -O3
#include "resample.h"
*/
import "C"

import (
	"errors"
	"image"
	"math"
	"unsafe"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
)

// Affine leads from a place (x, y) on a result to (A·x + B·y + C, D·x + E·y + F) on
// its source, both in pixels, at most 32,000 of them.
type Affine struct{ A, B, C, D, E, F float64 }

// Inverse leads the other way. m must not be flat.
func (m Affine) Inverse() Affine {
	k := 1 / (m.A*m.E - m.B*m.D)
	i := Affine{A: m.E * k, B: -m.B * k, D: -m.D * k, E: m.A * k}
	i.C, i.F = -(i.A*m.C + i.B*m.F), -(i.D*m.C + i.E*m.F)
	return i
}

var errMemory = errors.New("resample: out of memory")

// Sheared fills to from from with a cubic, where columns stay columns: m.B is taken
// as 0. Beyond from its edge pixels go on.
func Sheared(from, to shape.Plane, m Affine) error {
	if C.pw_sheared(picture(from), picture(to), affine(m)) == 0 {
		return errMemory
	}
	return nil
}

// Halved samples from linearly at twice the size of to and averages, because sampling
// alone would lose strokes where the picture shrinks. m leads from the doubled result
// to from. Beyond from its edge pixels go on.
func Halved(from, to shape.Plane, m Affine) error {
	if C.pw_halved(picture(from), picture(to), affine(m)) == 0 {
		return errMemory
	}
	return nil
}

// Shrunk is the part of a grey picture at by times its size, at most 1: each pixel is the mean
// of what it covers. It is cv::resize with INTER_AREA, bit for bit. The caller closes the Mat.
func Shrunk(grey gocv.Mat, part image.Rectangle, by float64) (gocv.Mat, error) {
	cut := grey.Region(part)
	defer cut.Close()
	whole := cut.Clone() // without gaps between its rows
	w, h := math.RoundToEven(float64(part.Dx())*by), math.RoundToEven(float64(part.Dy())*by)
	if int(w) == part.Dx() && int(h) == part.Dy() {
		return whole, nil
	}
	defer whole.Close()
	if times := 1 / by; w < 1 || h < 1 || math.Abs(times-math.RoundToEven(times)) < 1e-9 {
		small := gocv.NewMat() // OpenCV adds whole pixels faster, and rounds differently
		gocv.Resize(whole, &small, image.Point{}, by, by, gocv.InterpolationArea)
		return small, nil
	}
	small := shape.NewMat(int(h), int(w))
	planes, err := shape.PlanesOf(whole, small)
	if err == nil && C.pw_shrunk(picture(planes[0]), picture(planes[1]), C.double(1/by)) == 0 {
		err = errMemory
	}
	if err != nil {
		return small, errors.Join(err, small.Close())
	}
	return small, nil
}

func picture(p shape.Plane) C.pw_picture {
	return C.pw_picture{pixels: (*C.uint8_t)(unsafe.SliceData(p.Pix)), width: C.int(p.W), height: C.int(p.H)}
}

func affine(m Affine) C.pw_affine {
	return C.pw_affine{a: C.double(m.A), b: C.double(m.B), c: C.double(m.C), d: C.double(m.D), e: C.double(m.E), f: C.double(m.F)}
}
