package still

import (
	"encoding/binary"
	"fmt"

	"platewatch/capture/fault"
)

// webpHeader reads the RIFF chunks of a WebP (RFC 9649): the size from VP8X
// and from the picture's own header, the orientation from EXIF. Of an animation
// it takes the first frame, which libwebp's simple decoder refuses.
func webpHeader(b []byte) (header, error) {
	h := header{format: formatWebP}
	size := int(binary.LittleEndian.Uint32(b[4:]))
	if size < 4 || size > len(b)-8 {
		return h, fmt.Errorf("%w: %d bytes of %d are there (WebP)", fault.ErrTruncated, len(b), size+8)
	}
	for kind, content := range riffChunks(b[12 : 8+size]) {
		switch kind {
		case "VP8X":
			if len(content) >= 10 && h.width == 0 {
				h.width, h.height = uint24(content[4:])+1, uint24(content[7:])+1
			}
		case "VP8 ", "VP8L":
			// The canvas may be a lie; the decoder goes by the larger one.
			w, t := webpFrameSize(kind, content)
			h.width, h.height = max(h.width, w), max(h.height, t)
		case "ANMF":
			if h.first == nil {
				if err := h.takeFrame(content); err != nil {
					return h, err
				}
			}
		case "EXIF":
			h.orientation = exifOrientation(content)
		}
	}
	if h.width == 0 {
		return h, fmt.Errorf("%w: a WebP without a picture", fault.ErrDamaged)
	}
	return h, nil
}

// takeFrame makes a file of an animation's frame. Its own size counts from
// here on: frames may be smaller than the canvas.
func (h *header) takeFrame(frame []byte) error {
	const frameHeader = 16
	if len(frame) < frameHeader {
		return cutOff(formatWebP)
	}
	width, height := uint24(frame[6:])+1, uint24(frame[9:])+1
	body := frame[frameHeader:]
	hasAlpha := false
	found := false
	for kind, content := range riffChunks(body) {
		hasAlpha = hasAlpha || kind == "ALPH"
		if kind == "VP8 " || kind == "VP8L" {
			if w, t := webpFrameSize(kind, content); w != width || t != height {
				return fmt.Errorf("%w: an animated WebP whose frame is not of its size", fault.ErrDamaged)
			}
			found = true
			break
		}
	}
	if !found {
		return fmt.Errorf("%w: an animated WebP without a picture", fault.ErrDamaged)
	}
	var flags byte
	if hasAlpha {
		const alpha = 0x10
		flags = alpha
	}
	f := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00")
	f = append(f, flags, 0, 0, 0)
	f = appendUint24(f, width-1)
	f = appendUint24(f, height-1)
	f = append(f, body...)
	binary.LittleEndian.PutUint32(f[4:], uint32(len(f)-8))
	h.first, h.width, h.height = f, width, height
	return nil
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

// webpFrameSize reads a lossy (RFC 6386, 9.1) or lossless (RFC 9649, 3.4)
// frame's header; 0, 0 if it has none.
func webpFrameSize(kind string, b []byte) (width, height int) {
	const dimension = 1<<14 - 1
	if kind == "VP8L" {
		if len(b) < 5 || b[0] != 0x2f {
			return 0, 0
		}
		bits := int(binary.LittleEndian.Uint32(b[1:]))
		return bits&dimension + 1, bits>>14&dimension + 1
	}
	if len(b) < 10 || b[3] != 0x9d || b[4] != 0x01 || b[5] != 0x2a {
		return 0, 0
	}
	return int(binary.LittleEndian.Uint16(b[6:])) & dimension, int(binary.LittleEndian.Uint16(b[8:])) & dimension
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func appendUint24(b []byte, n int) []byte { return append(b, byte(n), byte(n>>8), byte(n>>16)) }
