package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
	"golang.org/x/image/webp"

	"platewatch/capture/fault"
)

// webpHeader reads the RIFF chunks of a WebP (RFC 9649): the size of the canvas
// and of the picture on it, and the orientation from EXIF. An animation is
// refused: no camera or phone writes one, and libwebp's simple decoder, which
// OpenCV calls, does not read it.
func webpHeader(b []byte) (header, error) {
	h := header{format: formatWebP}
	size := int(binary.LittleEndian.Uint32(b[4:]))
	if size < 4 || size > len(b)-8 {
		return h, fmt.Errorf("%w: %d bytes of %d are there (WebP)", fault.ErrTruncated, len(b), size+8)
	}
	_ = h.sizeOf(b, webp.DecodeConfig) // the canvas; the picture's own size is checked below
	found := false
	for kind, content := range riffChunks(b[12 : 8+size]) {
		switch kind {
		case "VP8 ", "VP8L":
			found = true
			// The canvas may be a lie; the decoder goes by the larger one.
			w, t := webpFrameSize(kind, content)
			h.width, h.height = max(h.width, w), max(h.height, t)
		case "ANIM", "ANMF":
			return h, fmt.Errorf("%w that can be read: it is an animated WebP", fault.ErrNotPicture)
		case "EXIF":
			h.orientation = exifOrientation(content)
		}
	}
	if !found {
		return h, fmt.Errorf("%w: a WebP without a picture", fault.ErrDamaged)
	}
	return h, nil
}

// riffChunks yields the chunks that are there in full.
func riffChunks(b []byte) func(yield func(kind string, content []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for len(b) >= 8 {
			n := int(binary.LittleEndian.Uint32(b[4:]))
			if n > len(b)-8 || !yield(string(b[:4]), b[8:8+n]) {
				return
			}
			b = b[min(8+n+n&1, len(b)):]
		}
	}
}

// webpFrameSize reads the header of a lossy ("VP8 ") or a lossless frame; 0, 0 if
// it has none.
func webpFrameSize(kind string, b []byte) (width, height int) {
	if kind == "VP8L" {
		c, err := vp8l.DecodeConfig(bytes.NewReader(b))
		if err != nil {
			return 0, 0
		}
		return c.Width, c.Height
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(b), len(b))
	h, err := d.DecodeFrameHeader()
	if err != nil {
		return 0, 0
	}
	return h.Width, h.Height
}
