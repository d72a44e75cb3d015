package find

import (
	"image"

	"gocv.io/x/gocv"
)

// level is the frame at one scale, with what both maps of dark and of light
// characters need.
type level struct {
	grey     gocv.Mat
	gradient gocv.Mat // |∂/∂x| / 2, 8 bit: vertical strokes light up
	mean     gocv.Mat // of grey over the block that the local mean compares with
	mask     gocv.Mat // 255 where text may be
	scale    float64  // its pixels for one pixel of the frame
}

// pyramid holds the frame at 1, 1/2 and 1/4, so that one set of sizes in
// pixels serves near and far plates.
type pyramid struct{ levels []level }

const pyramidLevels = 3

func newPyramid(grey gocv.Mat, k kernels) *pyramid {
	p := &pyramid{levels: make([]level, 0, pyramidLevels)}
	scale := 1.0
	for i := range pyramidLevels {
		g := gocv.NewMat()
		if i == 0 {
			grey.CopyTo(&g) // continuous, also when the frame is a region of another
		} else {
			above := p.levels[i-1].grey
			if above.Cols() < 2*minSide || above.Rows() < 2*minSide {
				g.Close()
				break
			}
			gocv.Resize(above, &g, image.Point{}, 0.5, 0.5, gocv.InterpolationArea)
		}
		lv := level{grey: g, gradient: horizontalGradient(g), mean: gocv.NewMat(), scale: scale}
		lv.mask = textMask(lv.gradient, k)
		side := meanBlock(i)
		gocv.Blur(g, &lv.mean, image.Pt(side, side))
		p.levels = append(p.levels, lv)
		scale /= 2
	}
	return p
}

func (p *pyramid) Close() {
	for _, l := range p.levels {
		l.grey.Close()
		l.gradient.Close()
		l.mean.Close()
		l.mask.Close()
	}
}

// horizontalGradient returns |∂/∂x| / 2 of a grey picture. The caller closes it.
func horizontalGradient(grey gocv.Mat) gocv.Mat {
	signed := gocv.NewMat()
	defer signed.Close()
	gocv.Sobel(grey, &signed, gocv.MatTypeCV16S, 1, 0, 3, 1, 0, gocv.BorderDefault)
	out := gocv.NewMat()
	gocv.ConvertScaleAbs(signed, &out, 0.5, 0)
	return out
}
