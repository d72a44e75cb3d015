package rtsptest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// Clip is an H.264 or H.265 video in memory. It is not changed after [ParseAnnexB] and
// can be served by several servers at once.
type Clip struct {
	// Units are the access units (pictures) in decoding order, each the NAL
	// units it consists of, without start codes and access unit delimiters. The
	// first is a key frame with its parameter sets.
	Units         [][][]byte
	VPS, SPS, PPS []byte  // of the first key frame; only H.265 has a VPS
	Width, Height int     // pixels, cropping applied
	FPS           float64 // as the SPS announces it, 0 if it does not
}

// Errors of [ParseAnnexB].
var (
	ErrNotAnnexB = errors.New("not an H.264 or H.265 byte stream: it does not begin with a start code")
	ErrNoPicture = errors.New("no key frame in the video stream")
	ErrNoSets    = errors.New("no parameter sets before the first key frame of the video stream")
)

// H265 tells whether the clip is H.265.
func (c *Clip) H265() bool { return c.VPS != nil }

// role is what a NAL unit is in an access unit.
type role int

const (
	other    role = iota
	dropped       // delimiters and padding: the transport has its own
	videoSet      // H.265's VPS
	sequence      // SPS
	picture       // PPS
	slice         // of a picture
	keySlice      // of a key frame
)

// roleOf is by nal_unit_type of ITU-T H.264, table 7-1, or H.265, table 7-1.
func (c codec) roleOf(nal []byte) role {
	if c == hevc {
		switch t := h265.NALUType(nal[0] >> 1 & 0x3f); {
		case t == h265.NALUType_VPS_NUT:
			return videoSet
		case t == h265.NALUType_SPS_NUT:
			return sequence
		case t == h265.NALUType_PPS_NUT:
			return picture
		case t == h265.NALUType_AUD_NUT, t == h265.NALUType_EOS_NUT, t == h265.NALUType_EOB_NUT, t == h265.NALUType_FD_NUT:
			return dropped
		case t >= h265.NALUType_BLA_W_LP && t <= h265.NALUType_CRA_NUT:
			return keySlice
		case t <= h265.NALUType_RASL_R:
			return slice
		}
		return other
	}
	switch h264.NALUType(nal[0] & 0x1f) {
	case h264.NALUTypeSPS:
		return sequence
	case h264.NALUTypePPS:
		return picture
	case h264.NALUTypeAccessUnitDelimiter, h264.NALUTypeEndOfSequence, h264.NALUTypeEndOfStream, h264.NALUTypeFillerData:
		return dropped
	case h264.NALUTypeIDR:
		return keySlice
	case h264.NALUTypeNonIDR, h264.NALUTypeDataPartitionA:
		return slice
	}
	return other
}

// codec of a byte stream.
type codec int

const (
	avc  codec = iota // H.264
	hevc              // H.265
)

// codecOf tells H.265 by its first unit, a VPS or a delimiter: in H.264 these
// bytes are types that are not specified, or not allowed.
func codecOf(b []byte) codec {
	for nal := range nalUnits(b) {
		if t := h265.NALUType(nal[0] >> 1 & 0x3f); nal[0]&0x81 == 0 && (t == h265.NALUType_VPS_NUT || t == h265.NALUType_AUD_NUT) {
			return hevc
		}
		break
	}
	return avc
}

// ParseAnnexB splits an H.264 or H.265 byte stream (ITU-T H.264 and H.265,
// annex B) into access units. Start codes have 3 or 4 bytes, access unit delimiters may be there or
// not. What precedes the first key frame is dropped: a decoder could not show
// it. The clip refers to b, which must not be changed any more.
//
// The stream must have no B pictures, since the pictures are served in the
// order in which they stand.
func ParseAnnexB(b []byte) (*Clip, error) {
	if !bytes.HasPrefix(b, []byte{0, 0, 1}) && !bytes.HasPrefix(b, []byte{0, 0, 0, 1}) {
		return nil, ErrNotAnnexB
	}
	c := &Clip{}
	kind := codecOf(b)
	var unit [][]byte
	shows, key := false, false // a picture is in unit
	flush := func() {
		if shows && (key || len(c.Units) > 0) {
			c.Units = append(c.Units, unit)
		}
		unit, shows, key = nil, false, false
	}
	for nal := range nalUnits(b) {
		r := kind.roleOf(nal)
		if shows && kind.beginsUnit(nal, r) {
			flush()
		}
		first := len(c.Units) == 0
		switch {
		case r == dropped:
			continue
		case r == videoSet && first:
			c.VPS = nal
		case r == sequence && first:
			c.SPS = nal
		case r == picture && first:
			c.PPS = nal
		case r == slice, r == keySlice:
			shows, key = true, key || r == keySlice
		}
		unit = append(unit, nal)
	}
	flush()
	switch {
	case len(c.Units) == 0:
		return nil, ErrNoPicture
	case c.SPS == nil || c.PPS == nil || kind == hevc && c.VPS == nil:
		return nil, ErrNoSets
	}
	if err := c.measure(kind); err != nil {
		return nil, err
	}
	c.Units[0] = c.withSets(kind, c.Units[0])
	return c, nil
}

// measure reads what the SPS announces.
func (c *Clip) measure(kind codec) error {
	if kind == hevc {
		var sps h265.SPS
		if err := sps.Unmarshal(c.SPS); err != nil {
			return fmt.Errorf("the H.265 stream's SPS: %w", err)
		}
		c.Width, c.Height, c.FPS = sps.Width(), sps.Height(), sps.FPS()
		return nil
	}
	var sps h264.SPS
	if err := sps.Unmarshal(c.SPS); err != nil {
		return fmt.Errorf("the H.264 stream's SPS: %w", err)
	}
	c.Width, c.Height, c.FPS = sps.Width(), sps.Height(), sps.FPS()
	return nil
}

// withSets puts the parameter sets before a key frame that has none of its
// own: they can stand in units of their own, or before a picture left out.
func (c *Clip) withSets(kind codec, unit [][]byte) [][]byte {
	has := map[role]bool{videoSet: c.VPS == nil}
	for _, nal := range unit {
		has[kind.roleOf(nal)] = true
	}
	if has[videoSet] && has[sequence] && has[picture] {
		return unit
	}
	sets := [][]byte{c.SPS, c.PPS}
	if c.VPS != nil {
		sets = [][]byte{c.VPS, c.SPS, c.PPS}
	}
	return append(sets, unit...)
}

// beginsUnit tells whether nal, coming after a picture's slices, belongs to
// the next access unit (7.4.1.2.3 of H.264, 7.4.2.4.4 of H.265): parameter
// sets, delimiters and the like do, and of the slices the one that begins the
// picture. In H.264 the number of its first macroblock follows the header in
// Exp-Golomb code, where 0 is a single 1 bit; in H.265 a flag says so.
func (c codec) beginsUnit(nal []byte, r role) bool {
	switch r {
	case slice, keySlice:
		return c == avc && len(nal) > 1 && nal[1]&0x80 != 0 || c == hevc && len(nal) > 2 && nal[2]&0x80 != 0
	case other:
		if c == hevc {
			t := nal[0] >> 1 & 0x3f
			return t == byte(h265.NALUType_PREFIX_SEI_NUT) || t >= 41 && t <= 44 || t >= 48 && t <= 55
		}
		t := nal[0] & 0x1f
		return t == byte(h264.NALUTypeSEI) || t >= 14 && t <= 18
	}
	return r != dropped || c == hevc || h264.NALUType(nal[0]&0x1f) == h264.NALUTypeAccessUnitDelimiter
}

// nalUnits yields the NAL units between start codes. A unit cannot end with a
// zero byte: zeros before a start code belong to that, or are padding.
// mediacommon's h264.AnnexB takes no more than one access unit's size, not a clip.
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
