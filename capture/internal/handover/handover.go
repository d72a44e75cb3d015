// Package handover is how the unit and a camera's decoder talk: the job that the
// unit gives, small messages of a fixed size over a socket, and the memory that
// pictures are handed over in.
//
// The decoder reads what comes from outside, and may have been taken over by it:
// the unit believes nothing that it says. [Conn.Receive] returns only messages
// whose fields are in range, [Memory] never shrinks, and which slot belongs to
// whom is known to the unit alone.
package handover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"platewatch/capture/fault"
)

const (
	// Program is the decoder's program, which lies beside the unit's own.
	Program = "platewatch-decode"
	// Variable is the environment variable that names another one.
	Variable = "PLATEWATCH_DECODER"
)

// Descriptors of the decoder process at its start.
const (
	SocketFD = 3 // messages
	MemoryFD = 4 // the pictures
	VideoFD  = 5 // the video, where the unit reads it from the camera
)

// Bounds of a stream's picture, for every kind of camera: 4K in all its forms.
// More would not fit the unit's memory, and is refused from the header, before
// anything is decoded.
const (
	MaxSide   = 4096        // pixels
	MaxPixels = 4096 * 2304 // width x height
)

// Mode is what a decoder does.
type Mode string

const (
	Pictures Mode = "pictures" // decodes single pictures, one after the other, on request
	Video    Mode = "video"    // decodes a video file, or the video that comes on [VideoFD]
	Device   Mode = "device"   // reads a V4L2 camera
)

// Job is what a decoder is started for, and all that it is told.
type Job struct {
	Mode  Mode
	Path  string // of the video file or the device; the only file that it may open
	Slots int    // how many pictures the memory has room for
	// MaxSide and MaxPixels bound every picture.
	MaxSide, MaxPixels int
	// Input is the room for an encoded picture, in bytes. Only Pictures has some.
	Input int
	// Memory is how much memory the decoder may take for itself, in bytes.
	Memory int64

	// What a device is asked for, see source.Config.
	Width, Height             int
	FPS                       float64
	Format                    string
	Exposure                  time.Duration
	Gain, Focus, WhiteBalance *int
	FollowPlates              bool // the exposure follows the plates
}

// slotBytes is the room for one picture of 8-bit BGR.
func (j Job) slotBytes() int { return 3 * j.MaxPixels }

// memoryBytes is the size of the memory: the encoded picture, and then the slots.
func (j Job) memoryBytes() int64 { return int64(j.Input) + int64(j.Slots)*int64(j.slotBytes()) }

// Kind says what a message means.
type Kind uint8

const (
	// From the decoder.
	Ready   Kind = iota + 1 // it is confined, as Text says, and begins
	Opened                  // the video or the device is open; FPS is its own rate
	Frame                   // Slot holds a picture
	Ended                   // a video is over
	Failed                  // Text, Advice and Class say why; only Pictures goes on after it
	Control                 // one of Count controls of the camera: Index, Text is its name

	// From the unit.
	Release // the picture in Slot was taken
	Decode  // decode the Length bytes at the memory's start; JPEG only if Only is set
	Steer   // a plate came out with Bright and Clipped
)

// Message is one message. Each kind uses some of the fields.
type Message struct {
	Kind          Kind
	Slot          int
	Width, Height int           // pixels
	Position      time.Duration // in the stream; -1 if unknown
	FPS           float64       // 0 if unknown
	Class         error         // of a failure: a cause of package fault, or nil
	Length        int
	Only          bool // only a JPEG
	Index, Count  int
	Asked, Value  int // of a control, in the driver's units
	Min, Max      int
	Bright        float64 // grey level
	Clipped       float64 // 0 to 1
	Text, Advice  string
}

// wire is a message as it is sent, little-endian.
type wire struct {
	Kind, Slot, Class, Only uint8
	Width, Height           uint32
	Position                int64
	FPS                     float64
	Length                  uint32
	Index, Count            uint8
	_                       [2]uint8
	Asked, Value, Min, Max  int32
	Bright, Clipped         float64
	Text                    [maxText]byte
	Advice                  [maxAdvice]byte
}

const (
	maxText   = 512
	maxAdvice = 256
	// maxControls is how many controls a camera is asked for at most.
	maxControls = 8
	// maxPosition is where positions end: a hundred years.
	maxPosition = 100 * 365 * 24 * time.Hour
	maxFPS      = 100_000
)

// classes are the causes that a failure can have, by their number on the wire.
var classes = []error{nil, fault.ErrConfig, fault.ErrTimeout, fault.ErrStreamEnded, fault.ErrFrame,
	fault.ErrNotPicture, fault.ErrTruncated, fault.ErrDamaged, fault.ErrTooLarge}

var wireSize = binary.Size(wire{})

// errMessage is what is wrong with a message.
func errMessage(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// ErrProtocol is a message that no decoder sends.
var ErrProtocol = errors.New("the decoder does not keep to the protocol")

// append appends the message as it is sent.
func (m Message) append(b []byte) []byte {
	w := wire{
		Kind: uint8(m.Kind), Slot: uint8(m.Slot), Width: uint32(m.Width), Height: uint32(m.Height), Position: int64(m.Position), FPS: m.FPS,
		Length: uint32(m.Length), Index: uint8(m.Index), Count: uint8(m.Count),
		Asked: int32(m.Asked), Value: int32(m.Value), Min: int32(m.Min), Max: int32(m.Max), Bright: m.Bright, Clipped: m.Clipped,
	}
	if m.Only {
		w.Only = 1
	}
	for i, c := range classes {
		if c != nil && errors.Is(m.Class, c) {
			w.Class = uint8(i)
			break
		}
	}
	copy(w.Text[:], clean([]byte(m.Text), maxText))
	copy(w.Advice[:], clean([]byte(m.Advice), maxAdvice))
	b, _ = binary.Append(b, binary.LittleEndian, &w) // a wire has a fixed size: it cannot fail
	return b
}

// parse reads a message and checks each of its fields against the job.
func parse(b []byte, j Job) (Message, error) {
	var w wire
	if len(b) != wireSize {
		return Message{}, errMessage("%d bytes instead of %d", len(b), wireSize)
	}
	if _, err := binary.Decode(b, binary.LittleEndian, &w); err != nil {
		return Message{}, errMessage("%v", err)
	}
	m := Message{
		Kind: Kind(w.Kind), Slot: int(w.Slot), Width: int(w.Width), Height: int(w.Height), Position: time.Duration(w.Position), FPS: w.FPS,
		Length: int(w.Length), Only: w.Only == 1, Index: int(w.Index), Count: int(w.Count),
		Asked: int(w.Asked), Value: int(w.Value), Min: int(w.Min), Max: int(w.Max), Bright: w.Bright, Clipped: w.Clipped,
		Text: clean(w.Text[:], maxText), Advice: clean(w.Advice[:], maxAdvice),
	}
	if int(w.Class) >= len(classes) {
		return Message{}, errMessage("the cause %d", w.Class)
	}
	m.Class = classes[w.Class]
	return m, m.check(j)
}

// check holds the fields that the message's kind uses to their range.
func (m Message) check(j Job) error {
	switch m.Kind {
	case Ready, Ended, Failed:
	case Opened:
		if !(m.FPS >= 0 && m.FPS <= maxFPS) {
			return errMessage("%g frames a second", m.FPS)
		}
	case Frame:
		switch {
		case m.Slot >= j.Slots:
			return errMessage("the slot %d of %d", m.Slot, j.Slots)
		case m.Width < 1 || m.Height < 1 || m.Width > j.MaxSide || m.Height > j.MaxSide || m.Width*m.Height > j.MaxPixels:
			return errMessage("a picture of %d x %d", m.Width, m.Height)
		case m.Position < -1 || m.Position > maxPosition:
			return errMessage("the position %d", m.Position)
		}
	case Control:
		if m.Count > maxControls || m.Index >= m.Count {
			return errMessage("the control %d of %d", m.Index, m.Count)
		}
	case Release:
		if m.Slot >= j.Slots {
			return errMessage("the slot %d of %d", m.Slot, j.Slots)
		}
	case Decode:
		if m.Length < 0 || m.Length > j.Input {
			return errMessage("%d bytes in a room of %d", m.Length, j.Input)
		}
	case Steer:
		if !(m.Bright >= 0 && m.Bright <= 255 && m.Clipped >= 0 && m.Clipped <= 1) {
			return errMessage("a plate of %g and %g", m.Bright, m.Clipped)
		}
	default:
		return errMessage("the message %d", m.Kind)
	}
	return nil
}

// Clean is a text of the decoder without what could confuse a log.
func Clean(s string) string { return clean([]byte(s), maxText) }

// clean is a text without what could confuse a log: control characters and
// bytes that are no UTF-8 become "?". It ends at a zero, or at the limit.
func clean(b []byte, limit int) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	s := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, string(b))
	for len(s) > limit {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// CheckSize refuses a picture that is too large for the job.
func (j Job) CheckSize(width, height int) error {
	if width <= j.MaxSide && height <= j.MaxSide && width*height <= j.MaxPixels {
		return nil
	}
	return &fault.Error{Op: "decode", Advice: "set the camera to 3840 x 2160 pixels or fewer; its second stream may do", Class: fault.ErrFrame,
		Err: fmt.Errorf("the picture is too large: %d x %d pixels, at most %d a side and %.1f megapixels are accepted",
			width, height, j.MaxSide, float64(j.MaxPixels)/1e6)}
}

const (
	// streamMemory is what the decoder of a stream may take: enough for 4K of
	// H.265 on four cores. Two such decoders, the pictures on their way, and the
	// unit fit 512 MiB for streams of up to 1080p.
	streamMemory = 224 << 20
	// streamSlots: one picture is being written, one is on its way, one is being
	// taken.
	streamSlots = 3
	// pictureBytes is the room for an encoded picture of a stream.
	pictureBytes = 16 << 20
)

// StreamJob is a job for one camera, within the bounds of a stream.
func StreamJob(mode Mode) Job {
	j := Job{Mode: mode, Slots: streamSlots, MaxSide: MaxSide, MaxPixels: MaxPixels, Memory: streamMemory}
	if mode == Pictures {
		j.Slots, j.Input = 1, pictureBytes
	}
	return j
}
