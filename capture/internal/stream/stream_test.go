package stream

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/worker"
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

func (s *stuck) open(ctx context.Context, a *worker.Abandoned, misses int) (*Stream, error) {
	return Open(ctx, Spec{Where: "stuck", OpenBound: time.Second, ReadBound: time.Second, End: io.EOF, Misses: misses},
		func(Spec) (Device, error) { return s, nil }, a)
}

// overrun is how much longer than its bound a call may take: see worker.Do.
const overrun = time.Second

// A read that does not come back is given up, counted, and cleaned up after
// when it does come back.
func TestBlockedReadIsAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a worker.Abandoned
		dev := newStuck(1)
		src, err := dev.open(t.Context(), &a, 1)
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
		if !errors.Is(err, fault.ErrBlocked) || time.Since(begin) != time.Second+overrun {
			t.Errorf("blocked read: %v after %v", err, time.Since(begin))
		}
		if a.Blocked() != 1 || a.Total() != 1 {
			t.Errorf("%d of %d calls out, want 1 of 1", a.Blocked(), a.Total())
		}
		if _, err := src.Read(&m); !errors.Is(err, fault.ErrClosed) {
			t.Errorf("a read after that: %v", err)
		}
		src.Close()
		close(dev.release)
		<-dev.closed
		synctest.Wait()
		if a.Blocked() != 0 || a.Total() != 1 {
			t.Errorf("%d of %d calls out after it came back, want 0 of 1", a.Blocked(), a.Total())
		}
	})
}

// One read without a frame, or one exception, is not a lost camera; two in a
// row are.
func TestSingleMisses(t *testing.T) {
	var a worker.Abandoned
	dev := newStuck(0)
	dev.misses = []bool{true, false, true, false, true, false, false}
	src, err := dev.open(t.Context(), &a, 2)
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

// One open at a time, each with its own options; who waits too long is told,
// and an open that nobody waits for any more keeps its turn until it is over.
func TestOpenLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var values []string
		l := newOpenLock(func(v string) error { values = append(values, v); return nil })
		acquire := func(options string) func() {
			release, err := l.acquire(t.Context(), time.Minute, options)
			if err != nil {
				t.Fatal(err)
			}
			return release
		}
		release := acquire("a")
		begin := time.Now()
		if _, err := l.acquire(t.Context(), time.Second, "a"); !errors.Is(err, fault.ErrBlocked) || time.Since(begin) != time.Second {
			t.Errorf("the second got %v after %v", err, time.Since(begin))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.acquire(ctx, time.Minute, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		go func() { time.Sleep(3 * time.Second); release() }()
		begin = time.Now()
		release2 := acquire("a")
		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("the next waited %v", waited)
		}
		release2()
		acquire("b")()
		if len(values) != 2 {
			t.Errorf("the variable was written %v", values)
		}
	})
}
