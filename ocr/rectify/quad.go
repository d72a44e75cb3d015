package rectify

import (
	"errors"
	"image"
	"math"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/resample"
)

// Quad stretches a part of a frame (8 bit, BGR or grey), given by its corners clockwise from the
// top left, to the size [Full], with the contrast and the control row
// that the project's models are trained with. Sides that are not parallel are
// taken as if they were. Beyond the frame its edge pixels go on. The caller closes
// the Mat.
func Quad(frame gocv.Mat, q [4]Point) (gocv.Mat, error) {
	across := Point{(q[1].X - q[0].X + q[2].X - q[3].X) / 2, (q[1].Y - q[0].Y + q[2].Y - q[3].Y) / 2}
	down := Point{(q[3].X - q[0].X + q[2].X - q[1].X) / 2, (q[3].Y - q[0].Y + q[2].Y - q[1].Y) / 2}
	middle := Point{(q[0].X + q[1].X + q[2].X + q[3].X) / 4, (q[0].Y + q[1].Y + q[2].Y + q[3].Y) / 4}
	area := across.X*down.Y - across.Y*down.X
	if !(area > 16) { // also for NaN
		return gocv.Mat{}, errors.New("rectify: the corners enclose nothing")
	}
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range q {
		x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
	}
	around := image.Rect(int(x0)-3, int(y0)-3, int(x1)+4, int(y1)+4).Intersect(image.Rect(0, 0, frame.Cols(), frame.Rows()))
	if around.Dx() < 4 || around.Dy() < 4 {
		return gocv.Mat{}, errors.New("rectify: the part lies outside the frame")
	}
	cut := frame.Region(around)
	defer cut.Close()
	grey := cut
	if cut.Channels() == 3 { // only the part is converted
		grey = gocv.NewMat()
		defer grey.Close()
		gocv.CvtColor(cut, &grey, gocv.ColorBGRToGray)
	}
	// Shrinking must average, or strokes are lost; warping alone would sample.
	double := Full.double()
	w, h := float64(double.Width), float64(double.Height)
	by := min(1, w/math.Hypot(across.X, across.Y))
	shrunk, err := resample.Shrunk(grey, image.Rect(0, 0, grey.Cols(), grey.Rows()), by)
	if err != nil {
		return gocv.Mat{}, err
	}
	defer shrunk.Close()

	// (u, v) on the double picture → frame: middle + (u/w − ½)·across + (v/h − ½)·down
	ax, ay := across.X/w*by, across.Y/w*by
	dx, dy := down.X/h*by, down.Y/h*by
	ox := (middle.X-float64(around.Min.X))*by - ax*w/2 - dx*h/2
	oy := (middle.Y-float64(around.Min.Y))*by - ay*w/2 - dy*h/2
	return stretched(shrunk, Full, resample.Affine{A: ax, B: dx, C: ox, D: ay, E: dy, F: oy})
}
