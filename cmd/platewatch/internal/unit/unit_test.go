package unit

import (
	"fmt"
	"testing"
	"time"

	"platewatch/capture"
	"platewatch/uplink/message"
)

// TestTimeline: the tracker's time never goes back, whatever the camera does.
func TestTimeline(t *testing.T) {
	start := time.Now()
	frame := func(arrives, position time.Duration) *capture.Frame {
		return &capture.Frame{Arrived: start.Add(arrives), Position: position}
	}
	t.Run("live: arrival counts", func(t *testing.T) {
		var l timeline
		for i, step := range []struct{ arrives, position, want time.Duration }{
			{0, 0, 0}, {time.Second, 40, time.Second}, {2 * time.Second, -1, 2 * time.Second}, {1900 * time.Millisecond, 0, 2 * time.Second}} {
			if got := l.of(frame(step.arrives, step.position)); got != step.want {
				t.Errorf("frame %d is at %v, want %v", i, got, step.want)
			}
		}
	})
	t.Run("recorded: the recording's own time counts", func(t *testing.T) {
		l := timeline{recorded: true}
		for i, step := range []struct{ position, want time.Duration }{
			{0, 0}, {time.Second, time.Second}, {2 * time.Second, 2 * time.Second},
			{0, 12 * time.Second}, {time.Second, 13 * time.Second}} { // it began again
			if got := l.of(frame(time.Duration(i), step.position)); got != step.want {
				t.Errorf("frame %d is at %v, want %v", i, got, step.want)
			}
		}
		if got := l.idle(); got != 13*time.Second {
			t.Errorf("while nothing comes it is %v", got)
		}
	})
}

func TestTiming(t *testing.T) {
	var n timing
	if got := n.quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	for i := range 2000 {
		n.add(time.Duration(i) * time.Millisecond)
	}
	// Only the latest count: 1488 to 1999.
	if got := n.quantile(0.5); got != 1744*time.Millisecond {
		t.Errorf("the median is %v", got)
	}
}

func TestRecentHits(t *testing.T) {
	var r recentHits
	for i := range maxRecent + 5 {
		r.put(fmt.Sprintf("u-%d", i), message.Hit{Text: "A"})
	}
	r.put("u-24", message.Hit{Text: "B"}) // a revision
	got := r.latest()
	if len(got) != maxRecent || got[0].id != "u-24" || got[0].hit.Text != "B" || got[maxRecent-1].id != "u-5" {
		t.Errorf("%d hits, first %s %s, last %s", len(got), got[0].id, got[0].hit.Text, got[len(got)-1].id)
	}
}
