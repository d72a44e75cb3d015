package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"

	"platewatch/capture/fault"
)

// pictureFormat is the format of a picture file.
type pictureFormat string

const (
	formatJPEG pictureFormat = "JPEG"
	formatPNG  pictureFormat = "PNG"
	formatBMP  pictureFormat = "BMP"
	formatWebP pictureFormat = "WebP"
	formatTIFF pictureFormat = "TIFF"
	formatGIF  pictureFormat = "GIF"
)

// header is what can be told about a picture without decoding it.
type header struct {
	format        pictureFormat
	width, height int // as stored, before the orientation is applied
	orientation   int // 1 to 8 as in EXIF; 1 if the file does not say
	tileWidth     int // TIFF: of the tiles it is stored in; 0 for none
	tileHeight    int
}

// readHeader tells the format by the content.
func readHeader(b []byte) (header, error) {
	var h header
	var err error
	switch {
	case isJPEG(b):
		h, err = jpegHeader(b)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		h, err = pngHeader(b)
	case bytes.HasPrefix(b, []byte("II*\x00")), bytes.HasPrefix(b, []byte("MM\x00*")):
		h, err = tiffHeader(b)
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		h, err = webpHeader(b)
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		h, err = gifHeader(b)
	case isBMP(b):
		h, err = bmpHeader(b)
	default:
		return header{}, unknownContent(b)
	}
	if h.orientation == 0 {
		h.orientation = 1
	}
	return h, err
}

func isJPEG(b []byte) bool { return bytes.HasPrefix(b, []byte("\xff\xd8\xff")) }

func unknownContent(b []byte) error {
	switch {
	case len(b) == 0:
		return fmt.Errorf("%w: it is empty", fault.ErrNotPicture)
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		return fmt.Errorf("%w that can be read: it is HEIC, AVIF or a video (%q)", fault.ErrNotPicture, b[8:12])
	}
	n := min(len(b), 512)
	if bytes.IndexByte(b[:n], 0) < 0 {
		return fmt.Errorf("%w: it looks like text", fault.ErrNotPicture)
	}
	return fmt.Errorf("%w: it begins with % x", fault.ErrNotPicture, b[:min(n, 8)])
}

func truncatedHeader(f pictureFormat) error {
	return fmt.Errorf("%w in its header (%s)", fault.ErrTruncated, f)
}

// sizeOf reads the size with a decoder's own reading of the header.
func (h *header) sizeOf(b []byte, config func(io.Reader) (image.Config, error)) error {
	c, err := config(bytes.NewReader(b))
	h.width, h.height = c.Width, c.Height
	return err
}

// pngHeader reads the size, and eXIf, which comes before or after the pixels (PNG
// third edition, 11.3.2.5).
func pngHeader(b []byte) (header, error) {
	h := header{format: formatPNG}
	const signatureAndIHDR = 33
	if len(b) < signatureAndIHDR {
		return h, truncatedHeader(formatPNG)
	}
	if err := h.sizeOf(b, png.DecodeConfig); err != nil {
		return h, fmt.Errorf("%w: %w", fault.ErrDamaged, err)
	}
	ended := false
	for at := 8; at+12 <= len(b) && !ended; {
		n := int(binary.BigEndian.Uint32(b[at:]))
		kind := string(b[at+4 : at+8])
		if n > len(b)-at-12 {
			break
		}
		if kind == "eXIf" {
			h.orientation = exifOrientation(b[at+8 : at+8+n])
		}
		ended = kind == "IEND"
		at += 12 + n
	}
	if !ended {
		return h, fmt.Errorf("%w: the PNG has no end", fault.ErrTruncated)
	}
	return h, nil
}

// isBMP checks more than the two letters, which begin many a text.
func isBMP(b []byte) bool {
	if len(b) < 2 || string(b[:2]) != "BM" {
		return false
	}
	if len(b) < 18 {
		return bytes.IndexByte(b, 0) >= 0
	}
	switch binary.LittleEndian.Uint32(b[14:]) {
	case 12, 16, 40, 52, 56, 64, 108, 124: // sizes of the known info headers
		return true
	}
	return false
}

// bmpHeader reads the size itself: golang.org/x/image/bmp knows fewer variants
// than OpenCV.
func bmpHeader(b []byte) (header, error) {
	h := header{format: formatBMP}
	if len(b) < 26 {
		return h, truncatedHeader(formatBMP)
	}
	if binary.LittleEndian.Uint32(b[14:]) == 12 {
		h.width = int(binary.LittleEndian.Uint16(b[18:]))
		h.height = int(binary.LittleEndian.Uint16(b[20:]))
		return h, nil
	}
	h.width = int(int32(binary.LittleEndian.Uint32(b[18:])))
	h.height = int(int32(binary.LittleEndian.Uint32(b[22:])))
	h.height = max(h.height, -h.height) // negative: stored from the top
	return h, bmpComplete(b, h)
}

// bmpComplete compares the file with the size that uncompressed pixels have;
// OpenCV fills what is missing with whatever it finds.
func bmpComplete(b []byte, h header) error {
	if len(b) < 34 || h.width <= 0 || h.width > 1<<20 || h.height > 1<<20 {
		return nil // other checks report it
	}
	const uncompressed, bitfields = 0, 3
	if c := binary.LittleEndian.Uint32(b[30:]); c != uncompressed && c != bitfields {
		return nil
	}
	bits := int(binary.LittleEndian.Uint16(b[28:]))
	row := (h.width*bits + 31) / 32 * 4
	if start := int(binary.LittleEndian.Uint32(b[10:])); len(b) < start+row*h.height {
		return fmt.Errorf("%w: %d bytes, and %d x %d pixels need %d", fault.ErrTruncated, len(b), h.width, h.height, start+row*h.height)
	}
	return nil
}

// gifHeader reads the logical screen; the frames lie in it.
func gifHeader(b []byte) (header, error) {
	h := header{format: formatGIF}
	if h.sizeOf(b, gif.DecodeConfig) != nil {
		return h, truncatedHeader(formatGIF)
	}
	return h, nil
}
