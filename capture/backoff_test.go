package capture

import (
	"fmt"
	"io"
	"testing"
	"time"

	"platewatch/capture/fault"
)

// The retry delay doubles, with jitter, up to its bound, which is shorter after a
// decoder was lost; a steady stream resets it.
func TestBackoff(t *testing.T) {
	for _, tt := range []struct {
		err  error
		last time.Duration
	}{
		{io.EOF, lastRetry},
		{fmt.Errorf("%w: exit status 2", fault.ErrDecoder), lastDecoderRetry},
		{fmt.Errorf("%w (2s), and was killed", fault.ErrBlocked), lastDecoderRetry},
	} {
		var b backoff
		want := firstRetry
		for range 20 {
			if d := b.after(0, tt.err); d < want/2 || d > want {
				t.Errorf("after %v it waited %v, want %v to %v", tt.err, d, want/2, want)
			}
			want = min(2*want, tt.last)
		}
		if d := b.after(time.Minute, tt.err); d != minRetry {
			t.Errorf("after a slow attempt %v, want %v", d, minRetry)
		}
		b.reset()
		if d := b.after(0, tt.err); d > firstRetry {
			t.Errorf("after the reset %v", d)
		}
	}
}
