package capture

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/rtsptest"
)

// running is a camera under Run and the lines it logs.
type running struct {
	*Camera
	ctx    context.Context
	cancel context.CancelFunc
	done   chan error
	log    *lines
}

type lines struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{} // a token after a line
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	signal(l.written)
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func start(t *testing.T, c Config, seams ...func(*Camera)) *running {
	t.Helper()
	return startFor(t, 2*time.Minute, c, seams...)
}

// patient is a camera that may take long where the test sets no bounds of its own: a
// busy machine takes many times as long as another.
func patient(c Config) Config {
	const patience = 20 * time.Second
	c.OpenTimeout, c.ReadTimeout = cmp.Or(c.OpenTimeout, patience), cmp.Or(c.ReadTimeout, patience)
	return c
}

// startFor runs a patient camera for so long at most.
func startFor(t *testing.T, bound time.Duration, c Config, seams ...func(*Camera)) *running {
	t.Helper()
	r := &running{done: make(chan error, 1), log: &lines{written: make(chan struct{}, 1)}}
	var err error
	if r.Camera, err = New(patient(c), slog.New(slog.NewTextHandler(r.log, nil))); err != nil {
		t.Fatal(err)
	}
	for _, f := range seams {
		f(r.Camera)
	}
	r.ctx, r.cancel = context.WithTimeout(t.Context(), bound)
	go func() { r.done <- r.Run(r.ctx) }()
	t.Cleanup(r.stop)
	return r
}

// stop is idempotent.
func (r *running) stop() {
	r.cancel()
	if err, ok := <-r.done; ok && err == nil {
		close(r.done)
	}
}

func (r *running) next(t *testing.T) *Frame {
	t.Helper()
	f, err := r.Next(r.ctx)
	if err != nil {
		t.Fatalf("no frame: %v; log:\n%s", err, r.log)
	}
	return f
}

// frames takes n frames and returns the last one's number.
func (r *running) frames(t *testing.T, n int) (seq uint64) {
	t.Helper()
	for range n {
		f := r.next(t)
		seq = f.Seq
		f.Close()
	}
	return seq
}

// The server is killed and comes back on the same port: the camera is back,
// numbers go on, and the log has one line per change.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	clip := capturetest.AnnexB(t, 160, 120, 25, 25)
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, clip)
	addr := s.Addr()
	r := start(t, Config{Name: "gate", Source: s.URL("gate")})
	before := r.frames(t, 3)
	s.Close()
	for !strings.Contains(r.log.String(), "offline") {
		select {
		case <-r.log.written:
		case <-r.ctx.Done():
			t.Fatal("the loss was not noticed")
		}
	}
	capturetest.Serve(t, addr, rtsptest.Options{Loop: true}, clip)
	begin := time.Now()
	after := r.frames(t, 3)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the camera was back after %v", took)
	}
	if after <= before {
		t.Errorf("frame %d follows frame %d", after, before)
	}
	st := r.Stats()
	if st.State != StateOnline || st.Losses != 1 || st.Opens < 2 || st.LastError == "" || st.Crashed != 0 || st.Hung != 0 {
		t.Errorf("stats %+v", st)
	}
	r.stop()
	if got := strings.Count(r.log.String(), "\n"); got != 4 { // online, offline, online, ended
		t.Errorf("%d log lines, want 4:\n%s", got, r.log)
	}
}

// A reader that does nothing gets the newest frame, and what it missed is
// counted.
func TestNewestWins(t *testing.T) {
	t.Parallel()
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, capturetest.AnnexB(t, 160, 120, 50, 25))
	r := start(t, Config{Name: "gate", Source: s.URL("gate")})
	first := r.next(t)
	defer first.Close()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for r.Stats().Frames < first.Seq+20 {
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			t.Fatal("no more frames")
		}
	}
	f := r.next(t)
	defer f.Close()
	if f.Seq < first.Seq+20 {
		t.Errorf("frame %d came although there are %d", f.Seq, r.Stats().Frames)
	}
	if age := time.Since(f.Arrived); age > time.Second {
		t.Errorf("the newest frame is %v old", age)
	}
	if n := r.Stats().DropsByReason[dropNewer]; n < f.Seq-first.Seq-1 {
		t.Errorf("%d drops counted between the frames %d and %d", n, first.Seq, f.Seq)
	}
	if fps := r.Stats().FPS; fps < 5 { // on a busy machine they come in bursts: there is no upper bound
		t.Errorf("%g frames a second, and it plays 50", fps)
	}
	// A frame that is out is not written to.
	before := first.Image.Mean()
	r.frames(t, 10)
	if after := first.Image.Mean(); before != after {
		t.Error("a frame changed while its reader had it")
	}
}

// A camera that changes its size goes on in the new size, larger or smaller,
// although OpenCV does not notice.
func TestSizeChanges(t *testing.T) {
	t.Parallel()
	for name, clips := range map[string][]*rtsptest.Clip{
		"larger":  {capturetest.AnnexB(t, 160, 120, 25, 10), capturetest.AnnexB(t, 320, 240, 25, 150)},
		"smaller": {capturetest.AnnexB(t, 320, 240, 25, 10), capturetest.AnnexB(t, 160, 120, 25, 150)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Live: true}, clips...)
			r := start(t, Config{Name: "gate", Source: s.URL("gate")})
			first := r.next(t)
			width := first.Image.Cols()
			first.Close()
			for {
				f := r.next(t)
				now := f.Image.Cols()
				f.Close()
				if now != width {
					if now != clips[1].Width {
						t.Errorf("the picture became %d wide, want %d", now, clips[1].Width)
					}
					return
				}
			}
		})
	}
}
