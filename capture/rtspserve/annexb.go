package rtspserve

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// Clip is an H.264 video in memory. It is not changed after [ParseAnnexB] and
// can be served by several servers at once.
type Clip struct {
	// Units are the access units (pictures) in decoding order, each the NAL
	// units it consists of, without start codes and access unit delimiters. The
	// first is a key frame with its parameter sets.
	Units         [][][]byte
	SPS, PPS      []byte  // of the first key frame
	Width, Height int     // pixels, cropping applied
	FPS           float64 // as the SPS announces it, 0 if it does not
}

// Errors of [ParseAnnexB].
var (
	ErrNotAnnexB = errors.New("not an H.264 byte stream: it does not begin with a start code")
	ErrNoPicture = errors.New("no key frame in the H.264 stream")
	ErrNoSets    = errors.New("no SPS and PPS before the first key frame of the H.264 stream")
)

// nalType is nal_unit_type of ITU-T H.264, table 7-1.
func nalType(nal []byte) h264.NALUType { return h264.NALUType(nal[0] & 0x1f) }

// ParseAnnexB splits an H.264 byte stream (ITU-T H.264, annex B) into access
// units. Start codes have 3 or 4 bytes, access unit delimiters may be there or
// not. What precedes the first key frame is left out: a decoder could not show
// it. The clip refers to b, which must not be changed any more.
//
// The stream must have no B pictures, since the pictures are served in the
// order in which they stand.
func ParseAnnexB(b []byte) (*Clip, error) {
	if !bytes.HasPrefix(b, []byte{0, 0, 1}) && !bytes.HasPrefix(b, []byte{0, 0, 0, 1}) {
		return nil, ErrNotAnnexB
	}
	c := &Clip{}
	var unit [][]byte
	picture, key := false, false // of unit
	flush := func() {
		if picture && (key || len(c.Units) > 0) {
			c.Units = append(c.Units, unit)
		}
		unit, picture, key = nil, false, false
	}
	for nal := range nalUnits(b) {
		kind := nalType(nal)
		if picture && beginsUnit(nal) {
			flush()
		}
		switch kind {
		case h264.NALUTypeAccessUnitDelimiter, h264.NALUTypeEndOfSequence, h264.NALUTypeEndOfStream, h264.NALUTypeFillerData:
			continue
		case h264.NALUTypeSPS:
			if len(c.Units) == 0 {
				c.SPS = nal
			}
		case h264.NALUTypePPS:
			if len(c.Units) == 0 {
				c.PPS = nal
			}
		case h264.NALUTypeIDR:
			picture, key = true, true
		case h264.NALUTypeNonIDR, h264.NALUTypeDataPartitionA:
			picture = true
		}
		unit = append(unit, nal)
	}
	flush()
	switch {
	case len(c.Units) == 0:
		return nil, ErrNoPicture
	case c.SPS == nil || c.PPS == nil:
		return nil, ErrNoSets
	}
	var sps h264.SPS
	if err := sps.Unmarshal(c.SPS); err != nil {
		return nil, fmt.Errorf("the H.264 stream's SPS: %w", err)
	}
	c.Width, c.Height, c.FPS = sps.Width(), sps.Height(), sps.FPS()
	c.Units[0] = withSets(c.Units[0], c.SPS, c.PPS)
	return c, nil
}

// withSets puts the parameter sets before a key frame that has none of its
// own: they can stand in units of their own, or before a picture left out.
func withSets(unit [][]byte, sps, pps []byte) [][]byte {
	var hasSPS, hasPPS bool
	for _, nal := range unit {
		hasSPS = hasSPS || nalType(nal) == h264.NALUTypeSPS
		hasPPS = hasPPS || nalType(nal) == h264.NALUTypePPS
	}
	if hasSPS && hasPPS {
		return unit
	}
	return append([][]byte{sps, pps}, unit...)
}

// beginsUnit tells whether nal, coming after a picture's slices, belongs to
// the next access unit (7.4.1.2.3): parameter sets, delimiters and the like
// do, and of the slices the one that begins with the first macroblock. Its
// number follows the header in Exp-Golomb code, where 0 is a single 1 bit.
func beginsUnit(nal []byte) bool {
	switch nalType(nal) {
	case h264.NALUTypeNonIDR, h264.NALUTypeDataPartitionA, h264.NALUTypeIDR:
		return len(nal) > 1 && nal[1]&0x80 != 0
	case h264.NALUTypeSEI, h264.NALUTypeSPS, h264.NALUTypePPS, h264.NALUTypeAccessUnitDelimiter, 14, 15, 16, 17, 18:
		return true
	}
	return false
}

// nalUnits yields the NAL units between start codes. A unit cannot end with a
// zero byte: zeros before a start code belong to that, or are padding.
func nalUnits(b []byte) func(yield func([]byte) bool) {
	code := []byte{0, 0, 1}
	return func(yield func([]byte) bool) {
		for at := bytes.Index(b, code); at >= 0; {
			b = b[at+len(code):]
			at = bytes.Index(b, code)
			nal := b
			if at >= 0 {
				nal = b[:at]
			}
			nal = bytes.TrimRight(nal, "\x00")
			if len(nal) > 0 && !yield(nal) {
				return
			}
		}
	}
}
