package capture

import (
	"testing"
	"time"
)

func TestFreshness(t *testing.T) {
	const frame = 40 * time.Millisecond
	begin := time.Now()
	type step struct {
		arrives  time.Duration // since the begin
		position time.Duration
		stale    bool
	}
	steady := func(from, to time.Duration) (out []step) {
		for at := from; at < to; at += frame {
			out = append(out, step{at, at, false})
		}
		return out
	}
	tests := map[string][]step{
		"steady": steady(0, time.Minute),
		"frames held back over a pause": append(steady(0, 3*time.Second),
			step{5500 * time.Millisecond, 3 * time.Second, true},
			step{5500 * time.Millisecond, 3*time.Second + frame, true},
			step{5510 * time.Millisecond, 5500 * time.Millisecond, false}),
		"a burst at the start": {
			{0, 0, false}, {1, frame, false}, {2, 2 * frame, false}, {3 * frame, 3 * frame, false}},
		"unknown positions": {{0, -1, false}, {10 * time.Second, -1, false}},
		"jitter below a second": append(steady(0, 2*time.Second),
			step{2900 * time.Millisecond, 2 * time.Second, false}),
		"held back after minutes": append(steady(0, 3*time.Minute),
			step{3*time.Minute + 2*time.Second, 3 * time.Minute, true}),
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var f freshness
			for i, s := range steps {
				if got := f.stale(begin.Add(s.arrives), s.position); got != s.stale {
					t.Fatalf("frame %d at %v with position %v: stale is %v", i, s.arrives, s.position, got)
				}
			}
		})
	}
}

// TestFreshnessBelievesANewTimeline: a camera that sets its clock back must not
// be lost.
func TestFreshnessBelievesANewTimeline(t *testing.T) {
	var f freshness
	begin := time.Now()
	at := func(i int) time.Time { return begin.Add(time.Duration(i) * 40 * time.Millisecond) }
	for i := range 100 {
		f.stale(at(i), 2*time.Hour+time.Duration(i)*40*time.Millisecond)
	}
	lost := 0
	for i := 100; i < 300; i++ {
		if f.stale(at(i), time.Hour+time.Duration(i)*40*time.Millisecond) {
			lost++
		}
	}
	if lost != staleAtMost {
		t.Errorf("%d frames of the new timeline were lost, want %d", lost, staleAtMost)
	}
}
