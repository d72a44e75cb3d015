package capture

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/process"
	"platewatch/capture/light"
	"platewatch/capture/rtsptest"
	"platewatch/capture/source"
)

// life tests a [Camera] over the whole life of its source; it runs for each kind that
// a test can open.
type life struct {
	width, height, frames int
	config                func(t *testing.T) Config // so many frames, at the pace of the kind
	endless               func(t *testing.T) Config // the same without an end
	end                   error                     // of the source, after the last frame
}

func TestCamera(t *testing.T) {
	file := func(t *testing.T) Config {
		return Config{Name: "file", Source: capturetest.VideoFile(t, 160, 120, 25, 20)}
	}
	folder := func(t *testing.T) Config {
		return Config{Name: "folder", Kind: "folder", Source: capturetest.PictureFolder(t, 64, 48, 6), FPS: 50}
	}
	rtsp := func(loop bool) func(*testing.T) Config {
		return func(t *testing.T) Config {
			s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: loop}, capturetest.AnnexB(t, 160, 120, 25, 25))
			return Config{Name: "rtsp", Source: s.URL("gate")}
		}
	}
	http := func(n int) func(*testing.T) Config {
		return func(t *testing.T) Config {
			return Config{Name: "http", Source: capturetest.MJPEG(t, 160, 120, n).URL + "/video"}
		}
	}
	loop := func(config func(*testing.T) Config) func(*testing.T) Config {
		return func(t *testing.T) Config {
			c := config(t)
			c.Loop = true
			return c
		}
	}
	for name, s := range map[string]life{
		"file":   {160, 120, 20, file, loop(file), io.EOF},
		"folder": {64, 48, 6, folder, loop(folder), io.EOF},
		"rtsp":   {160, 120, 25, rtsp(false), rtsp(true), fault.ErrStreamEnded},
		"http":   {160, 120, 10, http(10), http(-1), fault.ErrStreamEnded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("plays to its end", s.playsToItsEnd)
			t.Run("cancelled", s.cancelled)
		})
	}
}

func (s life) playsToItsEnd(t *testing.T) {
	c := s.config(t)
	if errors.Is(s.end, io.EOF) {
		c.Pace = source.PaceFast
	}
	camera, err := New(patient(c), capturetest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- camera.Run(ctx) }()
	var seq uint64
	for n := 0; n < s.frames; n++ {
		f, err := camera.Next(ctx)
		if err != nil {
			t.Fatalf("frame %d: %v", n, err)
		}
		if f.Image.Cols() != s.width || f.Camera != c.Name || f.Seq <= seq || f.Arrived.IsZero() {
			t.Errorf("frame %+v after number %d", f, seq)
		}
		seq = f.Seq
		f.Close()
		if errors.Is(s.end, fault.ErrStreamEnded) && n > s.frames/2 {
			break // a live camera may have dropped some
		}
	}
	if errors.Is(s.end, io.EOF) {
		if _, err := camera.Next(ctx); !errors.Is(err, io.EOF) {
			t.Errorf("after the last frame: %v, want EOF", err)
		}
		if s := camera.Stats(); len(s.DropsByReason) > 0 || s.State != StateEnded {
			t.Errorf("at the end: %+v", s)
		}
	}
	if s := camera.Stats(); s.Opens != 1 || s.Frames < seq || s.Width == 0 || s.LastFrame.IsZero() {
		t.Errorf("stats %+v", s)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := camera.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("after Run: %v, want EOF", err)
	}
}

func (s life) cancelled(t *testing.T) {
	camera, err := New(patient(s.endless(t)), capturetest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- camera.Run(ctx) }()
	f, err := camera.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	begin := time.Now()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 2500*time.Millisecond {
		t.Errorf("Run took %v to return", took)
	}
	if f.Image.Empty() || f.Image.Cols() != s.width {
		t.Error("a frame taken before is gone")
	}
	f.Close()
	if err := camera.Run(t.Context()); err == nil {
		t.Error("a second Run is accepted")
	}
}

// Nothing is opened any more once the context has ended.
func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []Config{{Source: "/dev/video0"}, {Source: "rtsp://127.0.0.1/x"}, {Source: "http://127.0.0.1/x"}, {Source: "x.mp4"}, {Source: "x/"}} {
		if _, err := Open(ctx, c); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", c.Source, err)
		}
	}
}

// steered is a source whose exposure follows the plates that are reported to it.
type steered struct {
	ctx   context.Context
	mu    sync.Mutex
	told  []light.Plate
	state []source.ControlState
}

func (s *steered) Read(m *gocv.Mat) (time.Duration, error) {
	time.Sleep(40 * time.Millisecond) // the bubble's clock
	if err := s.ctx.Err(); err != nil {
		return -1, err
	}
	m.Close()
	*m = gocv.NewMatWithSize(48, 64, gocv.MatTypeCV8UC3)
	return -1, nil
}

func (s *steered) Close() error { return nil }

func (s *steered) Controls() []source.ControlState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state)
}

func (s *steered) Steer(_ context.Context, l light.Plate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, l)
	s.state = []source.ControlState{{Name: "exposure", Asked: len(s.told), Value: len(s.told)}}
	return nil
}

// A camera gets the newest plate, with a pause between two, and only if the unit sets
// the exposure.
func TestCameraIsSteered(t *testing.T) {
	for _, tt := range []struct {
		exposure string
		told     []float64
	}{{source.ExposePlate, []float64{1, 3, 6}}, {source.ExposeCamera, nil}} {
		synctest.Test(t, func(t *testing.T) {
			c, err := New(Config{Name: "x", Source: "/dev/video0", AutoExposure: tt.exposure}, capturetest.Log(t))
			if err != nil {
				t.Fatal(err)
			}
			src := &steered{}
			c.open = func(ctx context.Context, _ Config, _ *process.Tally) (Source, error) {
				src.ctx = ctx
				return src, nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- c.Run(ctx) }()
			for i := range 6 { // a plate after 0.9, 1.8, 2.7 and 11.4 s
				time.Sleep(900 * time.Millisecond)
				if i == 3 {
					time.Sleep(6 * time.Second)
				}
				if i != 3 && i != 4 {
					c.Steer(light.Plate{Bright: float64(i + 1)})
				}
				synctest.Wait()
			}
			time.Sleep(5 * time.Second)
			var told []float64
			for _, l := range src.told {
				told = append(told, l.Bright)
			}
			if diff := cmp.Diff(tt.told, told); diff != "" {
				t.Errorf("%s: told of plates (-want +got):\n%s", tt.exposure, diff)
			}
			if st := c.Stats(); len(st.Controls) > 0 != (tt.told != nil) || len(st.Controls) > 0 && st.Controls[0].Value != len(tt.told) {
				t.Errorf("%s: controls %+v", tt.exposure, st.Controls)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestControlText(t *testing.T) {
	got := controlText([]source.ControlState{
		{Name: "exposure", Asked: 20, Value: 20},
		{Name: "gain", Asked: 400, Value: 100, Error: "the camera accepts 0 to 100"},
		{Name: "format", Error: "the camera gives YUYV"},
	})
	if want := "exposure 20, gain 100 (asked 400): the camera accepts 0 to 100, format: the camera gives YUYV"; got != want {
		t.Errorf("in words %q, want %q", got, want)
	}
}
