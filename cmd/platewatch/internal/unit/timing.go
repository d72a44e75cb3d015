package unit

import (
	"slices"
	"time"

	"platewatch/cmd/platewatch/internal/status"
)

// timing holds the durations of the latest looks.
type timing struct {
	ring  [512]time.Duration
	n     int // used slots of the ring
	next  int
	total time.Duration
	all   status.Histogram
}

func (t *timing) add(d time.Duration) {
	t.ring[t.next] = d
	t.next = (t.next + 1) % len(t.ring)
	t.n = min(t.n+1, len(t.ring))
	t.total += d
	if t.all.Counts == nil {
		t.all = status.NewHistogram(status.LookBounds)
	}
	t.all.Add(d.Seconds())
}

// quantile is the q-quantile (q in 0–1) of the latest looks; 0 without any.
func (t *timing) quantile(q float64) time.Duration {
	if t.n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.ring[:t.n]))
	return sorted[min(t.n-1, int(q*float64(t.n)))]
}
