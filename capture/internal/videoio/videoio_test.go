package videoio

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"
)

func TestOpenRefuses(t *testing.T) {
	for _, api := range []int{FFmpeg, V4L2} {
		c, err := Open(filepath.Join(t.TempDir(), "none"), api, Param{OpenTimeoutMsec, 1000})
		if c != nil || err == nil {
			t.Errorf("backend %d opens what is not there", api)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), FFmpeg); !errors.Is(err, ErrRefused) {
		t.Errorf("error is %v, want %v", err, ErrRefused)
	}
}

// A picture written and read again passes every call once.
func TestReadsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clip.avi")
	w, err := gocv.VideoWriterFile(path, "MJPG", 10, 64, 48, true)
	if err != nil {
		t.Fatal(err)
	}
	m := gocv.NewMatWithSize(48, 64, gocv.MatTypeCV8UC3)
	defer m.Close()
	for range 3 {
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	c, err := Open(path, FFmpeg, Param{ReadTimeoutMsec, 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if w, h, fps := c.Get(FrameWidth), c.Get(FrameHeight), c.Get(FPS); w != 64 || h != 48 || math.Abs(fps-10) > 0.01 {
		t.Errorf("%g x %g at %g, want 64 x 48 at 10", w, h, fps)
	}
	for i, want := range []bool{true, true, true, false} {
		if ok, err := c.Read(&m); ok != want || err != nil {
			t.Errorf("read %d: %v, %v", i, ok, err)
		}
	}
	c.Close()
	c.Close()
}
