package unit

import (
	"image"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/capture/light"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/ocr"
	"platewatch/uplink/message"
)

// openPassage holds what the unit keeps of a passage until it ends, beside its
// vote: the pictures of its best frame, and what was sent of it.
type openPassage struct {
	at                  time.Time       // arrival of the best frame
	frame               image.Point     // its size, pixels
	box                 image.Rectangle // of the plate on it, pixels
	plate, surroundings gocv.Mat
	hasPictures         bool
	light               light.Plate // of the plate on the best frame
	lightMeasured       bool

	hitID          string // empty while no hit was sent
	matches        []message.Match
	sentText       string
	sentDirection  string
	sentConfidence float64
	sentWidth      int // of the plate on the sent pictures, pixels
}

// Largest width of kept pictures in pixels: 32 open passages hold at most
// 24 MiB.
const (
	maxPlateWidth   = 400
	maxContextWidth = 640
)

// take replaces the pictures by those of a better frame.
func (o *openPassage) take(f *capture.Frame, box image.Rectangle, c config.Pictures) {
	o.close()
	o.at, o.box, o.hasPictures = f.Arrived, box, true
	o.frame = image.Pt(f.Image.Cols(), f.Image.Rows())
	w := float64(box.Dx())
	o.plate = cut(f.Image, box.Inset(-box.Dy()/6), maxPlateWidth)
	o.surroundings = cut(f.Image, image.Rect(
		box.Min.X-int(c.ContextSides*w), box.Min.Y-int(c.ContextAbove*w),
		box.Max.X+int(c.ContextSides*w), box.Max.Y+int(c.ContextBelow*w)), maxContextWidth)
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

// close frees the pictures. What was sent stays known.
func (o *openPassage) close() {
	if o.hasPictures {
		o.plate.Close()
		o.surroundings.Close()
		o.hasPictures = false
	}
}

// pictures encodes the pictures of a hit as JPEG within the configured sizes. A
// picture is nil if there is none, if its bound is zero, or if it does not fit.
func (o *openPassage) pictures(c config.Pictures) (plate, surroundings *message.Picture) {
	if !o.hasPictures {
		return nil, nil
	}
	return jpegWithin(o.plate, int(c.PlateBytes)), jpegWithin(o.surroundings, int(c.ContextBytes))
}

// cut copies a region of a picture, clipped to its edges and scaled down to at
// most maxWidth pixels.
func cut(from gocv.Mat, r image.Rectangle, maxWidth int) gocv.Mat {
	r = r.Intersect(image.Rect(0, 0, from.Cols(), from.Rows()))
	if r.Empty() {
		return gocv.NewMat()
	}
	region := from.Region(r)
	defer region.Close()
	if r.Dx() <= maxWidth {
		return region.Clone()
	}
	out := gocv.NewMat()
	scale := float64(maxWidth) / float64(r.Dx())
	gocv.Resize(region, &out, image.Point{}, scale, scale, gocv.InterpolationArea)
	return out
}

// jpegWithin encodes a picture at the best quality that fits a number of bytes;
// nil if only a quality that shows nothing fits.
func jpegWithin(m gocv.Mat, bytes int) *message.Picture {
	if bytes <= 0 || m.Empty() {
		return nil
	}
	for _, quality := range []int{88, 75, 55, 35} {
		b, err := encodeJPEG(m, quality)
		if err != nil {
			return nil
		}
		if len(b) <= bytes {
			return &message.Picture{ContentType: "image/jpeg", Width: m.Cols(), Height: m.Rows(), JPEG: b}
		}
	}
	return nil
}

func encodeJPEG(m gocv.Mat, quality int) ([]byte, error) {
	buf, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, m, []int{gocv.IMWriteJpegQuality, quality})
	if err != nil {
		return nil, err
	}
	defer buf.Close()
	return append([]byte(nil), buf.GetBytes()...), nil
}
