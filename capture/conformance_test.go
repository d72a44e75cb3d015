package capture

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net/http/httptest"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/videoio"
	"platewatch/capture/rtsptest"
)

// conformance is what every Source has to keep, run against each kind.
type conformance struct {
	width, height, frames int
	config                func(t *testing.T) Config // frames pictures at the pace of the kind
	endless               func(t *testing.T) Config // the same without an end
	lost                  func(t *testing.T) Config // nothing can be opened there
	end                   error                     // after the last frame

	// opens instead of Open; nil: Open itself.
	opens func(context.Context, Config, *blockedCalls) (Source, error)
}

func (s conformance) open(ctx context.Context, c Config) (Source, error) {
	if s.opens != nil {
		return s.opens(ctx, c, new(blockedCalls))
	}
	return Open(ctx, c)
}

func (s conformance) opened(t *testing.T, ctx context.Context, c Config) Source {
	t.Helper()
	src, err := s.open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func (s conformance) camera(t *testing.T, c Config) *Camera {
	t.Helper()
	camera, err := New(c, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.opens != nil {
		camera.open = s.opens
	}
	return camera
}

func (s conformance) run(t *testing.T) {
	t.Run("every frame", s.everyFrame)
	t.Run("cancelled", s.cancelled)
	t.Run("closed twice", s.closedTwice)
	t.Run("not there", s.notThere)
	t.Run("as a camera", s.asCamera)
	t.Run("camera cancelled", s.cameraCancelled)
}

func (s conformance) everyFrame(t *testing.T) {
	src := s.opened(t, t.Context(), s.config(t))
	m := gocv.NewMat()
	defer m.Close()
	last := time.Duration(-1)
	for i := range s.frames {
		position, err := src.Read(&m)
		if err != nil {
			t.Fatalf("frame %d of %d: %v", i, s.frames, err)
		}
		if m.Cols() != s.width || m.Rows() != s.height || m.Type() != gocv.MatTypeCV8UC3 {
			t.Fatalf("frame %d is %d x %d of type %v", i, m.Cols(), m.Rows(), m.Type())
		}
		if position < last && position != -1 {
			t.Errorf("frame %d is at %v, the one before at %v", i, position, last)
		}
		last = position
	}
	for range 2 {
		if _, err := src.Read(&m); !errors.Is(err, s.end) {
			t.Fatalf("after the last frame: %v, want %v", err, s.end)
		}
	}
}

func (s conformance) cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	src := s.opened(t, ctx, s.endless(t))
	m := gocv.NewMat()
	defer m.Close()
	if _, err := src.Read(&m); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	cancel()
	for {
		if _, err := src.Read(&m); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v", err)
			}
			break
		}
		if time.Since(begin) > 5*time.Second {
			t.Fatal("frames go on after the end of the context")
		}
	}
	if _, err := s.open(ctx, s.config(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("opening: %v", err)
	}
}

func (s conformance) closedTwice(t *testing.T) {
	src := s.opened(t, t.Context(), s.config(t))
	for range 2 {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
	m := gocv.NewMat()
	defer m.Close()
	if _, err := src.Read(&m); !errors.Is(err, ErrClosed) {
		t.Errorf("reading a closed source: %v", err)
	}
}

func (s conformance) notThere(t *testing.T) {
	_, err := s.open(t.Context(), s.lost(t))
	var e *Error
	if !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("error %v has no hint", err)
	}
}

func (s conformance) asCamera(t *testing.T) {
	c := s.config(t)
	if c.Kind == KindFile || c.Kind == KindFolder {
		c.Pace = PaceFast
	}
	camera := s.camera(t, c)
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
		if errors.Is(s.end, ErrStreamEnded) && n > s.frames/2 {
			break // a live camera may have dropped some
		}
	}
	if errors.Is(s.end, io.EOF) {
		if _, err := camera.Next(ctx); err != io.EOF {
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
	if _, err := camera.Next(t.Context()); err != io.EOF {
		t.Errorf("after Run: %v, want EOF", err)
	}
}

func (s conformance) cameraCancelled(t *testing.T) {
	camera := s.camera(t, s.endless(t))
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

func opened(t *testing.T, ctx context.Context, c Config) Source {
	t.Helper()
	src, err := Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func TestFileConforms(t *testing.T) {
	t.Parallel()
	conformance{width: 160, height: 120, frames: 20, end: io.EOF,
		config: func(t *testing.T) Config {
			return Config{Name: "file", Kind: KindFile, Path: videoFile(t, 160, 120, 25, 20)}
		},
		endless: func(t *testing.T) Config {
			return Config{Name: "file", Kind: KindFile, Path: videoFile(t, 160, 120, 25, 20), Loop: true}
		},
		lost: func(t *testing.T) Config {
			return Config{Name: "file", Kind: KindFile, Path: t.TempDir() + "/none.mp4"}
		},
	}.run(t)
}

func TestFolderConforms(t *testing.T) {
	t.Parallel()
	conformance{width: 64, height: 48, frames: 6, end: io.EOF,
		config: func(t *testing.T) Config {
			return Config{Name: "folder", Kind: KindFolder, Path: pictureFolder(t, 64, 48, 6), FPS: 50}
		},
		endless: func(t *testing.T) Config {
			return Config{Name: "folder", Kind: KindFolder, Path: pictureFolder(t, 64, 48, 6), FPS: 50, Loop: true}
		},
		lost: func(t *testing.T) Config {
			return Config{Name: "folder", Kind: KindFolder, Path: t.TempDir()}
		},
	}.run(t)
}

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

func TestV4L2Conforms(t *testing.T) {
	t.Parallel()
	config := func(device string) func(*testing.T) Config {
		return func(*testing.T) Config {
			return Config{Name: "board", Kind: KindV4L2, Device: device, Width: 160, Height: 120, Format: "MJPG", AutoExposure: ExposePlate}
		}
	}
	driver := v4l2{
		check: func(path string) error {
			if path == "/dev/none" {
				return checkVideoDevice(path)
			}
			return nil
		},
		open: func(s streamSpec) (device, error) {
			frames := -1
			if s.uri == "/dev/ten" {
				frames = 10
			}
			return &board{frames, map[int]float64{}}, nil
		},
		controls: func(string) (controller, error) { return newPanel(), nil },
	}
	conformance{width: 160, height: 120, frames: 10, end: ErrStreamEnded,
		opens: func(ctx context.Context, c Config, b *blockedCalls) (Source, error) {
			if err := cmp.Or(c.Validate(), ctx.Err()); err != nil {
				return nil, err
			}
			return driver.source(ctx, c.WithDefaults(), b)
		},
		config: config("/dev/ten"), endless: config("/dev/endless"), lost: config("/dev/none")}.run(t)
}

func TestRTSPConforms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, transport string
		clip            func(*testing.T) *rtsptest.Clip
		setup           func(*rtsptest.Server)
	}{
		{"tcp", TransportTCP, h264Clip, func(*rtsptest.Server) {}},
		{"udp", TransportUDP, h264Clip, func(s *rtsptest.Server) { s.UDP = true }},
		{"H.265", TransportTCP, h265Clip, func(*rtsptest.Server) {}},
		{"RTSPS", TransportTCP, h264Clip, func(s *rtsptest.Server) { s.TLS = selfSigned() }},
	} {
		config := func(t *testing.T, o rtsptest.Options) Config {
			s := serveWith(t, "127.0.0.1:0", tt.setup, o, tt.clip(t))
			return Config{Name: "rtsp", Kind: KindRTSP, URL: s.URL("gate"), Transport: tt.transport}
		}
		t.Run(tt.name, conformance{width: 160, height: 120, frames: 25, end: ErrStreamEnded,
			config:  func(t *testing.T) Config { return config(t, rtsptest.Options{}) },
			endless: func(t *testing.T) Config { return config(t, rtsptest.Options{Loop: true}) },
			lost: func(t *testing.T) Config {
				c := config(t, rtsptest.Options{})
				c.URL += "/none"
				return c
			},
		}.run)
	}
}

func h264Clip(t *testing.T) *rtsptest.Clip { return annexB(t, 160, 120, 25, 25) }

func h265Clip(t *testing.T) *rtsptest.Clip { return annexB265(t, 160, 120, 25, 25) }

// selfSigned is a certificate as cameras have them.
func selfSigned() *tls.Config {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}
}
