package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/jpeg"

	"platewatch/capture/fault"
)

// Markers of ITU-T T.81, table B.1.
const (
	markerSOF0 = 0xc0
	markerSOF2 = 0xc2
	markerDHT  = 0xc4
	markerJPG  = 0xc8
	markerDAC  = 0xcc
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerAPP1 = 0xe1
	markerTEM  = 0x01
)

// jpegSegments walks the segments of a JPEG, entropy-coded data skipped, and
// calls visit with each marker and its content until visit returns false. It
// reports whether the end of the picture (EOI) was reached; what comes behind
// it, such as the second picture of a phone or a maker's block, is not looked
// at. A thumbnail's own end lies inside a segment and does not count.
func jpegSegments(b []byte, visit func(marker byte, content []byte) bool) (ended bool) {
	at := 2 // behind SOI
	for {
		// The next marker: 0xFF, any number of them, and a code that is neither
		// a stuffed 0 nor a restart. In entropy-coded data this skips the data,
		// elsewhere the rubbish that some writers leave between segments.
		i := bytes.IndexByte(b[min(at, len(b)):], 0xff)
		if i < 0 {
			return false
		}
		at += i
		for at < len(b) && b[at] == 0xff {
			at++
		}
		if at >= len(b) {
			return false
		}
		marker := b[at]
		at++
		switch {
		case marker == 0, marker == markerTEM, marker == markerSOI, marker >= markerRST0 && marker <= markerRST7:
			continue
		case marker == markerEOI:
			return true
		}
		if at+2 > len(b) {
			return false
		}
		n := int(binary.BigEndian.Uint16(b[at:]))
		if n < 2 || at+n > len(b) {
			return false
		}
		if !visit(marker, b[at+2:at+n]) {
			return false
		}
		at += n
	}
}

// isFrame tells the start-of-frame markers, which hold the size.
func isFrame(marker byte) bool {
	return marker >= markerSOF0 && marker <= 0xcf && marker != markerDHT && marker != markerJPG && marker != markerDAC
}

func jpegHeader(b []byte) (header, error) {
	h := header{format: formatJPEG}
	jpegSegments(b, func(marker byte, content []byte) bool {
		switch {
		case marker == markerAPP1 && h.orientation == 0 && bytes.HasPrefix(content, []byte("Exif\x00\x00")):
			h.orientation = exifOrientation(content)
		case isFrame(marker) && len(content) >= 5:
			h.height = int(binary.BigEndian.Uint16(content[1:]))
			h.width = int(binary.BigEndian.Uint16(content[3:]))
			return false
		}
		return marker != markerSOS
	})
	if h.width == 0 && h.height == 0 {
		return h, fmt.Errorf("%w before its picture begins (JPEG)", fault.ErrTruncated)
	}
	return h, nil
}

// maxScans bounds how often the decoder goes over a progressive picture. A
// scan of nothing takes ten bytes of the file and a pass over all pixels, so a
// small file could keep it busy for hours; real ones have about ten.
const maxScans = 100

// checkJPEG finds a truncated picture, which libjpeg pads with grey
// without an error. The end marker tells. Some cameras leave it out of
// complete pictures: then Go's decoder, which accepts no missing data, decides
// with the marker added. It is slow, and seldom needed. A progressive picture
// that ends between two scans looks complete but is blurred, so there the
// marker has to be.
func checkJPEG(b []byte) error {
	progressive, scans := false, 0
	ended := jpegSegments(b, func(marker byte, _ []byte) bool {
		progressive = progressive || marker == markerSOF2
		if marker == markerSOS {
			scans++
		}
		return scans <= maxScans
	})
	switch {
	case scans > maxScans:
		return fmt.Errorf("%w: the JPEG has more than %d scans", fault.ErrDamaged, maxScans)
	case ended:
		return nil
	}
	if !progressive {
		whole := append(bytes.Clone(b), 0xff, markerEOI)
		if _, err := jpeg.Decode(bytes.NewReader(whole)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: the JPEG has no end", fault.ErrTruncated)
}
