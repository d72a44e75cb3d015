// Package maps computes what finding and levelling look at from a grey picture, each in
// one pass: the horizontal gradient, two binary maps of strokes, what is darker than its
// surroundings, and means. OpenCV has the same operations, but needs up to seven passes for each of
// them, and two to three times the instructions. The results are the same bit for bit.
package maps

/*
#cgo CFLAGS: -O3
#cgo CXXFLAGS: -std=c++17 -O3
#include "maps.h"
*/
import "C"

import (
	"unsafe"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
)

// Gradient writes |∂/∂x| / 2 of a grey picture into gradient, which has its size,
// and that shrunk to a quarter into quarter, which has a quarter of it, rounded, or no
// pixels.
func Gradient(grey, gradient, quarter shape.Plane) {
	C.pw_gradient(plane(grey), pixels(gradient), pixels(quarter), C.int(quarter.W), C.int(quarter.H))
}

// OffMean sets the pixels that are darker (light: lighter) by at least by grey levels
// than the mean of the block × block pixels around them, as far as they lie where where,
// enlarged to the picture, is 255. block is 11 or 21, by at most 14.
func OffMean(grey shape.Plane, block, by int, light bool, where shape.Plane, out *shape.Bits) {
	out.Resize(grey.W, grey.H)
	C.pw_off_mean(plane(grey), C.int(block), C.int(by), truth(light), plane(where), words(out), C.int(out.Stride))
}

// Hat sets the pixels that are darker (light: lighter) than their left and right
// surroundings, by a black-hat of 21 × 1 pixels: by more than 10 grey levels, and
// more than 0.45 of the most in the 31 × 9 pixels around them; as far as they lie
// where where is 255, see [OffMean]. A where without pixels is set everywhere.
func Hat(grey shape.Plane, light bool, where shape.Plane, out *shape.Bits) {
	out.Resize(grey.W, grey.H)
	C.pw_hat(plane(grey), truth(light), plane(where), words(out), C.int(out.Stride))
}

// BelowMean writes 255 into out where a pixel is darker by at least by grey levels than the
// mean of the block × block pixels around it, and 0 elsewhere; above writes the opposite.
// Beyond the ends of the picture its last pixels go on. block is odd, 3 to 127. It is
// cv::adaptiveThreshold with the mean, where by is its C; as there out gets the size of grey.
// It returns out's pixels.
func BelowMean(grey gocv.Mat, block, by int, above bool, out *gocv.Mat) (shape.Plane, error) {
	if out.Rows() != grey.Rows() || out.Cols() != grey.Cols() {
		out.Close()
		*out = gocv.NewMatWithSize(grey.Rows(), grey.Cols(), gocv.MatTypeCV8UC1)
	}
	planes, err := shape.PlanesOf(grey, *out)
	if err != nil {
		return shape.Plane{}, err
	}
	C.pw_below_mean(plane(planes[0]), C.int(block), C.int(by), truth(above), pixels(planes[1]))
	return planes[1], nil
}

// Smooth writes the mean of the 5 × 3 pixels around each one, as cv::blur, into out, which
// has the size of grey.
func Smooth(grey, out shape.Plane) { C.pw_smooth(plane(grey), pixels(out)) }

func plane(p shape.Plane) C.pw_plane {
	return C.pw_plane{pixels: pixels(p), width: C.int(p.W), height: C.int(p.H)}
}

func pixels(p shape.Plane) *C.uint8_t {
	return (*C.uint8_t)(unsafe.SliceData(p.Pix))
}

func words(b *shape.Bits) *C.uint64_t { return (*C.uint64_t)(unsafe.SliceData(b.Words)) }

func truth(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
