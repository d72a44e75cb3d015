package unit

import (
	"image"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/capture/light"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/cmd/platewatch/internal/testdrive"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/uplink/message"
)

// openPassage holds what the unit keeps of a passage until it ends, beside its
// vote: the pictures of its best frame, and what was sent of it.
type openPassage struct {
	shot          // of the best frame
	pictures      picture.Pair
	light         light.Plate // of the plate on the best frame
	lightMeasured bool

	hitID          string // empty while no hit was sent
	withdrawn      bool   // that hit
	settled        bool   // it does not wait in the outbox for a better revision any more
	matches        []message.Match
	sentText       string // empty after a withdrawal
	sentDirection  string
	sentConfidence float64
	sentShot       shot // what the sent pictures show; zero if the receiver has none
}

// shot is the frame that pictures were cut from.
type shot struct {
	at    time.Time
	frame image.Point     // its size, pixels
	box   image.Rectangle // of the plate on it, pixels
}

// moreWidth is from which ratio of widths a plate's pictures are better than others.
const moreWidth = 1.3

// better tells whether pictures of this shot are worth sending after those of
// another: the plate is larger, or it reads differently since and they show why.
func (s shot) better(than shot, corrected bool) bool {
	return float64(s.box.Dx()) >= moreWidth*float64(than.box.Dx()) || corrected && !s.at.Equal(than.at)
}

// take replaces the pictures by those of a better frame.
func (o *openPassage) take(f *capture.Frame, box image.Rectangle, c picture.Settings) {
	o.at, o.box = f.Arrived, box
	o.frame = image.Pt(f.Image.Cols(), f.Image.Rows())
	o.pictures.Take(f.Image, box, c)
}

// tellDriver shows a passage that is over to the technician who drives past for a
// test.
func (c *cameraPipeline) tellDriver(p passage.Passage, o *openPassage) {
	if !c.u.drive.Running() {
		return
	}
	r := testdrive.Read{Camera: c.name, Text: p.Text, Confidence: p.Confidence}
	if plate, _ := o.pictures.Encode(c.u.cfg().Pictures); plate != nil {
		r.Picture = plate.JPEG
	}
	c.u.drive.Add(r)
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
