package unit

import (
	"image"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/capture/light"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/ocr"
	"platewatch/uplink"
)

// sighting is what the unit remembers of an open passage beside its vote: the
// pictures of its best frame, and what was reported of it. It is forgotten
// when the passage ends.
type sighting struct {
	at             time.Time // of the best frame
	frame          image.Point
	box            image.Rectangle
	plate, context gocv.Mat
	taken          bool
	light          light.Plate // on the best frame
	lit            bool        // it could be measured

	hit            string // id of the reported hit; empty when there is none
	matches        []uplink.Match
	sentText       string
	sentWay        string // where the vehicle goes
	sentConfidence float64
	sentWidth      int // of the plate on the pictures that were sent, pixels
}

// Pictures are kept no larger than this, in pixels: 32 open passages then hold
// at most 24 MiB.
const (
	maxPlateWidth   = 400
	maxContextWidth = 640
)

// take keeps the plate and its surroundings from a better frame.
func (s *sighting) take(f *capture.Frame, box image.Rectangle, c config.Pictures) {
	s.close()
	s.at, s.box, s.taken = f.Arrived, box, true
	s.frame = image.Pt(f.Image.Cols(), f.Image.Rows())
	w := float64(box.Dx())
	s.plate = cut(f.Image, box.Inset(-box.Dy()/6), maxPlateWidth)
	s.context = cut(f.Image, image.Rect(
		box.Min.X-int(c.ContextSides*w), box.Min.Y-int(c.ContextAbove*w),
		box.Max.X+int(c.ContextSides*w), box.Max.Y+int(c.ContextBelow*w)), maxContextWidth)
}

// measure notes how the plate came out on a better frame.
func (s *sighting) measure(f *capture.Frame, p ocr.Plate) {
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
		s.light, s.lit = l, true
	}
}

// close frees the pictures; what was reported stays known.
func (s *sighting) close() {
	if s.taken {
		s.plate.Close()
		s.context.Close()
		s.taken = false
	}
}

// pictures encodes what goes with a hit; nil where there is none or its bound
// is zero.
func (s *sighting) pictures(c config.Pictures) (plate, context *uplink.Picture) {
	if !s.taken {
		return nil, nil
	}
	return jpegWithin(s.plate, int(c.PlateBytes)), jpegWithin(s.context, int(c.ContextBytes))
}

// cut copies a region of a picture, clipped to it, no wider than maxWidth.
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

// jpegWithin encodes a picture with the best quality that stays within a
// number of bytes, and gives up below a quality that shows nothing.
func jpegWithin(m gocv.Mat, bytes int) *uplink.Picture {
	if bytes <= 0 || m.Empty() {
		return nil
	}
	for _, quality := range []int{88, 75, 55, 35} {
		b, err := encodeJPEG(m, quality)
		if err != nil {
			return nil
		}
		if len(b) <= bytes {
			return &uplink.Picture{ContentType: "image/jpeg", Width: m.Cols(), Height: m.Rows(), JPEG: b}
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
