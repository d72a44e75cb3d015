package capture

import (
	"math/rand/v2"
	"time"
)

const (
	firstRetry = 250 * time.Millisecond
	// lastRetry is the longest time from one attempt to the next. With an
	// opening that has to wait for those of two other cameras, a camera is back
	// within 10 s of coming back.
	lastRetry = 4 * time.Second
	// minRetry is waited even when the attempt took longer than the interval.
	minRetry = 100 * time.Millisecond
	// steadyAfter is how long a camera must have given frames before its next
	// loss counts as the first again.
	steadyAfter = 10 * time.Second
)

// backoff spaces attempts: doubling from firstRetry to lastRetry, with jitter
// so that the cameras of one switch do not all come at once.
type backoff struct {
	interval time.Duration
}

// after returns how long to wait when the last attempt took elapsed.
func (b *backoff) after(elapsed time.Duration) time.Duration {
	b.interval = min(max(2*b.interval, firstRetry), lastRetry)
	jittered := b.interval/2 + rand.N(b.interval/2+1)
	return max(jittered-elapsed, minRetry)
}

func (b *backoff) reset() { b.interval = 0 }
