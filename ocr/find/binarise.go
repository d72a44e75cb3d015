package find

import (
	"image"

	"gocv.io/x/gocv"
)

// binariser writes 255 where dark strokes are and 0 elsewhere.
type binariser func(grey gocv.Mat, binary *gocv.Mat)

// meanOver compares each pixel with the mean of the block × block pixels
// around it: darker by more than by is a stroke.
func meanOver(block int, by float32) binariser {
	return func(grey gocv.Mat, binary *gocv.Mat) {
		gocv.AdaptiveThreshold(grey, binary, 255, gocv.AdaptiveThresholdMean, gocv.ThresholdBinaryInv, block, by)
	}
}

// localMean is the first map of a pyramid level. The smallest level holds the
// nearest plates, whose strokes are wide: the block must be wider than they.
func localMean(level int) binariser {
	if level == 2 {
		return meanOver(21, 8)
	}
	return meanOver(11, 8)
}

// kernels are the structuring elements, made once.
type kernels struct {
	stroke   gocv.Mat // 21×1: wider than any stroke, one row high
	around   gocv.Mat // 31×9: a character and its neighbours
	mask     gocv.Mat // 9×5
	text     gocv.Mat // 25×9
	close    gocv.Mat // 21×7
	open     gocv.Mat // 9×7
	blackHat binariser
}

func newKernels() kernels {
	rect := func(w, h int) gocv.Mat { return gocv.GetStructuringElement(gocv.MorphRect, image.Pt(w, h)) }
	k := kernels{stroke: rect(21, 1), around: rect(31, 9), mask: rect(9, 5), text: rect(25, 9), close: rect(21, 7), open: rect(9, 7)}
	k.blackHat = k.binariseBlackHat
	return k
}

func (k kernels) Close() error {
	for _, m := range []*gocv.Mat{&k.stroke, &k.around, &k.mask, &k.text, &k.close, &k.open} {
		m.Close()
	}
	return nil
}

// binariseBlackHat takes what is darker than its left and right surroundings.
// The kernel is one row high, so that horizontal lines (a plate's frame, a
// bumper's edge) vanish and no longer tie the characters together. A pixel
// counts where it reaches 0.45 of the strongest response around it, and 10
// grey levels.
func (k kernels) binariseBlackHat(grey gocv.Mat, binary *gocv.Mat) {
	hat, strongest, floor := gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
	defer hat.Close()
	defer strongest.Close()
	defer floor.Close()
	gocv.MorphologyEx(grey, &hat, gocv.MorphBlackhat, k.stroke)
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
