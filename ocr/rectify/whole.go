package rectify

import (
	"image"
	"image/color"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
)

// Size, in pixels, of a whole plate as the project's own model sees it.
const (
	WholeWidth  = 168
	WholeHeight = 48
)

// Around says how much of a plate is seen around a line, in character heights.
type Around struct {
	Half   float64 // above and below the line's middle
	Beyond float64 // to the left and right of its ends
}

// AtLeast reaches further beyond the line's ends where less than width
// character heights would be seen.
func (a Around) AtLeast(width float64, l Line) Around {
	a.Beyond = max(a.Beyond, (width-(l.X1-l.X0)/l.Height)/2)
	return a
}

// Whole cuts the whole plate around a line out of the levelled picture and
// stretches it to WholeWidth × WholeHeight, whatever its shape, with the
// contrast and the control row that the model is trained with: see
// ocr/train/README.md. The caller closes the Mat.
func (p *Plate) Whole(l Line, a Around) (gocv.Mat, error) {
	// Twice the size first: warping samples, and shrinking must average.
	const w, h = 2 * WholeWidth, 2 * WholeHeight
	x0, x1 := l.X0-a.Beyond*l.Height, l.X1+a.Beyond*l.Height
	sx, sy := w/(x1-x0), h/(2*a.Half*l.Height)
	m := gocv.NewMatWithSize(2, 3, gocv.MatTypeCV64F)
	defer m.Close()
	m.SetDoubleAt(0, 0, sx)
	m.SetDoubleAt(0, 1, 0)
	m.SetDoubleAt(0, 2, -x0*sx)
	m.SetDoubleAt(1, 0, -sy*l.Slope)
	m.SetDoubleAt(1, 1, sy)
	m.SetDoubleAt(1, 2, h/2-sy*l.Y0)
	double := gocv.NewMat()
	defer double.Close()
	gocv.WarpAffineWithParams(p.Grey, &double, m, image.Pt(w, h), gocv.InterpolationLinear, gocv.BorderReplicate, color.RGBA{})
	out := gocv.NewMat()
	gocv.Resize(double, &out, image.Pt(WholeWidth, WholeHeight), 0, 0, gocv.InterpolationArea)
	pixels, err := shape.PlaneOf(out)
	if err != nil {
		out.Close()
		return gocv.Mat{}, err
	}
	prepare(pixels)
	return out, nil
}

// prepare stretches the contrast, so that the darkest and the lightest
// twentieth of the inner part are black and white, and writes the control row:
// Tesseract takes black and white from the middle row, and gets them there.
func prepare(p shape.Plane) {
	var hist [256]int
	n := 0
	for y := p.H / 5; y < p.H-p.H/5; y++ {
		for x := p.W / 10; x < p.W-p.W/10; x++ {
			hist[p.Pix[y*p.W+x]]++
			n++
		}
	}
	at := func(share float64) int {
		sum := 0
		for v, c := range hist {
			if sum += c; float64(sum) >= share*float64(n) {
				return v
			}
		}
		return 255
	}
	low, high := at(0.05), at(0.95)
	span := max(2, high-low)
	for i, v := range p.Pix {
		p.Pix[i] = uint8(min(max((int(v)-low)*255/span, 0), 255))
	}
	for x := range p.W {
		p.Pix[p.H/2*p.W+x] = uint8(255 * (x % 2))
	}
}
