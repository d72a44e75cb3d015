// Package maps computes what finding and levelling look at from a grey picture, each in
// few passes: the horizontal gradient, two binary maps of strokes, blobs of strokes that stand
// close together, what is darker than its surroundings, means, and what gathers in slanted
// columns. OpenCV has most of these operations, but needs up to seven passes for each of them,
// and two to three times the instructions. The results are the same bit for bit.
package maps

/*
#cgo CFLAGS: -O3
#cgo CXXFLAGS: -std=c++17 -O3
#include "maps.h"
*/
import "C"

import (
	"unsafe"

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

// BelowMean sets the pixels that are darker by at least by grey levels than the mean of the
// block × block pixels around them; above sets the others. Beyond the ends of the picture
// its last pixels go on. block is odd, 3 to 127. It is cv::adaptiveThreshold with the mean,
// where by is its C.
func BelowMean(grey shape.Plane, block, by int, above bool, out *shape.Bits) {
	out.Resize(grey.W, grey.H)
	C.pw_below_mean(plane(grey), C.int(block), C.int(by), truth(above), words(out), C.int(out.Stride))
}

// Above sets the pixels that are larger than least, 0 to 255; below sets the others.
func Above(p shape.Plane, least int, below bool, out *shape.Bits) {
	out.Resize(p.W, p.H)
	C.pw_above(plane(p), C.int(least), truth(below), words(out), C.int(out.Stride))
}

// Smooth writes the mean of the 5 × 3 pixels around each one, as cv::blur, into out, which
// has the size of grey.
func Smooth(grey, out shape.Plane) { C.pw_smooth(plane(grey), pixels(out)) }

// Strokes writes the upright edges of dark strokes into strokes: |∂/∂x| of a black-hat of
// 25 × 9 pixels, which is left in hat. Both have the size of grey.
func Strokes(grey, hat, strokes shape.Plane) {
	C.pw_strokes(plane(grey), pixels(hat), pixels(strokes))
}

// Close closes a picture by 21 × 7 pixels, in place.
func Close(p shape.Plane) { C.pw_close(plane(p), pixels(p)) }

// Opened sets the pixels that are larger than least, 0 to 255, after an opening by 9 × 7 pixels.
func Opened(p shape.Plane, least int, out *shape.Bits) {
	out.Resize(p.W, p.H)
	C.pw_opened(plane(p), C.int(least), words(out), C.int(out.Stride))
}

// Otsu is the grey value up to which a picture's darker class goes if the classes differ
// most, as cv::threshold finds it. N. Otsu, A threshold selection method from gray-level
// histograms, 1979.
func Otsu(p shape.Plane) int {
	var counts [256]C.uint32_t
	C.pw_histogram(plane(p), &counts[0])
	scale := 1 / float64(p.W*p.H)
	mean := 0.0
	for v, n := range counts {
		mean += float64(v) * float64(n)
	}
	mean *= scale
	// The products are rounded (not fused) so that every processor finds the same value.
	const none = 0x1p-23 // of the pixels: a class without any
	best, most := 0, 0.0
	dark, darkMean := 0.0, 0.0 // the darker class's share, and its mean
	for v, n := range counts {
		share := float64(n) * scale
		sum := float64(darkMean * dark)
		dark += share
		light := 1 - dark
		darkMean = sum
		if min(dark, light) < none || max(dark, light) > 1-none {
			continue
		}
		darkMean = (sum + float64(float64(v)*share)) / dark
		lightMean := (mean - float64(dark*darkMean)) / light
		differ := darkMean - lightMean
		if between := dark * light * differ * differ; between > most {
			best, most = v, between
		}
	}
	return best
}

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
