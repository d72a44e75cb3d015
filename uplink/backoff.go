package uplink

import (
	"math/rand/v2"
	"time"
)

const firstBackoff = 250 * time.Millisecond

const maxBackoff = 60 * time.Second

// A connection that lasted this long was a good one: the next attempt
// starts with short waits again.
const goodSession = 10 * time.Second

// backoff doubles the wait from attempt to attempt up to max, each between
// half and the whole of it at random, so that a fleet does not come back in
// step after its broker was away.
type backoff struct {
	max      time.Duration
	attempts int
}

func (b *backoff) next() time.Duration {
	d := b.max
	if b.attempts < 16 { // 250 ms shifted by more is over any max
		d = min(firstBackoff<<b.attempts, b.max)
	}
	b.attempts++
	return d/2 + rand.N(d/2+1)
}

func (b *backoff) reset() { b.attempts = 0 }
