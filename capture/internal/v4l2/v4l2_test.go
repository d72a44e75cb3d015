package v4l2

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/internal/stream"
	"platewatch/capture/internal/videoio"
	"platewatch/capture/source"
)

// board is a V4L2 camera of a test: there is none where tests run. It gives so
// many frames, 100 a second, and is then pulled out.
type board struct {
	frames int // −1: without end
	values map[int]float64
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
func (b *board) Close()                           {}

func TestConforms(t *testing.T) {
	t.Parallel()
	config := func(device string) func(*testing.T) source.Config {
		return func(*testing.T) source.Config {
			return source.Config{Name: "board", Source: device, Width: 160, Height: 120, Format: "MJPG", AutoExposure: source.ExposePlate}
		}
	}
	kind := Kind
	kind.Open = driver{
		check: func(path string) error {
			if path == "/dev/none" {
				return checkDevice(path)
			}
			return nil
		},
		capture: func(s stream.Spec) (stream.Device, error) {
			frames := -1
			if s.URI == "/dev/ten" {
				frames = 10
			}
			return &board{frames, map[int]float64{}}, nil
		},
		controls: func(string) (controller, error) { return newPanel(), nil },
	}.open
	sourcetest.Suite{Kind: kind, Width: 160, Height: 120, Frames: 10, End: fault.ErrStreamEnded,
		Config: config("/dev/ten"), Endless: config("/dev/endless"), Lost: config("/dev/none")}.Run(t)
}

func TestDevice(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "video9")
	_, err := sourcetest.Open(t.Context(), Kind, source.Config{Source: missing})
	var e *fault.Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "no camera is connected") {
		t.Errorf("missing, alone: %v", err)
	}
	for _, name := range []string{"video0", "video2", "null"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: missing})
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) ||
		!strings.HasSuffix(e.Hint(), "connected are "+filepath.Join(dir, "video0")+", "+filepath.Join(dir, "video2")) {
		t.Errorf("missing among others: %v, %q", err, e.Hint())
	}
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: filepath.Join(dir, "video0")})
	if !errors.Is(err, fault.ErrConfig) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "kind file") {
		t.Errorf("a file as a camera: %v", err)
	}
	// A device that is no camera gets as far as the library, and back.
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: "/dev/null"})
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "no video") || e.Hint() == "" {
		t.Errorf("/dev/null as a camera: %v", err)
	}
}

// recorded notes in which order a device is set up.
type recorded struct {
	stream.Device
	sets []int
	last map[int]float64
}

func (r *recorded) Set(property int, value float64) bool {
	r.sets = append(r.sets, property)
	r.last[property] = value
	return true
}

func TestPrepare(t *testing.T) {
	r := &recorded{last: map[int]float64{}}
	prepare(r, source.Config{Format: "MJPG", Width: 1280, Height: 720, FPS: 25})
	want := []int{videoio.FourCC, videoio.FrameWidth, videoio.FrameHeight, videoio.FPS, videoio.BufferSize}
	if diff := cmp.Diff(want, r.sets); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if got := r.last[videoio.FourCC]; got != 0x47504a4d {
		t.Errorf("MJPG is %x", int(got))
	}
}
