package aim_test

import (
	"os"
	"regexp"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/aim"
	"platewatch/cmd/platewatch/internal/aim/aimtest"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/ocr"
)

// TestFaults drives two vehicles past a camera with each fault: the instruction is
// given within three seconds of traffic, and after the fault is mended the verdict is
// good again. `make page` mends each fault, the default run only one.
func TestFaults(t *testing.T) {
	r, err := ocr.New(ocr.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, fault := range append([]aimtest.Fault{aimtest.Good}, aimtest.Faults...) {
		t.Run(fault.Name, func(t *testing.T) {
			o, err := observe.New(r, observe.DefaultParams())
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			var w aim.Watcher
			w.Watch()
			var at time.Duration
			drive(t, o, &w, fault, &at)
			got := w.Report()
			if fault.Name == "good" {
				wellSet(t, got)
				return
			}
			if !regexp.MustCompile(fault.Says).MatchString(got.Instruction) || got.Level != aim.Poor {
				t.Errorf("%s: %s, %q (%s), want %q", fault.Name, got.Level, got.Instruction, got.Cause, fault.Says)
				describe(t, got)
			}
			t.Log(got.Instruction)
			if len(got.Zone.Cells) == 0 {
				t.Error("nothing is in the zone")
			}
			if fault.Name != "dark" && os.Getenv("PLATEWATCH_PAGE") == "" {
				return
			}
			drive(t, o, &w, aimtest.Good, &at)
			wellSet(t, w.Report())
		})
	}
}

func wellSet(t *testing.T, r aim.Report) {
	t.Helper()
	if r.Level != aim.Good && r.Level != aim.Fair {
		t.Errorf("%s: %s", r.Level, r.Instruction)
		describe(t, r)
	}
}

func describe(t *testing.T, r aim.Report) {
	t.Helper()
	for _, q := range r.Quantities {
		t.Logf("%-16s %7.1f %-6s %-8s %s", q.Key, q.Value, q.Unit, q.Level, q.Instruction)
	}
	t.Logf("%+v", r.Zone.Cells)
}

// drive shows the road to an observer and what it sees to the watcher.
func drive(t *testing.T, o *observe.Observer, w *aim.Watcher, fault aimtest.Fault, at *time.Duration) {
	t.Helper()
	road, err := aimtest.Road()
	if err != nil {
		t.Fatal(err)
	}
	for _, frame := range road {
		m, err := fault.Picture(frame)
		if err != nil {
			t.Fatal(err)
		}
		*at += time.Second / aimtest.FPS
		res, err := o.Observe(t.Context(), m, *at, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.See(aim.Frame{Picture: m, At: *at, Plates: res.Plates, Unread: res.Unread, Moved: res.Moved})
		m.Close()
	}
}
