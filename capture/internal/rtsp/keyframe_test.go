package rtsp

import (
	"context"
	"errors"
	"testing"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/process"
	"platewatch/capture/source"
)

// A stream that sends no keyframe for minutes, nothing at all, or nothing that is a
// picture, is given up, and the error says which.
func TestNoKeyframe(t *testing.T) {
	for name, tt := range map[string]struct {
		heard, missed time.Duration // 0: never
		want          string
	}{
		"no keyframe": {3 * time.Minute, time.Second, "the camera sent no keyframe within 2m0s"},
		"silence":     {0, 0, "the camera begins the stream, and sends no packet within 5s"},
		"no picture":  {3 * time.Minute, 0, "the camera sends packets, and no picture in them"},
		"then silent": {time.Minute, time.Second, "the camera sent no picture in time (3s)"},
	} {
		s := &camera{c: source.Config{OpenTimeout: 5 * time.Second, ReadTimeout: 3 * time.Second}, tally: new(process.Tally),
			begin: time.Now().Add(-3 * time.Minute), begun: make(chan struct{}), ended: make(chan struct{})}
		s.ctx, s.stop = context.WithCancelCause(t.Context())
		s.heard.Store(int64(tt.heard))
		s.missed.Store(int64(tt.missed))
		err := s.keyframe(time.Now())
		var e *fault.Error
		if !errors.Is(err, fault.ErrTimeout) || !errors.As(err, &e) || e.Hint() == "" || err.Error() != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
