package imgcodecs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"gocv.io/x/gocv"
)

// pnm is a format that OpenCV reads from a plain header.
func pnm(width, height string, pixels int) []byte {
	return append([]byte("P5 "+width+" "+height+" 255\n"), bytes.Repeat([]byte{7}, pixels)...)
}

func TestDecode(t *testing.T) {
	for _, decode := range []func([]byte) (gocv.Mat, error){Decode, DecodeUnchanged} {
		m, err := decode(pnm("4", "3", 12))
		if err != nil || m.Cols() != 4 || m.Rows() != 3 {
			t.Fatalf("%d x %d, %v", m.Cols(), m.Rows(), err)
		}
		m.Close()
		for _, b := range [][]byte{nil, []byte("text")} {
			if _, err := decode(b); !errors.Is(err, ErrUndecodable) {
				t.Errorf("%q: %v", b, err)
			}
		}
	}
}

// A size that OpenCV refuses by throwing is an error with the exception's
// text. gocv's own IMDecode ends the process here.
func TestExceptionIsAnError(t *testing.T) {
	bmp := make([]byte, 54)
	copy(bmp, "BM")
	for at, v := range map[int]uint32{10: 54, 14: 40, 18: 1 << 21, 22: 1 << 21, 26: 1 | 24<<16} {
		binary.LittleEndian.PutUint32(bmp[at:], v)
	}
	_, err := Decode(bmp)
	if err == nil || !strings.Contains(err.Error(), "OpenCV") {
		t.Errorf("error is %v, want an exception's text", err)
	}
}
