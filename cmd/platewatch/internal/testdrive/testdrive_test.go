package testdrive

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestDrive: reads are kept only while a drive runs, at most [most] of them, and are
// gone when it ends: by itself, by hand, and once.
func TestDrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d Drive
		d.Add(Read{Text: "A"})
		if d.Reads() != nil || d.Running() {
			t.Error("without a drive something is kept")
		}
		ended := 0
		stopFirst, ok := d.Start("login X", 10*time.Minute, func() { ended++ })
		if _, two := d.Start("login Y", time.Hour, func() { t.Error("two drives") }); !ok || two {
			t.Fatal("it does not start, or two do")
		}
		for range most + 5 {
			d.Add(Read{Text: "A", Picture: []byte("jpeg")})
		}
		time.Sleep(9 * time.Minute)
		got := d.Reads()
		if len(got) != most || got[0].Number != most+5 || got[most-1].Number != 6 {
			t.Errorf("%d reads, numbers %d to %d", len(got), got[len(got)-1].Number, got[0].Number)
		}
		if s, ok := d.State(); !ok || s.Who != "login X" || s.Left != time.Minute {
			t.Errorf("%+v", s)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if ended != 1 || d.Running() || d.reads != nil {
			t.Errorf("after its time: ended %d times, %d reads left", ended, len(d.reads))
		}
		d.Start("login Y", time.Minute, func() { ended++ })
		d.Add(Read{Text: "B"})
		d.Stop()
		d.Stop()
		if ended != 2 || d.reads != nil || d.Reads() != nil {
			t.Errorf("after a stop: ended %d times", ended)
		}
		// The timer of the stopped drive does not end the next one.
		d.Start("login Z", 10*time.Minute, func() { ended++ })
		time.Sleep(2 * time.Minute)
		stopFirst()
		if !d.Running() {
			t.Error("the next drive ended with an earlier one")
		}
		d.Stop()
	})
}
