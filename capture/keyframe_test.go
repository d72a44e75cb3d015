package capture

import (
	"os"
	"strings"
	"testing"
	"time"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/rtsptest"
)

// TestFieldLongKeyframeInterval: the unit waits on one connection for the next
// keyframe of a camera, and the camera's state says so (90 s in make field, 8 s
// otherwise).
func TestFieldLongKeyframeInterval(t *testing.T) {
	t.Parallel()
	interval, fps := 8*time.Second, 10
	if os.Getenv("PLATEWATCH_FIELD") != "" {
		interval = 90 * time.Second
	}
	frames := int(interval.Seconds() * float64(fps))
	clip, err := rtsptest.ParseAnnexB(capturetest.FFmpeg(t, 160, 120, fps, frames, "h264", "-g", "10000"))
	if err != nil {
		t.Fatal(err)
	}
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true, From: 2}, clip)
	r := startFor(t, interval+2*time.Minute, Config{Name: "gate", Source: s.URL("gate"), OpenTimeout: 6 * time.Second, ReadTimeout: 20 * time.Second})
	begin := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	waited := Stats{}
	for r.Stats().State != StateOnline && r.ctx.Err() == nil {
		if st := r.Stats(); st.State == StateWaiting {
			waited = st
		}
		<-tick.C
	}
	took := time.Since(begin)
	r.frames(t, 3)
	st := r.Stats()
	if st.Opens != 1 || st.Losses != 0 || st.Hint != "" {
		t.Errorf("opened %d times, lost %d times, hint %q; log:\n%s", st.Opens, st.Losses, st.Hint, r.log)
	}
	if waited.State != StateWaiting || !strings.Contains(waited.Hint, "keyframe") || waited.Since.Before(begin) {
		t.Errorf("while it was waited for, its state was %+v", waited)
	}
	t.Attr("outcome", "online after "+took.Round(100*time.Millisecond).String()+", opened once")
}
