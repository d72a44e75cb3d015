package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/process"
	"platewatch/capture/rtsptest"
)

// TestFieldLyingStamps: a camera that sends 21 or 12.5 frames a second and stamps them
// as 25 loses none for it (a minute in make field, 10 s otherwise).
func TestFieldLyingStamps(t *testing.T) {
	t.Parallel()
	length := 10 * time.Second
	if os.Getenv("PLATEWATCH_FIELD") != "" {
		length = time.Minute
	}
	for name, fps := range map[string]float64{"21 as 25": 21, "12.5 as 25": 12.5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true, FPS: fps, Stamped: 25}, capturetest.AnnexB(t, 160, 120, 25, 25))
			r := startFor(t, length+2*time.Minute, Config{Name: "gate", Source: s.URL("gate")})
			r.next(t).Close()
			for begin := time.Now(); time.Since(begin) < length; {
				r.next(t).Close()
			}
			st := r.Stats()
			stale := st.DropsByReason[dropStale]
			// On a machine that pauses for a second frames really are late.
			if float64(stale) > LostWarning*float64(st.Frames) || st.Lost > LostWarning {
				t.Errorf("%d of %d frames were dropped as stale", stale, st.Frames)
			}
			t.Attr("outcome", fmt.Sprintf("%s: %d of %d frames dropped", name, stale, st.Frames))
		})
	}
}

// stalling is a live source whose link stalls for 2 s each 10 s, and then delivers
// what it held back.
type stalling struct {
	ctx   context.Context
	frame int
	begin time.Time
}

func (s *stalling) Read(m *gocv.Mat) (time.Duration, error) {
	position := time.Duration(s.frame) * 40 * time.Millisecond
	due := position
	if in := position % (10 * time.Second); position > 10*time.Second && in < 2*time.Second {
		due = position - in + 2*time.Second
	}
	s.frame++
	time.Sleep(time.Until(s.begin.Add(due))) // the bubble's clock
	if err := s.ctx.Err(); err != nil {
		return -1, err
	}
	m.Close()
	*m = gocv.NewMatWithSize(48, 64, gocv.MatTypeCV8UC3)
	return position, nil
}

func (s *stalling) Close() error { return nil }

// TestFieldStallingLink: a link that holds frames back loses them, and the camera says
// so once, in the log and in its state, until it is better.
func TestFieldStallingLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lines{written: make(chan struct{}, 1)}
		c, err := New(Config{Name: "x", Source: "rtsp://192.0.2.1/x"}, slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		c.open = func(ctx context.Context, _ Config, _ *process.Tally) (Source, error) {
			return &stalling{ctx: ctx, begin: time.Now()}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		for {
			f, err := c.Next(ctx)
			if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "frames are lost"); n != 1 {
			t.Errorf("%d warnings:\n%s", n, log)
		}
		s := c.record.snapshot()
		if s.Lost < 0.09 || s.Lost > 0.11 {
			t.Errorf("the share is %g, and a second of each ten is lost", s.Lost)
		}
		t.Attr("outcome", fmt.Sprintf("%d of %d frames dropped as stale, warned once", s.DropsByReason[dropStale], s.Frames))
		time.Sleep(2 * time.Minute)
		if s := c.record.snapshot(); s.Lost != 0 {
			t.Errorf("the share is %g two minutes later", s.Lost)
		}
	})
}
