package find

import (
	"image"

	"gocv.io/x/gocv"
)

// A map is 255 at possible strokes of characters and 0 elsewhere. There are two
// kinds, each of dark strokes; for light ones the comparison is reversed.

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

// offMean compares each pixel with the mean of the block × block pixels around
// it: darker (light: lighter) by standsOut is a stroke. That is
// cv::adaptiveThreshold in half its time; they differ where the block reaches
// beyond the picture.
func offMean(grey gocv.Mat, block int, light bool, binary *gocv.Mat) {
	gocv.Blur(grey, binary, image.Pt(block, block))
	if light {
		gocv.Subtract(grey, *binary, binary)
	} else {
		gocv.Subtract(*binary, grey, binary)
	}
	gocv.Threshold(*binary, binary, standsOut-1, 255, gocv.ThresholdBinary)
}

// adaptive is the same for small pictures, which are edge for the most part:
// darker by at least by than the mean around it, which ends at the edge.
func adaptive(grey gocv.Mat, block, by int, binary *gocv.Mat) {
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

// hat finds pixels that are darker (light: lighter) than their left and right
// surroundings, by a black-hat or top-hat.
// The kernel is one row high, so that horizontal lines (a plate's frame, a
// bumper's edge) vanish and no longer connect the characters. A pixel
// counts where it reaches 0.45 of the strongest response around it, and more
// than 10 grey levels.
func (k kernels) hat(grey gocv.Mat, light bool, binary *gocv.Mat) {
	hat := gocv.NewMat()
	defer hat.Close()
	if light {
		gocv.Erode(grey, &hat, k.stroke)
		gocv.Dilate(hat, &hat, k.stroke)
		gocv.Subtract(grey, hat, &hat)
	} else {
		blackHat(grey, &hat, k.stroke)
	}
	gocv.Dilate(hat, binary, k.around)
	gocv.ConvertScaleAbs(*binary, binary, 0.45, 0)
	gocv.Compare(hat, *binary, binary, gocv.CompareGT)
	gocv.Threshold(hat, &hat, 10, 255, gocv.ThresholdBinary)
	gocv.BitwiseAnd(*binary, hat, binary)
}

// blackHat is cv::morphologyEx's, which takes one plane more for it.
func blackHat(grey gocv.Mat, hat *gocv.Mat, kernel gocv.Mat) {
	closing(grey, hat, kernel)
	gocv.Subtract(*hat, grey, hat)
}

func closing(grey gocv.Mat, closed *gocv.Mat, kernel gocv.Mat) {
	gocv.Dilate(grey, closed, kernel)
	gocv.Erode(*closed, closed, kernel)
}

// textMask is 255 near vertical edges, at a quarter of the gradient's scale.
// Sky, road and car bodies have none: leaving them out halves the shapes that
// must be looked at. The caller closes it.
func textMask(gradient gocv.Mat, k kernels) gocv.Mat {
	mask := gocv.NewMat()
	gocv.Resize(gradient, &mask, image.Point{}, 0.25, 0.25, gocv.InterpolationArea)
	gocv.Blur(mask, &mask, image.Pt(11, 3))
	gocv.Threshold(mask, &mask, 12, 255, gocv.ThresholdBinary)
	gocv.Dilate(mask, &mask, k.mask)
	return mask
}
