package file

import (
	"io"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/source"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	sourcetest.Suite{Kind: Kind, Width: 160, Height: 120, Frames: 20, End: io.EOF,
		Config: func(t *testing.T) source.Config {
			return source.Config{Name: "file", Source: capturetest.VideoFile(t, 160, 120, 25, 20)}
		},
		Endless: func(t *testing.T) source.Config {
			return source.Config{Name: "file", Source: capturetest.VideoFile(t, 160, 120, 25, 20), Loop: true}
		},
		Lost: func(t *testing.T) source.Config {
			return source.Config{Name: "file", Source: t.TempDir() + "/none.mp4"}
		},
	}.Run(t)
}

// A file in a loop goes on, and its time with it.
func TestFileLoops(t *testing.T) {
	src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Source: capturetest.VideoFile(t, 160, 120, 25, 5), Pace: source.PaceFast, Loop: true})
	m := gocv.NewMat()
	defer m.Close()
	for i := range 12 {
		position, err := src.Read(&m)
		if err != nil {
			t.Fatal(err)
		}
		if want := time.Duration(i) * 40 * time.Millisecond; position < want-time.Millisecond || position > want+time.Millisecond {
			t.Errorf("frame %d is at %v, want %v", i, position, want)
		}
	}
}

// TestFieldPortrait: videos of telephones are upright, whichever way the installed
// OpenCV turns them.
func TestFieldPortrait(t *testing.T) {
	for _, tt := range []struct{ degrees, width, height, x, y int }{
		{0, 160, 120, 0, 0}, {90, 120, 160, 1, 0}, {180, 160, 120, 1, 1}, {270, 120, 160, 0, 1},
	} {
		src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Source: capturetest.TurnedVideo(t, tt.degrees, 5), Pace: source.PaceFast})
		m := gocv.NewMat()
		defer m.Close()
		for range 5 {
			if _, err := src.Read(&m); err != nil {
				t.Fatal(err)
			}
			if m.Cols() != tt.width || m.Rows() != tt.height {
				t.Fatalf("%d degrees: the picture is %d x %d", tt.degrees, m.Cols(), m.Rows())
			}
			for _, x := range []int{0, 1} {
				for _, y := range []int{0, 1} {
					bright := m.GetVecbAt(m.Rows()/4*(1+2*y), m.Cols()/4*(1+2*x))[0] > 128
					if bright != (x == tt.x && y == tt.y) {
						t.Errorf("%d degrees: the quarter %d %d is bright: %v", tt.degrees, x, y, bright)
					}
				}
			}
		}
	}
	t.Attr("outcome", "0, 90, 180 and 270 degrees upright with OpenCV "+gocv.OpenCVVersion())
}

// A file plays at its own pace, or without one.
func TestPace(t *testing.T) {
	path := capturetest.VideoFile(t, 160, 120, 25, 20)
	for pace, wanted := range map[source.Pace]bool{source.PaceReal: true, source.PaceFast: false} {
		src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Source: path, Pace: pace})
		m := gocv.NewMat()
		defer m.Close()
		begin := time.Now()
		for range 20 {
			if _, err := src.Read(&m); err != nil {
				t.Fatal(err)
			}
		}
		if slow := time.Since(begin) >= 760*time.Millisecond; slow != wanted {
			t.Errorf("%s: 20 frames at 25 a second took %v", pace, time.Since(begin))
		}
	}
}
