package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/videoio"
)

// Bounds of a video frame, in pixels: what an 8K camera gives. More is a
// damaged stream, or one made to exhaust the unit's memory.
const (
	maxFrameSide   = 8192
	maxFramePixels = 7680 * 4320
)

// streamSpec says how to open one capture of the video library.
type streamSpec struct {
	uri     string // may hold a password
	where   string // the same for people
	backend int
	params  []videoio.Param
	options string       // of FFmpeg; empty: it is not opened by FFmpeg
	prepare func(device) // after opening, may be nil

	openBound, readBound time.Duration

	end    error // what a read without a frame means: io.EOF or ErrStreamEnded
	misses int   // how many reads without a frame in a row lose the stream
}

// device is what a stream needs of [videoio.Capture]. Tests put one there that
// blocks.
type device interface {
	Read(*gocv.Mat) (bool, error)
	Get(property int) float64
	Set(property int, value float64) bool
	Close()
}

// openDevice is the seam for tests.
type openDevice func(streamSpec) (device, error)

func openVideoio(s streamSpec) (device, error) {
	c, err := videoio.Open(s.uri, s.backend, s.params...)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// stream is the [Source] over one capture. Everything that touches the capture
// runs on the hand's goroutine.
type stream struct {
	ctx  context.Context
	spec streamSpec
	hand *hand

	// Owned by the hand while one of its calls runs, by the reader otherwise.
	capture  device
	buf      gocv.Mat // read into: the reader's for the time of a call, empty otherwise
	ok       bool
	err      error
	position float64 // ms
	size     [2]float64

	read   func() // readFrame as a value made once
	origin float64
	frames uint64
}

// openStream opens spec. It returns the library's error as it is: the caller
// knows what it means for its kind of camera.
func openStream(ctx context.Context, spec streamSpec, open openDevice, b *blockedCalls) (*stream, error) {
	if n := b.out.Load(); n >= maxBlockedCalls {
		return nil, fmt.Errorf("%w: %d calls are still out", ErrBlocked, n)
	}
	s := &stream{ctx: ctx, spec: spec, buf: gocv.NewMat(), position: math.NaN(), origin: math.NaN()}
	s.read = s.readFrame
	s.hand = newHand(b, func() {
		if s.capture != nil {
			s.capture.Close()
		}
		s.buf.Close()
	})
	leave := func() {}
	if spec.options != "" {
		var err error
		if leave, err = ffmpegDoor.enter(ctx, doorPatience, spec.options); err != nil {
			s.hand.close()
			return nil, err
		}
	}
	err := s.hand.do(ctx, spec.openBound, func() {
		s.capture, s.err = open(spec)
		leave()
		if s.err == nil {
			if spec.prepare != nil {
				spec.prepare(s.capture)
			}
			s.size = [2]float64{s.capture.Get(videoio.FrameWidth), s.capture.Get(videoio.FrameHeight)}
		}
	})
	if err != nil {
		return nil, err // the hand is lost, and closes what it holds
	}
	if s.err == nil {
		s.err = checkSize(s.size[0], s.size[1])
	}
	if s.err != nil {
		err := s.err
		s.hand.close()
		return nil, err
	}
	return s, nil
}

// readFrame runs on the hand.
func (s *stream) readFrame() {
	s.ok, s.err = s.capture.Read(&s.buf)
	if s.ok {
		s.position = s.capture.Get(videoio.PosMsec)
	}
}

// Read implements [Source]. m's buffer is read into, so that a stream needs none
// of its own; a call that does not come back keeps it.
func (s *stream) Read(m *gocv.Mat) (time.Duration, error) {
	if !s.hand.closed {
		*m, s.buf = s.buf, *m
	}
	for miss := 1; ; miss++ {
		if err := s.ctx.Err(); err != nil {
			return -1, err
		}
		start := time.Now()
		if err := s.hand.do(s.ctx, s.spec.readBound, s.read); err != nil {
			return -1, s.fail(err)
		}
		late := time.Since(start) >= s.spec.readBound
		switch {
		case s.ok && late && s.spec.end == ErrStreamEnded:
			// FFmpeg hands out what its decoder still held when the wait for the
			// network ran out: an old picture, which is not to look new.
			return -1, s.fail(ErrTimeout)
		case s.ok:
			return s.deliver(m)
		case late:
			return -1, s.fail(ErrTimeout)
		case miss < s.spec.misses:
			continue
		case s.err != nil:
			return -1, s.fail(secret{s.spec.uri}.scrubbed(s.err))
		}
		if err := s.ctx.Err(); err != nil {
			return -1, err
		}
		return -1, s.fail(s.spec.end)
	}
}

// fail wraps what a read came to. The end of a file and of the context stay
// what they are.
func (s *stream) fail(err error) error {
	e := &Error{Op: "read", Path: s.spec.where, Err: err}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, ErrTimeout):
		e.Err = fmt.Errorf("%w (%v)", err, s.spec.readBound)
		e.Advice = "look at the camera's network and power; a longer read timeout helps with very slow frames only"
	}
	return e
}

// deliver gives the reader its buffer back, with the frame in it.
func (s *stream) deliver(m *gocv.Mat) (time.Duration, error) {
	if err := checkFrame(&s.buf); err != nil {
		return -1, &Error{Op: "read", Path: s.spec.where, Err: err}
	}
	*m, s.buf = s.buf, *m
	s.frames++
	return s.since(s.position), nil
}

// since is the position relative to the stream's first frame. RTSP positions
// count from whatever the camera likes.
func (s *stream) since(ms float64) time.Duration {
	if math.IsNaN(ms) || math.IsInf(ms, 0) || ms < 0 {
		return -1
	}
	if math.IsNaN(s.origin) {
		s.origin = ms
	}
	d := time.Duration((ms - s.origin) * float64(time.Millisecond))
	if d < 0 {
		return -1
	}
	return d
}

// Close implements [Source].
func (s *stream) Close() error {
	s.hand.close()
	return nil
}

// checkSize refuses what cannot be a camera's picture. The size can be
// unknown before the first frame.
func checkSize(width, height float64) error {
	if width > maxFrameSide || height > maxFrameSide || width*height > maxFramePixels {
		return fmt.Errorf("%w: %.0f x %.0f pixels, at most %d a side and %d in all are taken",
			ErrFrame, width, height, maxFrameSide, maxFramePixels)
	}
	return nil
}

// checkFrame makes m an 8-bit BGR picture of an accepted size.
func checkFrame(m *gocv.Mat) error {
	if err := checkSize(float64(m.Cols()), float64(m.Rows())); err != nil {
		return err
	}
	var code gocv.ColorConversionCode
	switch t := m.Type(); t {
	case gocv.MatTypeCV8UC3:
		return nil
	case gocv.MatTypeCV8UC1:
		code = gocv.ColorGrayToBGR
	case gocv.MatTypeCV8UC4:
		code = gocv.ColorBGRAToBGR
	default:
		return fmt.Errorf("%w: pixels of OpenCV type %d are not 8-bit colour", ErrFrame, t)
	}
	bgr := gocv.NewMat()
	gocv.CvtColor(*m, &bgr, code)
	m.Close()
	*m = bgr
	return nil
}
