package link

import (
	"math/rand/v2"
	"time"
)

const (
	firstBackoff = 250 * time.Millisecond
	// MaxBackoff bounds the wait between two attempts to connect.
	MaxBackoff = 60 * time.Second
	// GoodSession is how long a connection must last for the waits to be short
	// again.
	GoodSession = 10 * time.Second
)

// Backoff doubles the wait from attempt to attempt up to max, each between
// half and the whole of it at random, so that a fleet does not reconnect at the
// same moment after its broker was down.
type Backoff struct {
	Max      time.Duration
	Attempts int
}

// Next is the wait before the next attempt.
func (b *Backoff) Next() time.Duration {
	d := b.Max
	if b.Attempts < 16 { // 250 ms shifted by more is over any max
		d = min(firstBackoff<<b.Attempts, b.Max)
	}
	b.Attempts++
	return d/2 + rand.N(d/2+1)
}

// Reset makes the next wait short again.
func (b *Backoff) Reset() { b.Attempts = 0 }
