package capture

import (
	"errors"
	"math/rand/v2"
	"time"

	"platewatch/capture/fault"
)

const (
	firstRetry = 250 * time.Millisecond
	// lastRetry is the longest time from one attempt to the next. With the time
	// that an opening may take by default, a camera is then online within 10 s of
	// its return.
	lastRetry = 4 * time.Second
	// lastDecoderRetry is the same after a decoder was lost in the middle of its work.
	// The camera is there and need not be spared; the bound keeps one that crashes each
	// decoder from costing more than the starts, 0.3 s of a processor each. A decoder
	// that is lost again and again is back within this interval, the time that opening
	// takes, and the camera's next keyframe: 4 s with one each second.
	lastDecoderRetry = 2500 * time.Millisecond
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

// after returns how long to wait when the last attempt took elapsed and ended with err.
func (b *backoff) after(elapsed time.Duration, err error) time.Duration {
	longest := lastRetry
	if errors.Is(err, fault.ErrDecoder) || errors.Is(err, fault.ErrBlocked) {
		longest = lastDecoderRetry
	}
	b.interval = min(max(2*b.interval, firstRetry), longest)
	jittered := b.interval/2 + rand.N(b.interval/2+1)
	return max(jittered-elapsed, minRetry)
}

func (b *backoff) reset() { b.interval = 0 }
