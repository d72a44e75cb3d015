package rtsp

import (
	"fmt"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/pion/rtp"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
)

// video takes the packets of one format apart.
type video interface {
	// pictures says that each access unit is a whole JPEG.
	pictures() bool
	// begins says that a decoder can begin with an access unit.
	begins(au [][]byte) bool
	// accessUnit is the next picture's units, nil if the packet completes none. early
	// tells that it completed one that no decoder can begin with, before the first
	// keyframe.
	accessUnit(*rtp.Packet) (au [][]byte, early bool, err error)
}

// coded is a video of H.264 or H.265: it looks at every parameter set, for the
// size of what follows it.
type coded struct {
	codec    string
	decode   func(*rtp.Packet) ([][]byte, error)
	isStart  func(au [][]byte) bool // a decoder can begin here
	isParams func(unit []byte) bool
	size     func(unit []byte) (width, height int, isSize bool)
	params   [][]byte // from the camera's description; those of the stream go before them

	width, height int // 0 until a parameter set says it
	started       bool
}

func (*coded) pictures() bool { return false }

func (v *coded) begins(au [][]byte) bool { return v.isStart(au) }

// accessUnit implements [video]. It drops what comes before the first picture
// that a decoder can begin with, and refuses a size that is too large, or another
// one than before: a decoder shows the new size only when it is started anew.
func (v *coded) accessUnit(p *rtp.Packet) (au [][]byte, early bool, err error) {
	au, err = v.decode(p)
	if err != nil || au == nil {
		return nil, false, nil // part of a picture, or a lost one
	}
	hasParams := false
	for _, unit := range au {
		hasParams = hasParams || v.isParams(unit)
		if err := v.look(unit); err != nil {
			return nil, false, err
		}
	}
	start := v.isStart(au)
	if !v.started && !start {
		return nil, true, nil
	}
	v.started = true
	if start && !hasParams {
		au = append(append([][]byte(nil), v.params...), au...)
	}
	return au, false, nil
}

// look checks the size that a unit announces, if it is one that does.
func (v *coded) look(unit []byte) error {
	width, height, isSize := v.size(unit)
	if !isSize {
		return nil
	}
	if err := handover.StreamJob(handover.Video).CheckSize(width, height); err != nil {
		return err
	}
	if v.width != 0 && (width != v.width || height != v.height) {
		return fmt.Errorf("%w from %d x %d to %d x %d", fault.ErrResized, v.width, v.height, width, height)
	}
	v.width, v.height = width, height
	return nil
}

// videoOf is the video of a format; nil if it cannot be decoded. The error is that
// of the size that the camera's description announces.
func videoOf(f format.Format) (video, error) {
	switch f := f.(type) {
	case *format.H264:
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		v := &coded{codec: "V_MPEG4/ISO/AVC", decode: d.Decode, isStart: h264.IsRandomAccess,
			isParams: func(u []byte) bool { return len(u) > 0 && h264.NALUType(u[0]&0x1f) == h264.NALUTypeSPS },
			size: func(u []byte) (int, int, bool) {
				var sps h264.SPS
				if len(u) == 0 || h264.NALUType(u[0]&0x1f) != h264.NALUTypeSPS || sps.Unmarshal(u) != nil {
					return 0, 0, false // FFmpeg has a bound of its own
				}
				return sps.Width(), sps.Height(), true
			},
			params: present(f.SPS, f.PPS)}
		return v, v.lookAll()
	case *format.H265:
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		v := &coded{codec: "V_MPEGH/ISO/HEVC", decode: d.Decode, isStart: h265.IsRandomAccess,
			isParams: func(u []byte) bool { return len(u) > 0 && h265.NALUType(u[0]>>1&0x3f) == h265.NALUType_SPS_NUT },
			size: func(u []byte) (int, int, bool) {
				var sps h265.SPS
				if len(u) == 0 || h265.NALUType(u[0]>>1&0x3f) != h265.NALUType_SPS_NUT || sps.Unmarshal(u) != nil {
					return 0, 0, false
				}
				return sps.Width(), sps.Height(), true
			},
			params: present(f.VPS, f.SPS, f.PPS)}
		return v, v.lookAll()
	case *format.MJPEG:
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		return jpegs{d.Decode}, nil
	}
	return nil, nil
}

func present(units ...[]byte) [][]byte {
	var all [][]byte
	for _, u := range units {
		if len(u) > 0 {
			all = append(all, u)
		}
	}
	return all
}

// lookAll checks the size in the camera's description. It does not bind the
// stream, which may have another.
func (v *coded) lookAll() error {
	for _, unit := range v.params {
		if err := v.look(unit); err != nil {
			return err
		}
	}
	v.width, v.height = 0, 0
	return nil
}

// jpegs is MJPEG over RTP.
type jpegs struct {
	decode func(*rtp.Packet) ([]byte, error)
}

func (jpegs) pictures() bool { return true }

func (jpegs) begins([][]byte) bool { return true }

func (v jpegs) accessUnit(p *rtp.Packet) ([][]byte, bool, error) {
	b, err := v.decode(p)
	if err != nil || b == nil {
		return nil, false, nil
	}
	return [][]byte{b}, false, nil
}
