package picture

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"

	"gocv.io/x/gocv"

	"platewatch/uplink/message"
)

// Largest width of kept pictures in pixels: 32 open passages hold at most
// 24 MiB.
const (
	maxPlateWidth   = 400
	maxContextWidth = 640
)

// Pair is the pictures of one plate: cut from a frame, and not encoded yet. The
// zero Pair has none.
type Pair struct {
	plate, context gocv.Mat
	taken          bool
}

// Take replaces the pictures by those of a plate (its box, pixels) on a frame.
func (p *Pair) Take(frame gocv.Mat, box image.Rectangle, s Settings) {
	p.Close()
	p.plate = cut(frame, box.Inset(-box.Dy()/6), maxPlateWidth)
	p.context = cut(frame, s.surroundings(box), maxContextWidth)
	p.taken = true
}

// surroundings are what the context picture shows of a frame, around a plate's box.
func (s Settings) surroundings(box image.Rectangle) image.Rectangle {
	w := float64(box.Dx())
	return image.Rect(
		box.Min.X-int(s.ContextSides*w), box.Min.Y-int(s.ContextAbove*w),
		box.Max.X+int(s.ContextSides*w), box.Max.Y+int(s.ContextBelow*w))
}

// Close frees the pictures.
func (p *Pair) Close() {
	if p.taken {
		p.plate.Close()
		p.context.Close()
		p.taken = false
	}
}

// Encode encodes the pictures as JPEG within the sizes of the settings. A picture
// is nil if there is none, if its bound is zero, or if it does not fit.
func (p *Pair) Encode(s Settings) (plate, context *message.Picture) {
	if !p.taken {
		return nil, nil
	}
	return jpegWithin(p.plate, int(s.PlateBytes)), jpegWithin(p.context, int(s.ContextBytes))
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
		b, err := JPEG(m, quality)
		if err != nil {
			return nil
		}
		if len(b) <= bytes {
			return &message.Picture{ContentType: "image/jpeg", Width: m.Cols(), Height: m.Rows(), JPEG: b}
		}
	}
	return nil
}

// JPEG encodes an 8-bit BGR picture with a quality of 1 to 100.
func JPEG(m gocv.Mat, quality int) ([]byte, error) {
	if m.Empty() || m.Type() != gocv.MatTypeCV8UC3 {
		return nil, errors.New("no picture of 8-bit colour to encode")
	}
	rgba := gocv.NewMat()
	defer rgba.Close()
	gocv.CvtColor(m, &rgba, gocv.ColorBGRToRGBA)
	pix, err := rgba.DataPtrUint8()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	// The encoder has a fast way for this type. Alpha does not matter.
	img := &image.RGBA{Pix: pix, Stride: 4 * m.Cols(), Rect: image.Rect(0, 0, m.Cols(), m.Rows())}
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
