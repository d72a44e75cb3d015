package decoder

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/internal/v4l2"
	"platewatch/capture/internal/videoio"
	"platewatch/capture/source"
)

// TestMain lets this binary be the decoder, whose V4L2 cameras are boards.
func TestMain(m *testing.M) {
	if os.Args[0] == handover.Program {
		openDevice = openBoard
		os.Exit(Main())
	}
	own, err := os.Executable()
	if err != nil {
		panic(err)
	}
	os.Setenv(handover.Variable, own)
	capturetest.Main(m)
}

// board is a V4L2 camera of a test: there is none where tests run. It gives so
// many frames, 100 a second, and is then pulled out.
type board struct {
	frames int // −1: without end
	values map[int]float64
}

// Character devices that every machine has stand for cameras.
const endless, ten, large = "/dev/null", "/dev/zero", "/dev/full"

func openBoard(path string) (capture, error) {
	b := &board{-1, map[int]float64{}}
	switch path {
	case ten:
		b.frames = 10
	case large:
		b.values[videoio.FrameWidth], b.values[videoio.FrameHeight] = 7680, 4320
	}
	return b, nil
}

func (b *board) Read(m *gocv.Mat) (bool, error) {
	if b.frames == 0 {
		return false, nil
	}
	b.frames--
	time.Sleep(10 * time.Millisecond) // its own pace: nothing is waited for
	m.Close()
	*m = gocv.NewMatWithSize(int(b.values[videoio.FrameHeight]), int(b.values[videoio.FrameWidth]), gocv.MatTypeCV8UC3)
	return true, nil
}

func (b *board) Get(property int) float64 {
	if v, ok := b.values[property]; ok {
		return v
	}
	return math.NaN()
}

func (b *board) Set(property int, v float64) bool { b.values[property] = v; return true }

func TestDevicesConform(t *testing.T) {
	t.Parallel()
	config := func(device string) func(*testing.T) source.Config {
		return func(*testing.T) source.Config {
			return source.Config{Name: "board", Source: device, Width: 160, Height: 120, Format: "MJPG", AutoExposure: source.ExposePlate}
		}
	}
	sourcetest.Suite{Kind: v4l2.Kind, Width: 160, Height: 120, Frames: 10, End: fault.ErrStreamEnded,
		Config: config(ten), Endless: config(endless), Lost: config("/dev/none")}.Run(t)
}

// A camera that insists on a picture that is too large is refused before its first
// frame.
func TestLargeDevice(t *testing.T) {
	_, err := sourcetest.Open(t.Context(), v4l2.Kind, source.Config{Source: large})
	sourcetest.WantLarge(t, err)
}

// TestFieldAnotherNumber: a camera that is named in /dev/v4l/by-id is found under its
// new number after a USB hub was reset.
func TestFieldAnotherNumber(t *testing.T) {
	name := filepath.Join(t.TempDir(), "usb-cam-video-index0")
	if err := os.Symlink(ten, name); err != nil {
		t.Fatal(err)
	}
	c := source.Config{Name: "board", Source: name, Width: 160, Height: 120}
	m := gocv.NewMat()
	defer m.Close()
	src := sourcetest.Opened(t, t.Context(), v4l2.Kind, c)
	frames, err := 0, error(nil)
	for err == nil {
		if _, err = src.Read(&m); err == nil {
			frames++
		}
	}
	var e *fault.Error
	if !errors.Is(err, fault.ErrStreamEnded) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "cable") || frames != 10 {
		t.Errorf("pulled out after %d frames: %v", frames, err)
	}
	src.Close()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := sourcetest.Open(t.Context(), v4l2.Kind, c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("while it is away: %v", err)
	}
	if err := os.Symlink(endless, name); err != nil {
		t.Fatal(err)
	}
	again := sourcetest.Opened(t, t.Context(), v4l2.Kind, c)
	if _, err := again.Read(&m); err != nil {
		t.Errorf("under another number: %v", err)
	}
}
