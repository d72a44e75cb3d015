package ocr

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"
)

// TestTrace: a trace does not change the result, and gives each candidate its
// verdict.
func TestTrace(t *testing.T) {
	r := open(t)
	for _, name := range []string{"us-tx-frame.jpg", "none-van.jpg", "eu-nl-day.jpg"} {
		m := picture(t, name)
		want, err := r.Recognise(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		trace, err := r.Trace(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.Plates, trace.Plates, cmp.AllowUnexported(Plate{})); d != "" {
			t.Errorf("%s: -without +with a trace\n%s", name, d)
		}
		if len(trace.Maps) < 6 {
			t.Errorf("%s: %d maps", name, len(trace.Maps))
		}
		for _, m := range trace.Maps {
			if s := m.Picture.Bounds().Size(); max(s.X, s.Y) > mapSide {
				t.Errorf("%s: the map %q is %v", name, m.Name, s)
			}
		}
		read, reported := 0, 0
		for i, a := range trace.Attempts {
			if a.Verdict == (Verdict{}) {
				t.Errorf("%s: candidate %d has no verdict", name, i)
			}
			if a.Verdict.Reported() {
				reported++
			}
			if a.Level == nil {
				if !strings.HasPrefix(a.Verdict.String(), "not read") {
					t.Errorf("%s: candidate %d has no levelled picture, and the verdict is %q", name, i, a.Verdict)
				}
				continue
			}
			read++
			if len(a.Looks) == 0 {
				t.Errorf("%s: candidate %d was read with no look", name, i)
			}
			for _, l := range a.Looks {
				if l.Cut == nil || l.Probability < 0 || l.Probability > 1 {
					t.Errorf("%s: candidate %d has the look %+v", name, i, l)
				}
			}
		}
		if read != want.Candidates || reported != len(want.Plates) {
			t.Errorf("%s: the trace has %d read and %d reported, the result %d and %d", name, read, reported, want.Candidates, len(want.Plates))
		}
	}
}

// TestTraceOfTwoRows: the rows of a plate are levelled each for itself, and
// are shown where they are on the picture that both are on.
func TestTraceOfTwoRows(t *testing.T) {
	trace, err := open(t).Trace(t.Context(), picture(t, "eu-two-rows.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	a := trace.Attempts[0]
	if a.Reading.Text != "HD4827K" || len(a.Looks) < 2 {
		t.Fatalf("read %q in %d looks", a.Reading.Text, len(a.Looks))
	}
	first, last := a.Looks[0].Line, a.Looks[len(a.Looks)-1].Line
	// The frame shows 4827K five characters long and HD two, above its middle.
	if first[3].Y > last[0].Y+4 || first[0].X < last[0].X || first[1].X > last[1].X {
		t.Errorf("the upper row is at %v, the lower at %v", first, last)
	}
}

// TestTraceOfNothing: pictures without a candidate have a trace too.
func TestTraceOfNothing(t *testing.T) {
	for _, side := range []int{1, 64} {
		m := gocv.NewMatWithSize(side, side, gocv.MatTypeCV8UC3)
		trace, err := open(t).Trace(t.Context(), m)
		m.Close()
		if err != nil || len(trace.Plates) != 0 || len(trace.Attempts) != 0 {
			t.Errorf("%d pixels a side: %v, %v", side, trace, err)
		}
	}
}

func TestVerdictWords(t *testing.T) {
	for want, v := range map[string]Verdict{
		"not judged":                              {},
		"not read: score 0.01 below 0.02":         {reason: lowScore, value: 0.012, than: 0.02},
		"not read: score 0.0199 below 0.0200":     {reason: lowScore, value: 0.01993, than: 0.02},
		"not read: 4 better candidates were read": {reason: enoughRead, than: 4},
		"plate is 38 px wide, less than 60":       {reason: tooNarrow, value: 38, than: 60},
		"confidence 0.05 below 0.10":              {reason: hardlyRight, value: 0.05, than: 0.1},
		"no plate text found":                     {reason: nothingRead},
	} {
		if got := v.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestPointlessLooks: lettering of seven pixels is not reported however surely it is
// read, so only the cheaper network looks at it; at the plate beside it as before.
func TestPointlessLooks(t *testing.T) {
	r := open(t)
	for _, name := range []string{"us-co-far.jpg", "none-street.jpg"} {
		trace, err := r.Trace(t.Context(), picture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		small := 0
		for _, a := range trace.Attempts {
			if a.Candidate.Line.Height > 8 || a.Level == nil {
				continue
			}
			small++
			if a.Verdict.Reported() || len(a.Looks) != 1 || !a.Looks[0].Scout {
				t.Errorf("%s: lettering of %.0f px was looked at %d times: %s", name, a.Candidate.Line.Height, len(a.Looks), a.Verdict)
			}
		}
		if small == 0 {
			t.Errorf("%s: no small lettering was looked at", name)
		}
	}
}
