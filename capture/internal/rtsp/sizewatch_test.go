package rtsp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
)

// scene gives pictures of one size, 25 a second, whose last row is new as
// long as moving is set.
type scene struct {
	moving bool
	n      uint8
}

func (s *scene) Read(m *gocv.Mat) (time.Duration, error) {
	time.Sleep(40 * time.Millisecond)
	if m.Empty() {
		m.Close()
		*m = gocv.NewMatWithSize(48, 64, gocv.MatTypeCV8UC3)
	}
	if s.moving {
		s.n++
	}
	m.SetUCharAt(47, 5, s.n)
	return -1, nil
}

func (*scene) Close() error { return nil }

// When the camera is asked, and what comes of its answers.
func TestSizeWatch(t *testing.T) {
	for _, tt := range []struct {
		name    string
		moving  bool
		size    [2]int
		err     error
		asked   int           // within five minutes
		resized time.Duration // when the source is given up, 0: never
	}{
		{name: "still", size: [2]int{64, 48}, asked: 10},
		{name: "moving", moving: true, size: [2]int{64, 48}, asked: 2},
		{name: "still and resized", size: [2]int{128, 48}, asked: 1, resized: rowStill},
		{name: "moving and narrower", moving: true, size: [2]int{48, 48}, asked: 1, resized: askAlways},
		{name: "no answer", err: errors.New("busy"), asked: 10},
		{name: "no size in the answer", asked: 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				w := watchSize(t.Context(), &scene{moving: tt.moving}, "x", func(context.Context) (int, int, error) {
					asked++
					return tt.size[0], tt.size[1], tt.err
				})
				m := gocv.NewMat()
				defer m.Close()
				begin := time.Now()
				for time.Since(begin) < 5*time.Minute {
					_, err := w.Read(&m)
					synctest.Wait()
					if err == nil {
						continue
					}
					took := time.Since(begin)
					if !errors.Is(err, fault.ErrResized) || tt.resized == 0 || took < tt.resized || took > tt.resized+time.Second {
						t.Errorf("given up after %v with %v, want %v", took, err, tt.resized)
					}
					break
				}
				w.Close()
				if asked != tt.asked {
					t.Errorf("asked %d times, want %d", asked, tt.asked)
				}
			})
		})
	}
}
