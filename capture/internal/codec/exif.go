package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"platewatch/capture/fault"
)

// Tags of TIFF 6.0, which EXIF is made of.
const (
	tagWidth       = 256
	tagHeight      = 257
	tagOrientation = 274
	tagTileWidth   = 322
	tagTileHeight  = 323
)

// tiffDirectory calls found with the tags of the first directory that hold
// one whole number (SHORT or LONG) and the bytes of its entry. It reports
// whether the directory is there.
func tiffDirectory(b []byte, found func(tag uint16, value uint32, entry []byte)) bool {
	if len(b) < 8 {
		return false
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return false
	}
	at := uint64(order.Uint32(b[4:]))
	if at < 8 || at+2 > uint64(len(b)) {
		return false
	}
	const entry = 12
	n := uint64(order.Uint16(b[at:]))
	at += 2
	complete := at+n*entry <= uint64(len(b))
	for range n {
		if at+entry > uint64(len(b)) {
			break
		}
		e := b[at : at+entry]
		at += entry
		const short, long = 3, 4
		count := order.Uint32(e[4:])
		switch order.Uint16(e[2:]) {
		case short:
			if count == 1 {
				found(order.Uint16(e), uint32(order.Uint16(e[8:])), e)
			}
		case long:
			if count == 1 {
				found(order.Uint16(e), order.Uint32(e[8:]), e)
			}
		}
	}
	return complete
}

// exifOrientation reads the orientation out of an EXIF block, with or without
// the "Exif" prefix. Whatever is wrong with the block gives 1: cameras write
// bad EXIF around good pictures.
func exifOrientation(b []byte) int {
	b = bytes.TrimPrefix(b, []byte("Exif\x00\x00"))
	orientation := 1
	tiffDirectory(b, func(tag uint16, value uint32, _ []byte) {
		if tag == tagOrientation && value >= 1 && value <= 8 {
			orientation = int(value)
		}
	})
	return orientation
}

func tiffHeader(b []byte) (header, error) {
	h := header{format: formatTIFF}
	if !tiffDirectory(b, func(tag uint16, value uint32, _ []byte) {
		switch tag {
		case tagWidth:
			h.width = max(h.width, int(min(value, 1<<30)))
		case tagHeight:
			h.height = max(h.height, int(min(value, 1<<30)))
		case tagTileWidth: // whole tiles are decoded, however small the picture is
			h.tileWidth = max(h.tileWidth, int(min(value, 1<<30)))
		case tagTileHeight:
			h.tileHeight = max(h.tileHeight, int(min(value, 1<<30)))
		case tagOrientation:
			if value >= 1 && value <= 8 {
				h.orientation = int(value)
			}
		}
	}) {
		return h, truncatedHeader(formatTIFF)
	}
	if h.width == 0 || h.height == 0 {
		return h, fmt.Errorf("%w: a TIFF without width or height", fault.ErrDamaged)
	}
	return h, nil
}

// withoutOrientation is a copy of a TIFF that says it is upright. OpenCV
// applies a TIFF's orientation whether it is asked to or not.
func withoutOrientation(b []byte) []byte {
	b = bytes.Clone(b)
	tiffDirectory(b, func(tag uint16, _ uint32, entry []byte) {
		if tag == tagOrientation {
			clear(entry[2:]) // an entry of no type is passed over
		}
	})
	return b
}
