package rectify

import (
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
)

func pt(n int) image.Point { return image.Pt(n, n) }

// Cut says how a strip is cut out of a levelled picture. The strip is what the
// reader sees.
type Cut struct {
	Height  int     // of the strip in pixels
	Fill    float64 // share of the strip's height that the characters take
	Beyond  float64 // character heights kept to the left and right of the line
	Stretch float64 // horizontal, 1 = none: narrow lettering reads better wider
	Border  int     // white pixels added on every side
}

// Strip cuts the line's ink out, black on white. The caller closes the Mat.
func (p *Plate) Strip(l Line, c Cut) (gocv.Mat, error) {
	ink, err := p.ink(l)
	if err != nil {
		return gocv.Mat{}, err
	}
	defer ink.Close()
	s := c.Fill * float64(c.Height) / l.Height
	sx := s * c.Stretch
	x0, x1 := l.X0-c.Beyond*l.Height, l.X1+c.Beyond*l.Height
	w := max(1, int(math.Round((x1-x0)*sx)))
	m := gocv.NewMatWithSize(2, 3, gocv.MatTypeCV64F)
	defer m.Close()
	m.SetDoubleAt(0, 0, sx)
	m.SetDoubleAt(0, 1, 0)
	m.SetDoubleAt(0, 2, -x0*sx)
	m.SetDoubleAt(1, 0, -s*l.Slope)
	m.SetDoubleAt(1, 1, s)
	m.SetDoubleAt(1, 2, float64(c.Height)/2-s*l.Y0)
	strip := gocv.NewMat()
	gocv.WarpAffineWithParams(ink, &strip, m, image.Pt(w, c.Height), gocv.InterpolationLinear, gocv.BorderReplicate, color.RGBA{})
	if c.Border > 0 {
		gocv.CopyMakeBorder(strip, &strip, c.Border, c.Border, c.Border, c.Border, gocv.BorderConstant, color.RGBA{R: 255, G: 255, B: 255, A: 255})
	}
	return strip, nil
}

// ink is the levelled picture, binarised as the line was, with everything white
// that is not a character: above and below the line, beyond its ends, and shapes
// that are too low (hyphens, dots, fragments of a coat of arms). Letters inside
// the line that the line finder missed are kept: they touch the frame or each
// other, and cutting above and below the line separates them.
func (p *Plate) ink(l Line) (gocv.Mat, error) {
	const band, lowest = 0.56, 0.45 // character heights
	binary, err := newBinariser(p.Grey)
	if err != nil {
		return gocv.Mat{}, err
	}
	var all shape.Bits
	binary.binarise(l.threshold, &all)
	line, err := all.Mat()
	if err != nil {
		return gocv.Mat{}, err
	}
	defer line.Close()
	b, err := shape.PlaneOf(line)
	if err != nil {
		return gocv.Mat{}, err
	}
	x0, x1 := int(l.X0), int(math.Ceil(l.X1))
	for x := range b.W {
		y0, y1 := int(l.at(float64(x))-band*l.Height), int(math.Ceil(l.at(float64(x))+band*l.Height))
		inside := x >= x0 && x < x1
		for y := range b.H {
			if !inside || y < y0 || y >= y1 {
				b.Pix[y*b.W+x] = 0
			}
		}
	}
	out := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(255, 255, 255, 255), b.H, b.W, gocv.MatTypeCV8UC1)
	o, err := shape.PlaneOf(out)
	if err != nil {
		out.Close()
		return gocv.Mat{}, err
	}
	shape.Each(b, func(s shape.Shape) {
		if s.H < lowest*l.Height {
			return
		}
		for y := int(s.Y); y < int(s.Y+s.H); y++ {
			for i := y*b.W + int(s.X); i < y*b.W+int(s.X+s.W); i++ {
				o.Pix[i] = 255 - b.Pix[i]
			}
		}
	})
	return out, nil
}
