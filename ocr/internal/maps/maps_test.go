package maps

import (
	"fmt"
	"image"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
)

// sizes of pictures: around those of the kernels, and of a word and its fractions.
var sizes = []image.Point{
	{1, 1}, {1, 40}, {40, 1}, {2, 3}, {7, 5}, {3, 90}, {300, 3}, {400, 4}, {17, 12}, {18, 11}, {20, 20}, {21, 33}, {34, 9},
	{63, 22}, {64, 64}, {65, 30}, {90, 41}, {127, 42}, {128, 43}, {129, 130}, {192, 21}, {341, 70}, {700, 90},
}

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

// masks are where a map may be wanted. Each sets pixels of a mask of 0.
var masks = map[string]func(mask gocv.Mat, r *rand.Rand){
	"spots": func(mask gocv.Mat, r *rand.Rand) {
		for y := range mask.Rows() {
			for x := range mask.Cols() {
				mask.SetUCharAt(y, x, uint8(255*r.IntN(2)))
			}
		}
	},
	"stretches": func(mask gocv.Mat, r *rand.Rand) {
		for range 1 + mask.Rows()/2 {
			y, x := r.IntN(mask.Rows()), r.IntN(mask.Cols())
			for i := x; i < min(mask.Cols(), x+1+r.IntN(20)); i++ {
				mask.SetUCharAt(y, i, 255)
			}
		}
	},
	"edges": func(mask gocv.Mat, _ *rand.Rand) {
		for y := range mask.Rows() {
			for x := range mask.Cols() {
				if x == 0 || y == 0 || x == mask.Cols()-1 || y == mask.Rows()-1 {
					mask.SetUCharAt(y, x, 255)
				}
			}
		}
	},
	"corners": func(mask gocv.Mat, _ *rand.Rand) {
		mask.SetUCharAt(0, mask.Cols()-1, 255)
		mask.SetUCharAt(mask.Rows()-1, 0, 255)
	},
	"nothing": func(gocv.Mat, *rand.Rand) {},
}

// each runs a test for every size, dark and light, with every mask and without.
func each(t *testing.T, f func(t *testing.T, grey, mask gocv.Mat, light bool)) {
	kinds := slices.Sorted(maps.Keys(masks))
	for i, size := range sizes {
		for _, light := range []bool{false, true} {
			for _, kind := range append(kinds, "") {
				t.Run(fmt.Sprintf("%v, light %v, mask %q", size, light, kind), func(t *testing.T) {
					grey, mask := noise(size, uint64(i)), gocv.NewMat()
					defer grey.Close()
					defer func() { mask.Close() }()
					if set := masks[kind]; set != nil {
						mask.Close()
						mask = gocv.NewMatWithSize((size.Y+3)/4, (size.X+3)/4, gocv.MatTypeCV8UC1)
						set(mask, rand.New(rand.NewPCG(7, uint64(i))))
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

// bothWays runs a comparison of whole maps with OpenCV's want, for what is above and what is not, on every size.
func bothWays(t *testing.T, f func(grey gocv.Mat, want *gocv.Mat, above bool, how gocv.ThresholdType, same func(*shape.Bits))) {
	t.Helper()
	nowhere := gocv.NewMat()
	defer nowhere.Close()
	for i, size := range sizes {
		grey, want := noise(size, uint64(i)), gocv.NewMat()
		defer grey.Close()
		defer want.Close()
		for above, how := range map[bool]gocv.ThresholdType{false: gocv.ThresholdBinaryInv, true: gocv.ThresholdBinary} {
			f(grey, &want, above, how, func(got *shape.Bits) { same(t, got, want, nowhere) })
		}
	}
}

func TestBelowMean(t *testing.T) {
	var got shape.Bits
	bothWays(t, func(grey gocv.Mat, want *gocv.Mat, above bool, how gocv.ThresholdType, same func(*shape.Bits)) {
		for block := 3; block < 128; block += 2 {
			for _, by := range []int{-255, -4, 0, 8, 12, 300} {
				gocv.AdaptiveThreshold(grey, want, 255, gocv.AdaptiveThresholdMean, how, block, float32(by))
				BelowMean(plane1(t, grey), block, by, above, &got)
				same(&got)
			}
		}
	})
}

func TestAbove(t *testing.T) {
	var got shape.Bits
	bothWays(t, func(grey gocv.Mat, want *gocv.Mat, above bool, how gocv.ThresholdType, same func(*shape.Bits)) {
		for _, least := range []int{0, 1, 127, 128, 200, 254, 255} {
			gocv.Threshold(grey, want, float32(least), 255, how)
			Above(plane1(t, grey), least, !above, &got)
			same(&got)
		}
	})
}

func TestSmooth(t *testing.T) {
	for i, size := range sizes {
		grey, want := noise(size, uint64(i)), gocv.NewMat()
		defer grey.Close()
		defer want.Close()
		gocv.Blur(grey, &want, image.Pt(5, 3))
		got := shape.Plane{Pix: make([]uint8, size.X*size.Y), W: size.X, H: size.Y}
		if Smooth(plane1(t, grey), got); !slices.Equal(got.Pix, plane1(t, want).Pix) {
			t.Errorf("%v: it is not OpenCV's", size)
		}
	}
}

func TestHat(t *testing.T) {
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

// TestStrong puts strokes of every depth beside deeper ones of every depth.
func TestStrong(t *testing.T) {
	const apart = 64 // pixels from one pair to the next
	grey := shape.Plane{Pix: make([]uint8, 256*apart), W: 256 * apart, H: 1}
	var got shape.Bits
	for most := range 256 {
		for i := range grey.Pix {
			grey.Pix[i] = 255
		}
		for depth := range most + 1 {
			grey.Pix[depth*apart+20], grey.Pix[depth*apart+30] = uint8(255-depth), uint8(255-most)
		}
		Hat(grey, false, shape.Plane{}, &got)
		for depth := range most + 1 {
			x := depth*apart + 20
			want := depth > 10 && float64(depth) > math.RoundToEven(float64(9*most)/20)
			if set := got.Set(x, x+1, 0) == 1; set != want {
				t.Errorf("%d beside %d: set is %v", depth, most, set)
			}
		}
	}
}

// odd are sizes around those of the structuring elements.
var odd = append([]image.Point{{9, 7}, {8, 6}, {10, 8}, {25, 9}, {26, 10}, {5, 200}, {200, 5}, {66, 13}, {126, 17}, {193, 40}, {320, 61}}, sizes...)

func rect(w, h int) gocv.Mat { return gocv.GetStructuringElement(gocv.MorphRect, image.Pt(w, h)) }

func blank(size image.Point) shape.Plane {
	return shape.Plane{Pix: make([]uint8, size.X*size.Y), W: size.X, H: size.Y}
}

func TestStrokes(t *testing.T) {
	kernel := rect(25, 9)
	defer kernel.Close()
	for i, size := range odd {
		grey, hat, signed, want := noise(size, uint64(i)), gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
		defer grey.Close()
		defer hat.Close()
		defer signed.Close()
		defer want.Close()
		gocv.MorphologyEx(grey, &hat, gocv.MorphBlackhat, kernel)
		gocv.Sobel(hat, &signed, gocv.MatTypeCV16S, 1, 0, 3, 1, 0, gocv.BorderDefault)
		gocv.ConvertScaleAbs(signed, &want, 1, 0)
		left, got := blank(size), blank(size)
		Strokes(plane1(t, grey), left, got)
		if !slices.Equal(left.Pix, plane1(t, hat).Pix) {
			t.Errorf("%v: the black-hat is not OpenCV's", size)
		}
		if !slices.Equal(got.Pix, plane1(t, want).Pix) {
			t.Errorf("%v: the gradient is not OpenCV's", size)
		}
	}
}

func TestClose(t *testing.T) {
	kernel := rect(21, 7)
	defer kernel.Close()
	for i, size := range odd {
		grey, want := noise(size, uint64(i)), gocv.NewMat()
		defer grey.Close()
		defer want.Close()
		gocv.MorphologyEx(grey, &want, gocv.MorphClose, kernel)
		if Close(plane1(t, grey)); !slices.Equal(plane1(t, grey).Pix, plane1(t, want).Pix) {
			t.Errorf("%v: it is not OpenCV's", size)
		}
	}
}

func TestOpened(t *testing.T) {
	kernel, blobs, nowhere := rect(9, 7), rect(11, 9), gocv.NewMat()
	defer nowhere.Close()
	defer kernel.Close()
	defer blobs.Close()
	for i, size := range odd {
		grey, want := noise(size, uint64(i)), gocv.NewMat()
		defer grey.Close()
		defer want.Close()
		for turn := range 2 {
			if turn == 1 { // larger spots, of which some are left
				gocv.Dilate(grey, &grey, blobs)
			}
			for _, least := range []int{0, 1, 70, 127, 128, 180, 200, 254, 255} {
				gocv.Threshold(grey, &want, float32(least), 255, gocv.ThresholdBinary)
				gocv.MorphologyEx(want, &want, gocv.MorphOpen, kernel)
				var got shape.Bits
				Opened(plane1(t, grey), least, &got)
				same(t, &got, want, nowhere)
			}
		}
	}
}

func TestOtsu(t *testing.T) {
	binary := gocv.NewMat()
	defer binary.Close()
	check := func(grey gocv.Mat) {
		t.Helper()
		want := gocv.Threshold(grey, &binary, 0, 255, gocv.ThresholdBinary|gocv.ThresholdOtsu)
		if got := Otsu(plane1(t, grey)); float32(got) != want {
			t.Errorf("%d × %d: %d, not %g", grey.Cols(), grey.Rows(), got, want)
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for i, size := range odd {
		grey := noise(size, uint64(i))
		defer grey.Close()
		check(grey)
		p := plane1(t, grey)
		for range 200 { // few values, wide and narrow classes
			from, to := r.IntN(256), r.IntN(256)
			for k := range p.Pix {
				p.Pix[k] = uint8(max(0, min(255, from+r.IntN(max(1, to-from))*r.IntN(3))))
			}
			check(grey)
		}
	}
}
