// Package still decodes single pictures: whatever a file holds, the result is
// upright 8-bit BGR, or an error that says why not.
package still

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/imgcodecs"
)

// Endings are the file names that count as pictures, in lower case.
var Endings = []string{".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}

// IsName tells from a file's name whether it should be a picture.
func IsName(name string) bool {
	return slices.Contains(Endings, strings.ToLower(filepath.Ext(name)))
}

// Limits says which pictures are refused before any of their pixels are
// decoded. Zero fields have the defaults. At the default number of pixels,
// decoding and reading one takes up to 1 GB of memory.
type Limits struct {
	MaxPixels int   // width x height; default 50 million
	MaxSide   int   // width and height, pixels; default 20,000
	MaxBytes  int64 // of the file; default 256 MiB
}

// withDefaults returns l with the empty fields filled in.
func (l Limits) withDefaults() Limits {
	return Limits{
		MaxPixels: cmp.Or(l.MaxPixels, 50_000_000),
		MaxSide:   cmp.Or(l.MaxSide, 20_000),
		MaxBytes:  cmp.Or(l.MaxBytes, 256<<20),
	}
}

// Read decodes the picture in a file: see [Decode]. A file that does
// not exist matches [io/fs.ErrNotExist].
func Read(path string, limits Limits) (gocv.Mat, error) {
	limits = limits.withDefaults()
	b, err := readPicture(path, limits)
	if err != nil {
		return gocv.Mat{}, err
	}
	m, err := Decode(b, limits)
	if err != nil {
		var e *fault.Error
		if errors.As(err, &e) {
			e.Path = path
		}
		return gocv.Mat{}, err
	}
	return m, nil
}

func readPicture(path string, limits Limits) ([]byte, error) {
	if err := fault.CheckFile(path, "name a picture in it"); err != nil {
		var e *fault.Error
		if errors.As(err, &e) {
			e.Class = fault.ErrPicture
		}
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &fault.Error{Op: "open", Path: path, Err: fault.Pathless(err), Class: fault.ErrPicture}
	}
	defer f.Close()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() <= limits.MaxBytes {
		b.Grow(int(info.Size()) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(f, limits.MaxBytes+1))
	if err != nil {
		return nil, &fault.Error{Op: "read", Path: path, Err: fault.Pathless(err), Class: fault.ErrPicture}
	}
	if n > limits.MaxBytes {
		return nil, &fault.Error{Op: "read", Path: path, Err: fmt.Errorf("%w: more than %d MiB", fault.ErrTooLarge, limits.MaxBytes>>20),
			Advice: "make the picture smaller", Class: fault.ErrPicture}
	}
	return b.Bytes(), nil
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
// Size and kind are checked from the header before anything is decoded. Every
// error is an [*fault.Error] that matches [fault.ErrPicture] and one of [fault.ErrNotPicture],
// [fault.ErrTruncated], [fault.ErrDamaged], [fault.ErrTooLarge]. The caller closes the Mat.
func Decode(b []byte, limits Limits) (gocv.Mat, error) {
	limits = limits.withDefaults()
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
