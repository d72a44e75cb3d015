package find

import (
	"errors"
	"image"
	"math"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/maps"
	"platewatch/ocr/internal/shape"
)

// level is the frame at one scale, with what both maps of dark and of light
// characters need.
type level struct {
	grey     gocv.Mat
	lent     bool        // grey is the caller's
	gradient gocv.Mat    // |∂/∂x| / 2, 8 bit: vertical strokes light up
	mask     gocv.Mat    // 255 where text may be, at a quarter of the scale
	bright   *shape.Bits // see brightAreas; nil until it is asked for
	scale    float64     // its pixels for one pixel of the frame
}

// pyramid holds the frame at 1, 1/2, 1/4 and 1/8, so that one set of sizes in
// pixels serves near and far plates. Larger pictures than maxPixels are shrunk
// first: time and memory stay bounded, and so many pixels mean large plates, or
// optics that do not resolve small ones.
type pyramid struct{ levels []level }

const (
	pyramidLevels = 4
	maxPixels     = 4 << 20
)

func newPyramid(grey gocv.Mat, near gocv.Mat) (*pyramid, error) {
	p := &pyramid{levels: make([]level, 0, pyramidLevels)}
	lv := level{grey: grey, lent: true, scale: 1}
	switch pixels := float64(grey.Cols()) * float64(grey.Rows()); {
	case pixels > maxPixels:
		lv.scale = math.Sqrt(maxPixels / pixels)
		lv.grey, lv.lent = shrunk(grey, lv.scale), false
	case !grey.IsContinuous():
		lv.grey, lv.lent = grey.Clone(), false
	}
	for {
		var err error
		if lv.gradient, lv.mask, err = gradients(lv.grey); err != nil {
			p.Close()
			return nil, err
		}
		textMask(&lv.mask, near)
		p.levels = append(p.levels, lv)
		if len(p.levels) == pyramidLevels || lv.grey.Cols() < 2*minSide || lv.grey.Rows() < 2*minSide {
			return p, nil
		}
		lv = level{grey: shrunk(lv.grey, 0.5), scale: lv.scale / 2}
	}
}

// shrunk is a picture at a smaller scale. The caller closes it.
func shrunk(grey gocv.Mat, scale float64) gocv.Mat {
	out := gocv.NewMat()
	gocv.Resize(grey, &out, image.Point{}, scale, scale, gocv.InterpolationArea)
	return out
}

func (p *pyramid) Close() {
	for _, l := range p.levels {
		if !l.lent {
			l.grey.Close()
		}
		l.gradient.Close()
		l.mask.Close()
	}
}

// gradients returns |∂/∂x| / 2 of a grey picture, and that at a quarter of the scale. The
// caller closes both.
func gradients(grey gocv.Mat) (whole, quarter gocv.Mat, err error) {
	rows, cols := grey.Rows(), grey.Cols()
	whole = shape.NewMat(rows, cols)
	quarter = shape.NewMat(quarterOf(rows), quarterOf(cols))
	planes, err := shape.PlanesOf(grey, whole, quarter)
	if err != nil {
		return whole, quarter, errors.Join(err, whole.Close(), quarter.Close())
	}
	maps.Gradient(planes[0], planes[1], planes[2])
	return whole, quarter, nil
}

// quarterOf is a quarter of a side, rounded as OpenCV does.
func quarterOf(side int) int { return int(math.RoundToEven(float64(side) / 4)) }
