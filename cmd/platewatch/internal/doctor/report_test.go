package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/deploy/tools/goldentest"
)

func TestReport(t *testing.T) {
	r := &Report{Unit: "a44-north", Configuration: "/etc/platewatch/platewatch.toml", At: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)}
	s := sink(func(f Finding) { r.add(f) })
	s.ok("clock", "", "synchronised by chrony, wrong by at most 3 ms.", "synchronised")
	s.skip("power", "", "this machine does not tell its supply voltage")
	s.warn("camera front", "plates", "read 12 times in 20 s, the best with 93 %; characters are 14 pixels high", "characters of 20 to 30 pixels", "zoom in, or bring the camera nearer")
	s.fail("broker mqtts://broker.example:8883", "TLS", "x509: certificate signed by\nunknown authority \xff", "a certificate that the authority signed for this name", "check the CA file, the host name and the clock")
	s.grade(false, Warn, "a-name-that-is-longer-than-a-line-of-a-serial-console-because-somebody-wrote-an-address-there", "", "x", "", "")
	var text bytes.Buffer
	for _, f := range r.Findings {
		if err := f.Write(&text); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.WriteSummary(&text); err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "testdata/report.txt", text.String())
	j, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "testdata/report.json", string(j)+"\n")
	if r.Level != Fail || r.Count(Warn) != 2 {
		t.Errorf("level %s, %d warnings", r.Level, r.Count(Warn))
	}
	for line := range strings.Lines(text.String()) {
		if n := len([]rune(strings.TrimSpace(line))); n > textWidth && !strings.Contains(line, "a-name") {
			t.Errorf("%d characters: %s", n, line)
		}
	}
}

// A check that hangs is given up after its time, what it finds later does not count,
// and the next one runs.
func TestHangingCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		x := &examination{o: Options{}, c: config.Default(), report: &Report{}}
		begin := time.Now()
		x.make(t.Context(), check{"storage", 5 * time.Second, func(_ *examination, _ context.Context, found sink) {
			found.ok("storage", "first", "it was there", "")
			<-release
			found.ok("storage", "late", "it came back", "")
		}})
		if took := time.Since(begin); took != 5*time.Second+grace {
			t.Errorf("given up after %v", took)
		}
		close(release)
		synctest.Wait()
		if n := len(x.report.Findings); n != 2 || x.report.Findings[1].Level != Fail {
			t.Errorf("found %+v", x.report.Findings)
		}
		x.make(t.Context(), check{"clock", time.Second, func(_ *examination, ctx context.Context, found sink) {
			<-ctx.Done() // ends with its context: no failure of the check itself
			found.warn("clock", "", "slow", "", "")
		}})
		if f := x.report.Findings[len(x.report.Findings)-1]; f.Measured != "slow" {
			t.Errorf("found %+v", f)
		}
	})
}

// An interrupt ends the check that runs, and leaves the others out.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := Run(ctx, Options{Config: config.Default()}); len(r.Findings) != 0 {
		t.Errorf("found %+v", r.Findings)
	}
}
