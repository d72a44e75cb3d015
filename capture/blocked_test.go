package capture

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"gocv.io/x/gocv"
)

// stuck is a device whose calls block until released: what a driver bug looks
// like from above.
type stuck struct {
	reading chan struct{} // a token per Read that has begun
	release chan struct{} // closed: calls come back
	closed  chan struct{}
	frames  int // that come without blocking first
	misses  []bool
}

func newStuck(frames int) *stuck {
	return &stuck{reading: make(chan struct{}, 100), release: make(chan struct{}), closed: make(chan struct{}), frames: frames}
}

func (s *stuck) Read(m *gocv.Mat) (bool, error) {
	if len(s.misses) > 0 {
		ok := s.misses[0]
		s.misses = s.misses[1:]
		if !ok {
			return false, errors.New("zero-length buffer")
		}
		s.frames++
	}
	if s.frames > 0 {
		s.frames--
		m.Close()
		*m = gocv.NewMatWithSize(48, 64, gocv.MatTypeCV8UC3)
		return true, nil
	}
	s.reading <- struct{}{}
	<-s.release
	m.Close() // the buffer is still the device's
	*m = gocv.NewMat()
	return false, nil
}

func (s *stuck) Get(int) float64       { return math.NaN() }
func (s *stuck) Set(int, float64) bool { return true }
func (s *stuck) Close()                { close(s.closed) }

func (s *stuck) open(ctx context.Context, b *blockedCalls, misses int) (*stream, error) {
	return openStream(ctx, streamSpec{where: "stuck", openBound: time.Second, readBound: time.Second, end: io.EOF, misses: misses},
		func(streamSpec) (device, error) { return s, nil }, b)
}

// A read that does not come back is given up, counted, and cleaned up after
// when it does come back.
func TestBlockedReadIsAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b blockedCalls
		dev := newStuck(1)
		src, err := dev.open(t.Context(), &b, 1)
		if err != nil {
			t.Fatal(err)
		}
		m := gocv.NewMat()
		defer m.Close()
		if _, err := src.Read(&m); err != nil || m.Cols() != 64 {
			t.Fatalf("first frame: %d wide, %v", m.Cols(), err)
		}
		begin := time.Now()
		_, err = src.Read(&m)
		if !errors.Is(err, ErrBlocked) || time.Since(begin) != time.Second+callOverrun {
			t.Errorf("blocked read: %v after %v", err, time.Since(begin))
		}
		if b.out.Load() != 1 || b.total.Load() != 1 {
			t.Errorf("%d of %d calls out, want 1 of 1", b.out.Load(), b.total.Load())
		}
		if _, err := src.Read(&m); !errors.Is(err, ErrClosed) {
			t.Errorf("a read after that: %v", err)
		}
		src.Close()
		close(dev.release)
		<-dev.closed
		synctest.Wait()
		if b.out.Load() != 0 || b.total.Load() != 1 {
			t.Errorf("%d of %d calls out after it came back, want 0 of 1", b.out.Load(), b.total.Load())
		}
	})
}

// A camera whose library hangs stops within its bound, and does not collect
// hanging calls without end.
func TestBlockedCamera(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, err := New(Config{Name: "x", Kind: KindV4L2, Device: "/dev/video0", ReadTimeout: time.Second}, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		opens := 0
		c.open = func(ctx context.Context, _ Config, b *blockedCalls) (Source, error) {
			dev := newStuck(0)
			dev.release = release
			s, err := dev.open(ctx, b, 1)
			if err != nil {
				return nil, err
			}
			opens++
			return s, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		time.Sleep(5 * time.Minute) // the bubble's clock
		synctest.Wait()
		if opens != maxBlockedCalls {
			t.Errorf("%d captures were opened while their calls hung, want %d", opens, maxBlockedCalls)
		}
		if s := c.Stats(); s.State != StateOffline || s.Blocked != maxBlockedCalls || s.LastError == "" {
			t.Errorf("stats %+v", s)
		}
		begin := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(begin) > 2500*time.Millisecond {
			t.Errorf("Run returned %v after %v", err, time.Since(begin))
		}
		close(release)
		synctest.Wait()
		if s := c.Stats(); s.Blocked != 0 || s.Abandoned != maxBlockedCalls {
			t.Errorf("after they came back: %+v", s)
		}
	})
}

// Cancelled in the middle of a read that hangs, Run still returns in time.
func TestCancelDuringBlockedRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dev := newStuck(0)
		c, err := New(Config{Name: "x", Kind: KindV4L2, Device: "/dev/video0", ReadTimeout: 30 * time.Second}, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		c.open = func(ctx context.Context, _ Config, b *blockedCalls) (Source, error) { return dev.open(ctx, b, 1) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		<-dev.reading
		begin := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(begin) > 2500*time.Millisecond {
			t.Errorf("Run returned %v after %v", err, time.Since(begin))
		}
		close(dev.release)
		<-dev.closed
	})
}

// One read without a frame, or one exception, is not a lost camera; two in a
// row are.
func TestSingleMisses(t *testing.T) {
	var b blockedCalls
	dev := newStuck(0)
	dev.misses = []bool{true, false, true, false, true, false, false}
	src, err := dev.open(t.Context(), &b, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	m := gocv.NewMat()
	defer m.Close()
	for i := range 3 {
		if _, err := src.Read(&m); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
	if _, err := src.Read(&m); err == nil {
		t.Error("two misses in a row are no error")
	}
}

// Retries double with jitter up to their bound, and start anew after a steady
// time.
func TestBackoff(t *testing.T) {
	var b backoff
	want := firstRetry
	for range 20 {
		if d := b.after(0); d < want/2 || d > want {
			t.Errorf("waited %v, want %v to %v", d, want/2, want)
		}
		want = min(2*want, lastRetry)
	}
	if d := b.after(time.Minute); d != minRetry {
		t.Errorf("after a slow attempt %v, want %v", d, minRetry)
	}
	b.reset()
	if d := b.after(0); d > firstRetry {
		t.Errorf("after the reset %v", d)
	}
}

// One open at a time, each with its own options; who waits too long is told,
// and an open that nobody waits for any more keeps its turn until it is over.
func TestDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var values []string
		d := newDoor(func(v string) error { values = append(values, v); return nil })
		enter := func(options string) func() {
			leave, err := d.enter(t.Context(), time.Minute, options)
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		leave := enter("a")
		begin := time.Now()
		if _, err := d.enter(t.Context(), time.Second, "a"); !errors.Is(err, ErrBlocked) || time.Since(begin) != time.Second {
			t.Errorf("the second got %v after %v", err, time.Since(begin))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.enter(ctx, time.Minute, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		go func() { time.Sleep(3 * time.Second); leave() }()
		begin = time.Now()
		leave2 := enter("a")
		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("the next waited %v", waited)
		}
		leave2()
		enter("b")()
		if len(values) != 2 {
			t.Errorf("the variable was written %v", values)
		}
	})
}
