package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func (s hotlistSession) audit(args ...string) (out, errs string, code int) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	words := []string{args[0], "-db", filepath.Join(s.dir, "db")}
	err := runGroup(s.t.Context(), stdio{nil, &stdout, &stderr}, "audit", append(words, args[1:]...))
	code = report(&stderr, err)
	return stdout.String(), stderr.String(), code
}

// Who did what, and why, can be read afterwards, and cannot be changed unnoticed.
func TestAuditTrail(t *testing.T) {
	s := newHotlistSession(t)
	db := []string{"-db", "$DIR/db", "-operator", "jane"}
	with := func(name string, more ...string) []string { return append(append([]string{name}, db...), more...) }
	s.want(exitFine, "1 entries", "", "plate\nAB12345\n", with("import", "-list", "gate", "-version", "1", "-")...)
	s.want(exitUsage, "", "-reason is missing: say why", "", with("check", "AB12345")...)
	s.want(exitUsage, "", "-case is missing", "", with("check", "-reason", "case 7", "AB12345")...)
	s.want(exitUsage, "", "-reason is missing", "", with("export", "-list", "gate")...)
	s.want(exitFine, "matches 1 of 1", "", "", with("check", "-case", "7", "-reason", "case 7", "AB12345")...)
	s.want(exitFine, "matches none", "", "", with("check", "-machine", "ZZ99999")...)
	s.want(exitUsage, "", "-reason is missing", "", with("add", "-list", "gate", "CD67890")...)
	s.want(exitUsage, "", `there is no field "shoe"`, "", with("add", "-list", "gate", "-reason", "r", "-set", "shoe=43", "CD67890")...)
	s.want(exitFine, "list gate: 1 added, 0 removed, 2 entries", "", "", with("add", "-list", "gate", "-reason", "case 8", "-category", "amber alert", "-set", "vehicle_make=FORD", "CD 67890")...)
	s.want(exitFine, "CD 67890  amber_alert, priority 1, exact", "", "", with("check", "-case", "7", "-reason", "case 8", "CD67890")...)
	s.want(exitFine, "list gate: 0 added, 1 removed, 1 entries", "", "", with("remove", "-list", "gate", "-plate", "AB-12345", "-reason", "found")...)
	s.want(exitMissing, "", "list gate has no entry AB12345", "", with("remove", "-list", "gate", "-plate", "AB-12345", "-reason", "found")...)
	s.want(exitFine, "plate,state", "", "", with("export", "-list", "gate", "-reason", "audit", "-case", "9")...)
	s.want(exitUsage, "", "-reason is missing", "", with("remove", "-list", "gate")...)

	out, errs, code := s.audit("show", "-csv")
	if code != exitFine || errs != "" {
		t.Fatal(code, errs)
	}
	var got []string
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSpace(line), ",")
		got = append(got, strings.Join([]string{f[0], f[2], f[3], f[4], f[5], f[6]}, " "))
	}
	want := []string{"number kind operator reason case list", "1 import jane   gate", "2 look-up jane case 7 7 ", "3 look-up jane asked by a program  ",
		"4 add jane case 8  gate", "5 look-up jane case 8 7 ", "6 remove jane found  gate", "7 export jane audit 9 gate"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if strings.Contains(out, "12345") || strings.Contains(out, "67890") {
		t.Errorf("the trail shows plates:\n%s", out)
	}
	if out, _, _ := s.audit("show", "-plate", "cd 67890", "-kind", "look-up"); strings.Count(out, "\n") != 2 || !strings.Contains(out, "case 8") {
		t.Error(out)
	}
	if _, errs, code := s.audit("show", "-kind", "shoe"); code != exitUsage || !strings.Contains(errs, `there is no kind "shoe"`) {
		t.Error(errs)
	}
	out, _, code = s.audit("verify")
	if code != exitFine || !strings.HasPrefix(out, "ok: records 1 to 7 are an unbroken chain") || !strings.Contains(out, "\nnot compared with a copy kept elsewhere") {
		t.Error(code, out)
	}
	_, last, _ := strings.Cut(out, "the last is ")
	last, _, _ = strings.Cut(last, "\n")
	if out, errs, code := s.audit("verify", "-known", last); code != exitFine || !strings.Contains(out, "\nand it holds what the copies kept elsewhere say: 1\n") {
		t.Error(code, out, errs)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	for _, want := range []string{today + ",added,gate,,2", today + ",removed,gate,,1", today + ",look-ups,,case 7,1", today + ",exports,,audit,1"} {
		if out, _, code := s.audit("counts", "-from", today, "-csv"); code != exitFine || !strings.Contains(out, want) {
			t.Errorf("%s is not in\n%s", want, out)
		}
	}
	if _, errs, code := s.audit("counts", "-from", "yesterday"); code != exitUsage || !strings.Contains(errs, "is not a day") {
		t.Error(errs)
	}
	path := filepath.Join(s.dir, "db", "audit", "00000001.log")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(b, []byte("case 7"), []byte("case 9"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := s.audit("verify"); code != exitFailed || !strings.Contains(errs, "broken at record 2 (00000001.log:2)") {
		t.Error(code, errs)
	}
}
