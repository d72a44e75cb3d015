package process

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/handover"
)

// A decoder that owes an answer hangs when it uses no processor time for the bound, or
// as much as the bound; in between it is starved.
func TestWatch(t *testing.T) {
	const bound, horizon, never = 2 * time.Second, time.Minute, time.Duration(0)
	for name, tt := range map[string]struct {
		used func(after time.Duration) time.Duration
		want time.Duration
	}{
		"stopped":                     {func(time.Duration) time.Duration { return 0 }, bound},
		"stopped at its work":         {func(after time.Duration) time.Duration { return min(after, 500*time.Millisecond) }, bound + 500*time.Millisecond},
		"stopped while it is starved": {func(after time.Duration) time.Duration { return min(after, 20*time.Second) / 20 }, 20*time.Second + bound},
		"waits and wakes a little":    {func(after time.Duration) time.Duration { return after / 200 }, bound},
		"loops":                       {func(after time.Duration) time.Duration { return after }, bound},
		"loops on four cores":         {func(after time.Duration) time.Duration { return 4 * after }, bound},
		"loops, and gets a tenth":     {func(after time.Duration) time.Duration { return after / 10 }, 10 * bound},
		"gets a fiftieth":             {func(after time.Duration) time.Duration { return after / 50 }, never},
		"gets something now and then": {func(after time.Duration) time.Duration { return after.Truncate(1500*time.Millisecond) / 50 }, never},
	} {
		// The decoder had a life before.
		begin := sample{time.Now(), time.Hour}
		w := &Watch{asked: begin, moved: begin}
		got := never
		for after := LookEach; after <= horizon && got == never; after += LookEach {
			if w.hangs(sample{begin.at.Add(after), begin.used + tt.used(after)}, bound) {
				got = after
			}
		}
		if got != tt.want {
			t.Errorf("%s: it hangs after %v, want %v (0: not within %v)", name, got, tt.want, horizon)
		}
	}
}

// costly is a JPEG of 4K that takes long to decode.
func costly(t *testing.T) []byte {
	t.Helper()
	return capturetest.FFmpeg(t, 3840, 2160, 5, 1, "mjpeg", "-vf", "noise=alls=100", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "1")
}

// decoder starts one that decodes pictures, and tells how much processor time a
// picture takes.
func decoder(t *testing.T, picture []byte) (p *Process, tally *Tally, cost time.Duration) {
	t.Helper()
	tally = new(Tally)
	p, err := Start(t.Context(), handover.StreamJob(handover.Pictures), false, "camera", tally)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	m := gocv.NewMat()
	defer m.Close()
	var before time.Duration
	for range 2 { // the first also takes what only the first one needs
		if before, err = p.ProcessorTime(); err == nil {
			err = p.Picture(t.Context(), time.Minute, time.Minute, picture, true, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	after, err := p.ProcessorTime()
	if err != nil {
		t.Fatal(err)
	}
	return p, tally, after - before
}

// A decoder that gets little of the processor answers late, and is not killed for it.
func TestStarvedDecoder(t *testing.T) {
	picture := costly(t)
	p, tally, cost := decoder(t, picture)
	const pause = 100 * time.Millisecond
	slice := cost * time.Duration(pause) / time.Duration(2*HangBound)
	m := gocv.NewMat()
	defer m.Close()
	for {
		end := capturetest.Starve(t, p.cmd.Process.Pid, slice, pause)
		begin := time.Now()
		err := p.Picture(t.Context(), HangBound, time.Minute, picture, true, &m)
		took := time.Since(begin)
		end()
		if err != nil || tally.Hung() != 0 {
			t.Fatalf("after %v with %v of the processor in turns with %v without: %v", took, slice, pause, err)
		}
		t.Logf("%v of processor time in turns of %v: it took %v", cost, slice, took)
		if took > HangBound+LookEach { // it was looked at when it was late
			return
		}
	}
}

// A decoder that is stopped, before its work or in it, is killed for that long before
// the caller's own bound.
func TestStoppedDecoder(t *testing.T) {
	picture := costly(t)
	for name, stop := range map[string]func(pid int, cost time.Duration) (end func()){
		"before its work": func(pid int, _ time.Duration) func() {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Error(err)
			}
			return func() {}
		},
		"in its work": func(pid int, cost time.Duration) func() { return capturetest.Starve(t, pid, cost/2, time.Hour) },
	} {
		p, tally, cost := decoder(t, picture)
		m := gocv.NewMat()
		var err error
		var took time.Duration
		for err == nil { // it may be done before it is stopped
			end := stop(p.cmd.Process.Pid, cost)
			begin := time.Now()
			err = p.Picture(t.Context(), HangBound, time.Minute, picture, true, &m)
			took = time.Since(begin)
			end()
		}
		m.Close()
		t.Logf("%s: %v", name, took)
		if !errors.Is(err, fault.ErrBlocked) || tally.Hung() != 1 || took < HangBound || took > 10*HangBound {
			t.Errorf("%s: after %v: %v, %d hung", name, took, err, tally.Hung())
		}
	}
}
