package find

import (
	"image"

	"gocv.io/x/gocv"
)

// A map is 255 where the strokes of characters may be and 0 elsewhere. There
// are two kinds, of dark strokes each; for light ones grey levels change sides.

// standsOut is how many grey levels a stroke differs from the mean around it.
const standsOut = 8

// meanBlock is the side of the block over which a pyramid level's mean is
// taken. The smallest level holds the nearest plates, whose strokes are wide:
// the block must be wider than they.
func meanBlock(level int) int {
	if level == 2 {
		return 21
	}
	return 11
}

// offMean compares each pixel with the mean around it: darker by at least by
// (light: lighter) is a stroke. That is cv::adaptiveThreshold in half its time.
func offMean(grey, mean gocv.Mat, by int, light bool, binary *gocv.Mat) {
	if light {
		gocv.Subtract(grey, mean, binary)
	} else {
		gocv.Subtract(mean, grey, binary)
	}
	gocv.Threshold(*binary, binary, float32(by-1), 255, gocv.ThresholdBinary)
}

// darkerThanAround is offMean where nobody has the mean yet.
func darkerThanAround(grey gocv.Mat, block, by int, binary *gocv.Mat) {
	gocv.AdaptiveThreshold(grey, binary, 255, gocv.AdaptiveThresholdMean, gocv.ThresholdBinaryInv, block, float32(by))
}

// kernels are the structuring elements, made once.
type kernels struct {
	stroke gocv.Mat // 21×1: wider than any stroke, one row high
	around gocv.Mat // 31×9: a character and its neighbours
	mask   gocv.Mat // 9×5
	text   gocv.Mat // 25×9
	close  gocv.Mat // 21×7
	open   gocv.Mat // 9×7
}

func newKernels() kernels {
	rect := func(w, h int) gocv.Mat { return gocv.GetStructuringElement(gocv.MorphRect, image.Pt(w, h)) }
	return kernels{stroke: rect(21, 1), around: rect(31, 9), mask: rect(9, 5), text: rect(25, 9), close: rect(21, 7), open: rect(9, 7)}
}

func (k kernels) Close() error {
	for _, m := range []*gocv.Mat{&k.stroke, &k.around, &k.mask, &k.text, &k.close, &k.open} {
		m.Close()
	}
	return nil
}

// hat takes what is darker (light: lighter) than its left and right
// surroundings, by a black-hat or top-hat.
// The kernel is one row high, so that horizontal lines (a plate's frame, a
// bumper's edge) vanish and no longer tie the characters together. A pixel
// counts where it reaches 0.45 of the strongest response around it, and 10
// grey levels.
func (k kernels) hat(grey gocv.Mat, light bool, binary *gocv.Mat) {
	hat, strongest, floor := gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
	defer hat.Close()
	defer strongest.Close()
	defer floor.Close()
	op := gocv.MorphBlackhat
	if light {
		op = gocv.MorphTophat
	}
	gocv.MorphologyEx(grey, &hat, op, k.stroke)
	gocv.Dilate(hat, &strongest, k.around)
	gocv.ConvertScaleAbs(strongest, &strongest, 0.45, 0)
	gocv.Compare(hat, strongest, binary, gocv.CompareGT)
	gocv.Threshold(hat, &floor, 10, 255, gocv.ThresholdBinary)
	gocv.BitwiseAnd(*binary, floor, binary)
}

// textMask is 255 near vertical edges. Sky, road and car bodies have none:
// leaving them out halves the shapes that must be looked at. The caller
// closes it.
func textMask(gradient gocv.Mat, k kernels) gocv.Mat {
	small := gocv.NewMat()
	defer small.Close()
	gocv.Resize(gradient, &small, image.Point{}, 0.25, 0.25, gocv.InterpolationArea)
	gocv.Blur(small, &small, image.Pt(11, 3))
	gocv.Threshold(small, &small, 12, 255, gocv.ThresholdBinary)
	gocv.Dilate(small, &small, k.mask)
	mask := gocv.NewMat()
	gocv.Resize(small, &mask, image.Pt(gradient.Cols(), gradient.Rows()), 0, 0, gocv.InterpolationNearestNeighbor)
	return mask
}
