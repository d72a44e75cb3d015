// Package imgcodecs decodes pictures with cv::imdecode, without the copy that
// gocv makes of the bytes and with C++ exceptions as Go errors: gocv v0.31 lets
// them abort the process, and a header that announces no pixels throws one.
// Nothing is printed on standard error.
package imgcodecs

/*
#cgo CXXFLAGS: -std=c++11
#cgo pkg-config: opencv4
#include "shim.h"
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"gocv.io/x/gocv"
)

// Flags of cv::ImreadModes. The orientation in the file is never applied.
const (
	unchanged         = -1 // alpha and depth kept; implies no orientation
	color             = 1
	ignoreOrientation = 128
)

// ErrUndecodable is returned for a picture that no codec can read.
var ErrUndecodable = errors.New("no codec can read it")

// Decode decodes b to 8-bit BGR, alpha dropped, not turned. The caller closes
// the Mat.
func Decode(b []byte) (gocv.Mat, error) { return decode(b, color|ignoreOrientation) }

// DecodeUnchanged decodes b with the channels and the depth that it has, not
// turned. The caller closes the Mat.
func DecodeUnchanged(b []byte) (gocv.Mat, error) { return decode(b, unchanged) }

func decode(b []byte, flags int) (gocv.Mat, error) {
	if len(b) == 0 {
		return gocv.Mat{}, ErrUndecodable
	}
	m := gocv.NewMat()
	text := make([]byte, 256)
	switch C.pw_imgcodecs_decode(unsafe.Pointer(&b[0]), C.size_t(len(b)), C.int(flags), unsafe.Pointer(m.Ptr()),
		(*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text))) {
	case 1:
		return m, nil
	case 0:
		m.Close()
		return gocv.Mat{}, ErrUndecodable
	}
	m.Close()
	text, _, _ = bytes.Cut(text, []byte{0})
	return gocv.Mat{}, fmt.Errorf("the picture library failed: %s", text)
}
