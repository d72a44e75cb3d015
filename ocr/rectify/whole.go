package rectify

import (
	"gocv.io/x/gocv"

	"platewatch/ocr/internal/resample"
	"platewatch/ocr/internal/shape"
)

// Size is that of a whole plate, in pixels, as one of the project's own networks sees it.
type Size struct{ Width, Height int }

var (
	// Full is what the networks that read are trained with.
	Full = Size{168, 48}
	// Small is two thirds of it, for the cheaper network that looks before them.
	Small = Size{112, 32}
)

func (s Size) double() Size { return Size{2 * s.Width, 2 * s.Height} }

// Around says how much of a plate is cut out around a line, in character heights.
type Around struct {
	Half   float64 // above and below the line's middle
	Beyond float64 // to the left and right of its ends
	Edges  bool    // to the plate's edges instead, where they are visible
	Least  float64 // least width; a narrower cut is widened on both sides
}

// beyondEdges is how much is cut out beyond an edge, in character heights: the
// edge itself shows the reader that the plate ends there.
const beyondEdges = 0.05

// Span returns the columns of the levelled picture that [Plate.Whole] cuts out, at
// the line's middle.
func (p *Plate) Span(l Line, a Around) (x0, x1 float64, err error) {
	x0, x1 = l.X0-a.Beyond*l.Height, l.X1+a.Beyond*l.Height
	if a.Edges {
		e, err := p.edgesAround(l)
		if err != nil {
			return 0, 0, err
		}
		if e.HasLeft {
			x0 = e.Left - beyondEdges*l.Height
		}
		if e.HasRight {
			x1 = e.Right + beyondEdges*l.Height
		}
	}
	// Beyond the frame's end its last column would be repeated.
	first, last := p.frameEnds()
	x0, x1 = max(x0, min(first, l.X0)), min(x1, max(last, l.X1))
	if wider := (a.Least*l.Height - (x1 - x0)) / 2; wider > 0 {
		x0, x1 = x0-wider, x1+wider
	}
	return x0, x1, nil
}

// Whole cuts the whole plate around a line out of the levelled picture, with its
// uprights upright, and stretches it to a network's size, whatever its proportions,
// with the contrast and the control row that the model is trained with, see
// ocr/train/README.md. The caller closes the Mat.
func (p *Plate) Whole(l Line, a Around, size Size) (gocv.Mat, error) {
	x0, x1, err := p.Span(l, a)
	if err != nil {
		return gocv.Mat{}, err
	}
	slant, err := p.measureSlant(l)
	if err != nil {
		return gocv.Mat{}, err
	}
	double := size.double()
	sx, sy := float64(double.Width)/(x1-x0), float64(double.Height)/(2*a.Half*l.Height)
	// With y' the place below the line: x' = x - slant·y', y' = y - Y0 - Slope·x
	return stretched(p.Grey, size, resample.Affine{
		A: sx * (1 + slant*l.Slope), B: -sx * slant, C: sx * (slant*l.Y0 - x0),
		D: -sy * l.Slope, E: sy, F: float64(size.Height) - sy*l.Y0,
	}.Inverse())
}

// Fills tells whether a line is so large in its frame that the frame is likely
// to be a picture of the plate alone.
func (p *Plate) Fills(l Line) bool {
	const wide, high = 0.55, 0.25 // of the frame
	return l.X1-l.X0 > wide*p.wide*p.scale && l.Height > high*p.high*p.scale
}

// stretched samples a grey picture at twice a size, because shrinking must average,
// shrinks it to that, and prepares it for the model. m leads from the doubled result
// to the picture.
func stretched(grey gocv.Mat, size Size, m resample.Affine) (gocv.Mat, error) {
	from, err := shape.PlaneOf(grey)
	if err != nil {
		return gocv.Mat{}, err
	}
	out := shape.NewMat(size.Height, size.Width)
	pixels, err := shape.PlaneOf(out)
	if err != nil {
		out.Close()
		return gocv.Mat{}, err
	}
	if err := resample.Halved(from, pixels, m); err != nil {
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
