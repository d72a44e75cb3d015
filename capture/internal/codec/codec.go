// Package codec decodes single pictures, inside the decoder's process: whatever a
// file holds, the result is upright 8-bit BGR, or an error that says why not.
package codec

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"io"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/imgcodecs"
)

// Limits say which pictures are refused before any of their pixels are decoded.
type Limits struct {
	MaxPixels int // width x height
	MaxSide   int // width and height, pixels
}

// Decode decodes one picture: JPEG, PNG, BMP, WebP, TIFF or GIF, told by
// its content. The result is upright (EXIF and TIFF orientation 1-8 applied)
// and 8-bit BGR, whatever the file holds: 16 bits keep their upper eight, grey
// becomes three equal channels, CMYK is converted, transparent pixels are blended
// with mid-grey (the colours below full transparency are arbitrary and must not
// be read). Of an animated GIF and of a TIFF with several pages the first
// picture is decoded; an animated WebP is refused. Damage inside compressed
// pixels shows on the picture, as it does in a viewer, where the format has no
// checksums (JPEG, WebP, GIF).
//
// Size and kind are checked from the header before anything is decoded; jpegOnly
// refuses every other format there, which is all that an MJPEG stream holds. Every
// error is an [*fault.Error] that matches [fault.ErrPicture] and one of [fault.ErrNotPicture],
// [fault.ErrTruncated], [fault.ErrDamaged], [fault.ErrTooLarge]. The caller closes the Mat.
func Decode(b []byte, limits Limits, jpegOnly bool) (gocv.Mat, error) {
	if jpegOnly && !isJPEG(b) {
		return gocv.Mat{}, pictureError(fmt.Errorf("%w of an MJPEG stream: it is no JPEG", fault.ErrNotPicture))
	}
	h, err := readHeader(b)
	if err != nil {
		return gocv.Mat{}, pictureError(err)
	}
	if err := h.check(limits); err != nil {
		return gocv.Mat{}, pictureError(err)
	}
	m, err := h.decode(b)
	if err != nil {
		return gocv.Mat{}, pictureError(err)
	}
	// The header was believed so far.
	if m.Cols()*m.Rows() > limits.MaxPixels {
		err := fmt.Errorf("%w: the header says %d x %d pixels, there are %d x %d", fault.ErrDamaged, h.width, h.height, m.Cols(), m.Rows())
		m.Close()
		return gocv.Mat{}, pictureError(err)
	}
	if err := toBGR(&m); err != nil {
		m.Close()
		return gocv.Mat{}, pictureError(err)
	}
	turnUpright(&m, h.orientation)
	return m, nil
}

func pictureError(err error) error {
	e := &fault.Error{Op: "decode", Err: err, Class: fault.ErrPicture}
	switch {
	case errors.Is(err, fault.ErrNotPicture):
		e.Advice = "save it as JPEG, PNG, BMP, TIFF, GIF or (not animated) WebP"
	case errors.Is(err, fault.ErrTruncated):
		e.Advice = "copy the file again"
	case errors.Is(err, fault.ErrDamaged):
		e.Advice = "open it in a picture viewer and save it again as JPEG or PNG"
	case errors.Is(err, fault.ErrTooLarge):
		e.Advice = "make the picture smaller"
	}
	return e
}

// check compares the header with the limits.
func (h header) check(l Limits) error {
	switch {
	case h.width <= 0 || h.height <= 0:
		return fmt.Errorf("%w: the header says %d x %d pixels", fault.ErrDamaged, h.width, h.height)
	case h.width > l.MaxSide || h.height > l.MaxSide:
		return fmt.Errorf("%w: %d x %d pixels, at most %d a side are read", fault.ErrTooLarge, h.width, h.height, l.MaxSide)
	case h.width*h.height > l.MaxPixels:
		return fmt.Errorf("%w: %d x %d are %.0f megapixels, at most %.0f are read", fault.ErrTooLarge,
			h.width, h.height, float64(h.width)*float64(h.height)/1e6, float64(l.MaxPixels)/1e6)
	case h.tileWidth > l.MaxSide || h.tileHeight > l.MaxSide || h.tileWidth*h.tileHeight > l.MaxPixels:
		return fmt.Errorf("%w: it is stored in tiles of %d x %d pixels", fault.ErrTooLarge, h.tileWidth, h.tileHeight)
	}
	return nil
}

// decode picks the decoder. The Mat has whatever type the file has.
func (h header) decode(b []byte) (gocv.Mat, error) {
	var m gocv.Mat
	var err error
	switch h.format {
	case formatJPEG:
		if err := checkJPEG(b); err != nil {
			return gocv.Mat{}, err
		}
		m, err = imgcodecs.Decode(b)
	case formatGIF:
		return decodeGIF(b)
	case formatPNG, formatWebP:
		m, err = imgcodecs.DecodeUnchanged(b)
	case formatTIFF:
		m, err = imgcodecs.Decode(withoutOrientation(b))
	default:
		m, err = imgcodecs.Decode(b)
	}
	if err != nil {
		// OpenCV does not tell damaged from truncated.
		return gocv.Mat{}, fmt.Errorf("%w or truncated: %w", fault.ErrDamaged, err)
	}
	return m, nil
}

// decodeGIF takes the first frame; this OpenCV has no GIF decoder.
func decodeGIF(b []byte) (gocv.Mat, error) {
	img, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		const trailer = 0x3b // GIF89a, 27
		if errors.Is(err, io.ErrUnexpectedEOF) || b[len(b)-1] != trailer {
			return gocv.Mat{}, fmt.Errorf("%w: %w", fault.ErrTruncated, err)
		}
		return gocv.Mat{}, fmt.Errorf("%w: %w", fault.ErrDamaged, err)
	}
	frame, ok := img.(*image.Paletted)
	if !ok || frame.Rect.Empty() {
		return gocv.Mat{}, fmt.Errorf("%w: the GIF's first frame is empty", fault.ErrDamaged)
	}
	var palette [256][4]byte // BGRA; what is beyond the file's palette is transparent
	for i, c := range frame.Palette {
		r, g, b, a := c.RGBA() // fully transparent or not at all
		palette[i] = [4]byte{byte(b >> 8), byte(g >> 8), byte(r >> 8), byte(a >> 8)}
	}
	m := gocv.NewMatWithSize(frame.Rect.Dy(), frame.Rect.Dx(), gocv.MatTypeCV8UC4)
	pixels, err := m.DataPtrUint8()
	if err != nil {
		m.Close()
		return gocv.Mat{}, fmt.Errorf("%w: %w", fault.ErrDamaged, err)
	}
	for y := range frame.Rect.Dy() {
		for _, i := range frame.Pix[y*frame.Stride : y*frame.Stride+frame.Rect.Dx()] {
			pixels = pixels[copy(pixels, palette[i][:]):]
		}
	}
	return m, nil
}
