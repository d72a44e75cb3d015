package find

import (
	"image"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/maps"
	"platewatch/ocr/internal/shape"
)

// A map is set at possible strokes of characters. There are two kinds, [maps.OffMean]
// and [maps.Hat]: the latter is one row high, so that horizontal lines (a plate's
// frame, a bumper's edge) vanish and no longer connect the characters.

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

// adaptive is [maps.OffMean] for small pictures, which are edge for the most part:
// darker by at least by than the mean around it, for which the picture's last pixels go
// on beyond its edge.
func adaptive(grey gocv.Mat, block, by int) (*shape.Bits, error) {
	binary := gocv.NewMat()
	defer binary.Close()
	if _, err := maps.BelowMean(grey, block, by, false, &binary); err != nil {
		return nil, err
	}
	return shape.BitsOf(binary)
}

// brightAreas is a map of what is brighter than its surroundings: the ground of plates.
func (l *level) brightAreas() (gocv.Mat, error) {
	if l.bright.Empty() {
		if _, err := maps.BelowMean(l.grey, 31, -standsOut/2, true, &l.bright); err != nil {
			return l.bright, err
		}
	}
	return l.bright, nil
}

// kernels are the structuring elements, made once.
type kernels struct {
	mask  gocv.Mat // 9×5
	text  gocv.Mat // 25×9
	close gocv.Mat // 21×7
	open  gocv.Mat // 9×7
}

func newKernels() kernels {
	rect := func(w, h int) gocv.Mat { return gocv.GetStructuringElement(gocv.MorphRect, image.Pt(w, h)) }
	return kernels{mask: rect(9, 5), text: rect(25, 9), close: rect(21, 7), open: rect(9, 7)}
}

func (k kernels) Close() error {
	for _, m := range []*gocv.Mat{&k.mask, &k.text, &k.close, &k.open} {
		m.Close()
	}
	return nil
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

// textMask turns a quarter of the gradient into a mask that is 255 near vertical
// edges. Sky, road and car bodies have none: leaving them out halves the shapes that
// must be looked at.
func textMask(quarter *gocv.Mat, k kernels) {
	gocv.Blur(*quarter, quarter, image.Pt(11, 3))
	gocv.Threshold(*quarter, quarter, 12, 255, gocv.ThresholdBinary)
	gocv.Dilate(*quarter, quarter, k.mask)
}
