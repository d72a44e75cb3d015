// Package sourcetest is the conformance suite that every kind of camera must pass.
// The test of each kind runs it: see [Suite].
package sourcetest

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/process"
	"platewatch/capture/source"
)

// Suite is the conformance suite of a [source.Source].
type Suite struct {
	Kind                  source.Kind
	Width, Height, Frames int
	Config                func(t *testing.T) source.Config // Frames pictures at the pace of the kind
	Endless               func(t *testing.T) source.Config // the same without an end
	Lost                  func(t *testing.T) source.Config // nothing can be opened there
	End                   error                            // after the last frame
}

// Run runs the suite.
func (s Suite) Run(t *testing.T) {
	t.Run("every frame", s.everyFrame)
	t.Run("cancelled", s.cancelled)
	t.Run("closed twice", s.closedTwice)
	t.Run("not there", s.notThere)
}

// patience is how long a camera may take where a shorter bound is not what is tested:
// a busy machine takes many times as long as another.
const patience = 20 * time.Second

// Open opens a camera as capture.Open does, with patience.
func Open(ctx context.Context, k source.Kind, c source.Config) (source.Source, error) {
	if k.Problems != nil {
		for key, err := range k.Problems(c) {
			return nil, fault.Configf(c.Where(), "", "%s %w", key, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.OpenTimeout = cmp.Or(c.OpenTimeout, patience)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, patience)
	if k.Defaults != nil {
		k.Defaults(&c)
	}
	return k.Open(ctx, c, new(process.Tally))
}

// Opened opens a camera that is there, and closes it with the test.
func Opened(t *testing.T, ctx context.Context, k source.Kind, c source.Config) source.Source {
	t.Helper()
	src, err := Open(ctx, k, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func (s Suite) everyFrame(t *testing.T) {
	src := Opened(t, t.Context(), s.Kind, s.Config(t))
	m := gocv.NewMat()
	defer m.Close()
	last := time.Duration(-1)
	for i := range s.Frames {
		position, err := src.Read(&m)
		if err != nil {
			t.Fatalf("frame %d of %d: %v", i, s.Frames, err)
		}
		if m.Cols() != s.Width || m.Rows() != s.Height || m.Type() != gocv.MatTypeCV8UC3 {
			t.Fatalf("frame %d is %d x %d of type %v", i, m.Cols(), m.Rows(), m.Type())
		}
		if position < last && position != -1 {
			t.Errorf("frame %d is at %v, the one before at %v", i, position, last)
		}
		last = position
	}
	for range 2 {
		if _, err := src.Read(&m); !errors.Is(err, s.End) {
			t.Fatalf("after the last frame: %v, want %v", err, s.End)
		}
	}
}

func (s Suite) cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	src := Opened(t, ctx, s.Kind, s.Endless(t))
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
}

func (s Suite) closedTwice(t *testing.T) {
	src := Opened(t, t.Context(), s.Kind, s.Config(t))
	for range 2 {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
	m := gocv.NewMat()
	defer m.Close()
	if _, err := src.Read(&m); !errors.Is(err, fault.ErrClosed) {
		t.Errorf("reading a closed source: %v", err)
	}
}

func (s Suite) notThere(t *testing.T) {
	_, err := Open(t.Context(), s.Kind, s.Lost(t))
	var e *fault.Error
	if !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("error %v has no hint", err)
	}
}

// WantLarge checks the refusal of a picture that is too large for a stream.
func WantLarge(t *testing.T, err error) {
	t.Helper()
	var e *fault.Error
	if !errors.Is(err, fault.ErrFrame) && !errors.Is(err, fault.ErrTooLarge) || !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("the error is %v, want one that says that the picture is too large, with a hint", err)
	}
}
