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

// brightAreas is a map of what is brighter than its surroundings: the ground of plates.
func (l *level) brightAreas() (*shape.Bits, error) {
	if l.bright == nil {
		grey, err := shape.PlaneOf(l.grey)
		if err != nil {
			return nil, err
		}
		l.bright = new(shape.Bits)
		maps.BelowMean(grey, 31, -standsOut/2, true, l.bright)
	}
	return l.bright, nil
}

// textMask turns a quarter of the gradient into a mask that is 255 near vertical
// edges: as far around them as the structuring element near reaches. Sky, road and car
// bodies have none: leaving them out halves the shapes that must be looked at.
func textMask(quarter *gocv.Mat, near gocv.Mat) {
	gocv.Blur(*quarter, quarter, image.Pt(11, 3))
	gocv.Threshold(*quarter, quarter, 12, 255, gocv.ThresholdBinary)
	gocv.Dilate(*quarter, quarter, near)
}
