// Package stream reads frames through the video library (OpenCV's VideoCapture),
// every call on a worker's goroutine and within a bound.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/videoio"
	"platewatch/capture/internal/worker"
	"platewatch/capture/source"
)

// Bounds of a video frame, in pixels: what an 8K camera sends. More is a
// damaged stream, or one made to exhaust the unit's memory.
const (
	MaxSide   = 8192
	maxPixels = 7680 * 4320
)

// maxBlocked bounds the goroutines and captures that a camera can lose to calls
// that do not return.
const maxBlocked = 3

// Spec says how to open one capture of the video library.
type Spec struct {
	URI     string // may hold a password
	Where   string // the same for people
	Backend int    // of [videoio]
	Params  []videoio.Param
	Options string       // of FFmpeg; empty: FFmpeg does not open it
	Prepare func(Device) // after opening, may be nil

	OpenBound, ReadBound time.Duration

	End    error // what a read without a frame means: io.EOF or fault.ErrStreamEnded
	Misses int   // how many reads without a frame in a row lose the stream
}

// Device is what a stream needs of [videoio.Capture]. Tests put one there that
// blocks.
type Device interface {
	Read(*gocv.Mat) (bool, error)
	Get(property int) float64
	Set(property int, value float64) bool
	Close()
}

// Opener opens the device of a stream.
type Opener func(Spec) (Device, error)

// Videoio is the opener of the video library.
func Videoio(s Spec) (Device, error) {
	c, err := videoio.Open(s.URI, s.Backend, s.Params...)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Stream is the [source.Source] over one capture. Everything that touches the
// capture runs on the worker's goroutine.
type Stream struct {
	ctx    context.Context
	spec   Spec
	worker *worker.Worker

	// Owned by the worker while one of its calls runs, by the reader otherwise.
	capture  Device
	buf      gocv.Mat // read into: the reader's for the time of a call, empty otherwise
	ok       bool
	err      error
	position float64 // ms
	size     [2]float64

	read   func() // readFrame as a value made once
	origin float64
}

// Open opens spec. It returns the library's error as it is: the caller
// knows what it means for its kind of camera.
func Open(ctx context.Context, spec Spec, open Opener, a *worker.Abandoned) (*Stream, error) {
	if n := a.Blocked(); n >= maxBlocked {
		return nil, fmt.Errorf("%w: %d earlier calls have not returned", fault.ErrBlocked, n)
	}
	s := &Stream{ctx: ctx, spec: spec, buf: gocv.NewMat(), position: math.NaN(), origin: math.NaN()}
	s.read = s.readFrame
	s.worker = worker.New(a, func() {
		if s.capture != nil {
			s.capture.Close()
		}
		s.buf.Close()
	})
	release := func() {}
	if spec.Options != "" {
		var err error
		if release, err = ffmpegOpens.acquire(ctx, openPatience, spec.Options); err != nil {
			s.worker.Close()
			return nil, err
		}
	}
	err := s.worker.Do(ctx, spec.OpenBound, func() {
		s.capture, s.err = open(spec)
		release()
		if s.err == nil {
			if spec.Prepare != nil {
				spec.Prepare(s.capture)
			}
			s.size = [2]float64{s.capture.Get(videoio.FrameWidth), s.capture.Get(videoio.FrameHeight)}
		}
	})
	if err != nil {
		return nil, err // the worker is lost, and closes what it holds
	}
	if s.err == nil {
		s.err = checkSize(s.size[0], s.size[1])
	}
	if s.err != nil {
		err := s.err
		s.worker.Close()
		return nil, err
	}
	return s, nil
}

// readFrame runs on the worker.
func (s *Stream) readFrame() {
	s.ok, s.err = s.capture.Read(&s.buf)
	if s.ok {
		s.position = s.capture.Get(videoio.PosMsec)
	}
}

// Read implements [source.Source]. m's buffer is read into, so that a stream needs none
// of its own; a call that does not return keeps it.
func (s *Stream) Read(m *gocv.Mat) (time.Duration, error) {
	if !s.worker.Closed() {
		*m, s.buf = s.buf, *m
	}
	for miss := 1; ; miss++ {
		if err := s.ctx.Err(); err != nil {
			return -1, err
		}
		start := time.Now()
		if err := s.worker.Do(s.ctx, s.spec.ReadBound, s.read); err != nil {
			return -1, s.fail(err)
		}
		late := time.Since(start) >= s.spec.ReadBound
		switch {
		case s.ok && late && errors.Is(s.spec.End, fault.ErrStreamEnded):
			// FFmpeg returns what its decoder still held when the wait for the
			// network timed out: an old picture, which must not look new.
			return -1, s.fail(fault.ErrTimeout)
		case s.ok:
			return s.deliver(m)
		case late:
			return -1, s.fail(fault.ErrTimeout)
		case miss < s.spec.Misses:
			continue
		case s.err != nil:
			return -1, s.fail(source.Scrub(s.err, s.spec.URI))
		}
		if err := s.ctx.Err(); err != nil {
			return -1, err
		}
		return -1, s.fail(s.spec.End)
	}
}

// fail wraps the error of a read. The end of a file and of the context are
// returned as they are.
func (s *Stream) fail(err error) error {
	e := &fault.Error{Op: "read", Path: s.spec.Where, Err: err}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fault.ErrTimeout):
		e.Err = fmt.Errorf("%w (%v)", err, s.spec.ReadBound)
		e.Advice = "look at the camera's network and power; a longer read timeout helps with very slow frames only"
	}
	return e
}

// deliver gives the reader its buffer back, with the frame in it.
func (s *Stream) deliver(m *gocv.Mat) (time.Duration, error) {
	if err := checkFrame(&s.buf); err != nil {
		return -1, &fault.Error{Op: "read", Path: s.spec.Where, Err: err}
	}
	*m, s.buf = s.buf, *m
	return s.since(s.position), nil
}

// since is the position relative to the stream's first frame. RTSP positions
// count from whatever the camera likes.
func (s *Stream) since(ms float64) time.Duration {
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

// Close implements [source.Source].
func (s *Stream) Close() error {
	s.worker.Close()
	return nil
}

// checkSize refuses what cannot be a camera's picture. The size can be
// unknown before the first frame.
func checkSize(width, height float64) error {
	if width > MaxSide || height > MaxSide || width*height > maxPixels {
		return fmt.Errorf("%w: %.0f x %.0f pixels, at most %d a side and %d in all are accepted",
			fault.ErrFrame, width, height, MaxSide, maxPixels)
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
		return fmt.Errorf("%w: pixels of OpenCV type %d are not 8-bit colour", fault.ErrFrame, t)
	}
	bgr := gocv.NewMat()
	gocv.CvtColor(*m, &bgr, code)
	m.Close()
	*m = bgr
	return nil
}
