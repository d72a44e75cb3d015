package capture

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestFreshness(t *testing.T) {
	const frame = 40 * time.Millisecond
	begin := time.Now()
	type step struct {
		arrives  time.Duration // since the start
		position time.Duration
		stale    bool
	}
	steady := func(from, to time.Duration) (out []step) {
		for at := from; at < to; at += frame {
			out = append(out, step{at, at, false})
		}
		return out
	}
	// lying is a camera whose time stamps claim 25 frames a second, whatever it
	// sends.
	lying := func(to, gap time.Duration) (out []step) {
		for i := time.Duration(0); i*gap < to; i++ {
			out = append(out, step{i * gap, i * frame, false})
		}
		return out
	}
	tests := map[string][]step{
		"steady": steady(0, time.Minute),
		"frames held back over a pause": append(steady(0, 3*time.Second),
			step{5500 * time.Millisecond, 3 * time.Second, true},
			step{5500 * time.Millisecond, 3*time.Second + frame, true},
			step{5510 * time.Millisecond, 5500 * time.Millisecond, false}),
		"a link that catches up at twice the pace": append(steady(0, 3*time.Second),
			step{5000 * time.Millisecond, 3 * time.Second, true},
			step{5020 * time.Millisecond, 3*time.Second + frame, true},
			step{5040 * time.Millisecond, 3*time.Second + 2*frame, true},
			step{5060 * time.Millisecond, 4*time.Second + 100*time.Millisecond, false}),
		"a pause that the stamps do not show": append(steady(0, 3*time.Second),
			step{5500 * time.Millisecond, 3 * time.Second, true}, // it looks like a frame that was held back
			step{5540 * time.Millisecond, 3*time.Second + frame, false},
			step{5580 * time.Millisecond, 3*time.Second + 2*frame, false}),
		"a burst at the start": {
			{0, 0, false}, {1, frame, false}, {2, 2 * frame, false}, {3 * frame, 3 * frame, false}},
		"unknown positions": {{0, -1, false}, {10 * time.Second, -1, false}},
		"jitter below a second": append(steady(0, 2*time.Second),
			step{2900 * time.Millisecond, 2 * time.Second, false}),
		"held back after minutes": append(steady(0, 3*time.Minute),
			step{3*time.Minute + 2*time.Second, 3 * time.Minute, true}),
		"21 stamped as 25":   lying(10*time.Minute, time.Second/21),
		"12.5 stamped as 25": lying(10*time.Minute, time.Second/12),
		"30 stamped as 25":   lying(10*time.Minute, time.Second/30),
		"0.5 stamped as 25":  lying(10*time.Minute, 2*time.Second),
		"21 stamped as 25, and held back": append(lying(time.Minute, time.Second/21),
			step{time.Minute + 3*time.Second, 1260 * frame, true},
			step{time.Minute + 3*time.Second, 1261 * frame, true},
			step{time.Minute + 3*time.Second, (1260 + 64) * frame, false}),
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

// Stamps alone make nothing stale: not a clock that is set back or forward, not one
// that stands still, and none that shows any time.
func TestStampsProveNothing(t *testing.T) {
	const frame = 40 * time.Millisecond
	random := rand.New(rand.NewPCG(1, 2))
	for name, stamp := range map[string]func(i int) time.Duration{
		"set back": func(i int) time.Duration {
			return time.Duration(i)*frame + map[bool]time.Duration{true: 2 * time.Hour, false: time.Hour}[i < 100]
		},
		"set forth": func(i int) time.Duration {
			return time.Duration(i)*frame + map[bool]time.Duration{true: 0, false: 24 * 365 * time.Hour}[i < 100]
		},
		"stands still":                    func(int) time.Duration { return time.Hour },
		"stands still later":              func(i int) time.Duration { return time.Duration(min(i, 100)) * frame },
		"any":                             func(int) time.Duration { return time.Duration(random.Int64N(int64(time.Hour))) },
		"a second forth with each second": func(i int) time.Duration { return time.Duration(i)*frame + time.Duration(i/25)*time.Second },
	} {
		var f freshness
		begin := time.Now()
		for i := range 2000 {
			jitter := time.Duration(random.Int64N(int64(2 * frame)))
			if f.stale(begin.Add(time.Duration(i)*frame+jitter), stamp(i)) {
				t.Errorf("%s: frame %d is stale", name, i)
				break
			}
		}
	}
}
