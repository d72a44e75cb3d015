package unit

import (
	"image"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/capture/light"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/ocr"
	"platewatch/uplink/message"
)

// openPassage holds what the unit keeps of a passage until it ends, beside its
// vote: the pictures of its best frame, and what was sent of it.
type openPassage struct {
	at            time.Time       // arrival of the best frame
	frame         image.Point     // its size, pixels
	box           image.Rectangle // of the plate on it, pixels
	pictures      picture.Pair
	light         light.Plate // of the plate on the best frame
	lightMeasured bool

	hitID          string // empty while no hit was sent
	withdrawn      bool   // that hit
	matches        []message.Match
	sentText       string // empty after a withdrawal
	sentDirection  string
	sentConfidence float64
	sentWidth      int // of the plate on the sent pictures, pixels
}

// take replaces the pictures by those of a better frame.
func (o *openPassage) take(f *capture.Frame, box image.Rectangle, c picture.Settings) {
	o.at, o.box = f.Arrived, box
	o.frame = image.Pt(f.Image.Cols(), f.Image.Rows())
	o.pictures.Take(f.Image, box, c)
}

// measure measures the light of the plate on a better frame.
func (o *openPassage) measure(f *capture.Frame, p ocr.Plate) {
	around := p.Box.Intersect(image.Rect(0, 0, f.Image.Cols(), f.Image.Rows()))
	if around.Empty() {
		return
	}
	colour := f.Image.Region(around)
	defer colour.Close()
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(colour, &grey, gocv.ColorBGRToGray)
	if l, ok := light.Measure(grey, image.Rect(0, 0, grey.Cols(), grey.Rows()), p.Height); ok {
		o.light, o.lightMeasured = l, true
	}
}
