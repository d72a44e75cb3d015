// Package videoio opens cv::VideoCapture with open parameters, which
// gocv v0.31 cannot pass, and turns every C++ exception into a Go error: an
// exception that reaches Go through cgo aborts the process, and one is thrown
// for as little as an empty MJPG buffer from a USB camera.
//
// It needs OpenCV 4.5.2 or later (Debian 12 has 4.6, Debian 13 has 4.10).
package videoio

/*
#cgo CXXFLAGS: -std=c++11
#cgo pkg-config: opencv4
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"gocv.io/x/gocv"
)

// Backends of cv::VideoCaptureAPIs.
const (
	V4L2   = 200
	FFmpeg = 1900
)

// Properties of cv::VideoCaptureProperties.
const (
	PosMsec         = 0  // position of the frame last read, in milliseconds
	FrameWidth      = 3  // pixels
	FrameHeight     = 4  // pixels
	FPS             = 5  // frames a second, as the stream announces it
	FourCC          = 6  // four bytes, the first one lowest
	BufferSize      = 38 // frames the driver keeps
	TurnByItself    = 49 // FFmpeg: 1 turns what is to be turned for display
	OpenTimeoutMsec = 53 // FFmpeg, only at open
	ReadTimeoutMsec = 54 // FFmpeg, only at open
)

var (
	// ErrRefused is returned by [Open] when the library says no without a
	// reason, which is all that OpenCV tells.
	ErrRefused = errors.New("the video library cannot open it")
	// ErrNoMemory is returned by [Open] when not even the handle fits.
	ErrNoMemory = errors.New("no memory for a video capture")
)

// Param is one property with its value, given at [Open].
type Param struct {
	Property int
	Value    int
}

// Capture is one opened cv::VideoCapture. Its methods block for as long as
// the library does and must not run at the same time.
type Capture struct {
	v *C.pw_videoio
}

// Open opens uri with the backend api. An error may contain uri, so that the
// caller has to redact what it passes on.
func Open(uri string, api int, params ...Param) (*Capture, error) {
	v := C.pw_videoio_new()
	if v == nil {
		return nil, ErrNoMemory
	}
	flat := make([]C.int, 0, 2*len(params))
	for _, p := range params {
		flat = append(flat, C.int(p.Property), C.int(p.Value))
	}
	name := C.CString(uri)
	defer C.free(unsafe.Pointer(name))
	c := &Capture{v}
	ok, err := c.status("open", C.pw_videoio_open(v, name, C.int(api), unsafe.SliceData(flat), C.int(len(flat))))
	if err == nil && !ok {
		err = ErrRefused
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Read decodes the next frame into m, whose buffer is reused when size and
// type fit. False without an error means that the library has no frame: the
// end, a lost stream or a timeout, which it does not tell apart.
func (c *Capture) Read(m *gocv.Mat) (bool, error) {
	return c.status("read", C.pw_videoio_read(c.v, unsafe.Pointer(m.Ptr())))
}

// Set asks for a property value and reports whether the backend took it. Many
// take a request and do something else: read the value back with [Capture.Get].
func (c *Capture) Set(property int, value float64) bool {
	ok, err := c.status("set", C.pw_videoio_set(c.v, C.int(property), C.double(value)))
	return ok && err == nil
}

// Get returns a property, or NaN where it is not supported (OpenCV itself
// answers 0 or -1, which are also values) and the call failed.
func (c *Capture) Get(property int) float64 {
	var x C.double
	if ok, err := c.status("get", C.pw_videoio_get(c.v, C.int(property), &x)); !ok || err != nil {
		return math.NaN()
	}
	return float64(x)
}

// Close frees the capture. A second call does nothing.
func (c *Capture) Close() {
	if c.v != nil {
		C.pw_videoio_delete(c.v)
		c.v = nil
	}
}

func (c *Capture) status(call string, s C.int) (bool, error) {
	if s == C.PW_FAILED {
		return false, fmt.Errorf("video library failed in %s: %s", call, C.GoString(C.pw_videoio_error(c.v)))
	}
	return s == C.PW_YES, nil
}
