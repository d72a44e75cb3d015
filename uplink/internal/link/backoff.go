package link

import (
	"math/rand/v2"
	"time"
)

const firstBackoff = 250 * time.Millisecond

const MaxBackoff = 60 * time.Second

// A connection that lasted this long was a good one: the next attempt
// starts with short waits again.
const GoodSession = 10 * time.Second

// Backoff doubles the wait from attempt to attempt up to max, each between
// half and the whole of it at random, so that a fleet does not come back in
// step after its broker was away.
type Backoff struct {
	Max      time.Duration
	Attempts int
}

func (b *Backoff) Next() time.Duration {
	d := b.Max
	if b.Attempts < 16 { // 250 ms shifted by more is over any max
		d = min(firstBackoff<<b.Attempts, b.Max)
	}
	b.Attempts++
	return d/2 + rand.N(d/2+1)
}

func (b *Backoff) Reset() { b.Attempts = 0 }
