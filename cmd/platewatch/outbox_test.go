package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/uplink/outbox"
)

func TestOutbox(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := acceptedHits(t, path, "M5XSX", "B2ABC")
	run := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := report(&errs, runGroup(t.Context(), stdio{out: &out, err: &errs}, "outbox", args))
		return code, out.String(), errs.String()
	}
	if code, _, errs := run("stats", "-db", path); code != exitFailed || !strings.Contains(errs, "the daemon has it open") {
		t.Errorf("while it is open: exit code %d: %s", code, errs)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	code, out, errs := run("stats", "-db", path)
	if code != exitFine || !strings.Contains(out, "gate-1") || !strings.Contains(out, "hits waiting           2") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	code, out, errs = run("stats", "-json", "-db", path)
	var in outbox.Inspection
	if err := json.Unmarshal([]byte(out), &in); err != nil || code != exitFine || in.Entries != 2 || in.LastNumber != 2 {
		t.Errorf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	code, out, errs = run("list", "-db", path)
	if code != exitFine || strings.Count(out, "\n") != 3 || !strings.Contains(out, "gate-1-2") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	if strings.Contains(out, "M5XSX") {
		t.Errorf("the list shows a plate: %s", out)
	}
	for _, tc := range []struct {
		args []string
		code int
	}{
		{[]string{"drop"}, exitUsage}, {[]string{"stats"}, exitUsage},
		{[]string{"stats", "-db", path, "x"}, exitUsage}, {[]string{"stats", "-db", path + ".none"}, exitMissing}, {[]string{"-h"}, exitFine},
	} {
		if code, _, errs := run(tc.args...); code != tc.code || strings.Count(errs, "\n") > 1 {
			t.Errorf("%v: exit code %d, want %d: %s", tc.args, code, tc.code, errs)
		}
	}
}
