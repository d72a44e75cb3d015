package capture

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	now := time.Now()
	r := newRecorder(Config{})
	r.now = func() time.Time { return now }
	if fps := r.snapshot().FPS; fps != 0 {
		t.Errorf("%g before the first frame", fps)
	}
	for range 300 {
		now = now.Add(40 * time.Millisecond)
		r.frame(now, 1, 1)
	}
	if fps := r.snapshot().FPS; fps < 24.9 || fps > 25.1 {
		t.Errorf("%g frames a second, want 25", fps)
	}
	now = now.Add(2 * time.Second)
	if fps := r.snapshot().FPS; fps < 10 || fps > 20 {
		t.Errorf("%g after two seconds without a frame", fps)
	}
	now = now.Add(time.Minute)
	if fps := r.snapshot().FPS; fps != 0 {
		t.Errorf("%g after a minute without a frame", fps)
	}
}
