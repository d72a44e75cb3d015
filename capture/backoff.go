package capture

import (
	"math/rand/v2"
	"time"
)

const (
	firstRetry = 250 * time.Millisecond
	// lastRetry is the longest time from one attempt to the next. With the time
	// that an opening may take by default, a camera is then online within 10 s of
	// its return.
	lastRetry = 4 * time.Second
	// minRetry is the pause after an attempt that took longer than the interval.
	minRetry = 100 * time.Millisecond
	// steadyAfter is how long a camera must have sent frames before its next loss
	// starts the doubling anew.
	steadyAfter = 10 * time.Second
)

// backoff spaces retries: doubling from firstRetry to lastRetry, with jitter so
// that the cameras of one switch do not all connect at once.
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
