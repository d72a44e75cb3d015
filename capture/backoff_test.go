package capture

import (
	"testing"
	"time"
)

// Retries double with jitter up to their bound, and start anew after a steady
// time.
func TestBackoff(t *testing.T) {
	var b backoff
	want := firstRetry
	for range 20 {
		if d := b.after(0); d < want/2 || d > want {
			t.Errorf("waited %v, want %v to %v", d, want/2, want)
		}
		want = min(2*want, lastRetry)
	}
	if d := b.after(time.Minute); d != minRetry {
		t.Errorf("after a slow attempt %v, want %v", d, minRetry)
	}
	b.reset()
	if d := b.after(0); d > firstRetry {
		t.Errorf("after the reset %v", d)
	}
}
