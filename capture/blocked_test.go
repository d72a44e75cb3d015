package capture

import (
	"context"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/stream"
	"platewatch/capture/internal/worker"
)

// stuck is a device whose calls block until released: what a driver bug looks
// like from above.
type stuck struct {
	reading chan struct{} // a token per Read that has begun
	release chan struct{} // closed: calls come back
	closed  chan struct{}
}

func newStuck() *stuck {
	return &stuck{reading: make(chan struct{}, 100), release: make(chan struct{}), closed: make(chan struct{})}
}

func (s *stuck) Read(m *gocv.Mat) (bool, error) {
	s.reading <- struct{}{}
	<-s.release
	m.Close() // the buffer is still the device's
	*m = gocv.NewMat()
	return false, nil
}

func (s *stuck) Get(int) float64       { return math.NaN() }
func (s *stuck) Set(int, float64) bool { return true }
func (s *stuck) Close()                { close(s.closed) }

func (s *stuck) open(ctx context.Context, a *worker.Abandoned) (*stream.Stream, error) {
	return stream.Open(ctx, stream.Spec{Where: "stuck", OpenBound: time.Second, ReadBound: time.Second, End: io.EOF, Misses: 1},
		func(stream.Spec) (stream.Device, error) { return s, nil }, a)
}

// maxBlocked is how many captures a camera can lose to calls that hang: see
// capture/README.md.
const maxBlocked = 3

// A camera whose library hangs stops within its bound, and does not collect
// hanging calls without end.
func TestBlockedCamera(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, err := New(Config{Name: "x", Source: "/dev/video0", ReadTimeout: time.Second}, capturetest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		opens := 0
		c.open = func(ctx context.Context, _ Config, a *worker.Abandoned) (Source, error) {
			dev := newStuck()
			dev.release = release
			s, err := dev.open(ctx, a)
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
		if opens != maxBlocked {
			t.Errorf("%d captures were opened while their calls hung, want %d", opens, maxBlocked)
		}
		if s := c.Stats(); s.State != StateOffline || s.Blocked != maxBlocked || s.LastError == "" {
			t.Errorf("stats %+v", s)
		}
		begin := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(begin) > 2500*time.Millisecond {
			t.Errorf("Run returned %v after %v", err, time.Since(begin))
		}
		close(release)
		synctest.Wait()
		if s := c.Stats(); s.Blocked != 0 || s.Abandoned != maxBlocked {
			t.Errorf("after they came back: %+v", s)
		}
	})
}

// Cancelled in the middle of a read that hangs, Run still returns in time.
func TestCancelDuringBlockedRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dev := newStuck()
		c, err := New(Config{Name: "x", Source: "/dev/video0", ReadTimeout: 30 * time.Second}, capturetest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		c.open = func(ctx context.Context, _ Config, a *worker.Abandoned) (Source, error) { return dev.open(ctx, a) }
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
