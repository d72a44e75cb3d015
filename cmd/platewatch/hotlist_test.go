package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/hotlist"
	"platewatch/hotlist/match"
)

// hotlistSession runs `platewatch hotlist` commands as a shell would: $DIR in
// arguments and outputs stands for a directory of its own.
type hotlistSession struct {
	t   *testing.T
	dir string
}

func newHotlistSession(t *testing.T) hotlistSession { return hotlistSession{t, t.TempDir()} }

func (s hotlistSession) file(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// run runs a command line and returns its output, its errors and its exit code.
func (s hotlistSession) run(stdin string, args ...string) (out, errs string, code int) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	words := []string{}
	for _, a := range args {
		words = append(words, strings.ReplaceAll(a, "$DIR", s.dir))
	}
	err := runGroup(s.t.Context(), stdio{strings.NewReader(stdin), &stdout, &stderr}, "hotlist", words)
	code = report(&stderr, err)
	hide := func(b *bytes.Buffer) string { return strings.ReplaceAll(b.String(), s.dir, "$DIR") }
	return hide(&stdout), hide(&stderr), code
}

// want runs a command line and compares its exit code, and what it prints with
// what must be in it.
func (s hotlistSession) want(code int, out, errs, stdin string, args ...string) {
	s.t.Helper()
	gotOut, gotErrs, gotCode := s.run(stdin, args...)
	if gotCode != code || !strings.Contains(gotOut, out) || !strings.Contains(gotErrs, errs) ||
		out == "" && gotOut != "" || errs == "" && gotErrs != "" {
		s.t.Errorf("platewatch hotlist %s: exit code %d, want %d\nout:  %s\nwant: %s\nerr:  %s\nwant: %s",
			strings.Join(args, " "), gotCode, code, gotOut, out, gotErrs, errs)
	}
	if strings.Count(gotErrs, "\n") > 1 {
		s.t.Errorf("platewatch hotlist %s: more than a line of errors: %s", strings.Join(args, " "), gotErrs)
	}
}

func TestHotlistImportAndLook(t *testing.T) {
	s := newHotlistSession(t)
	s.file("stolen.csv", "plate,state,category,expires,make,note,shoe\nAB-12O,CA,stolen vehicle,,FORD,x,43\nOLD1,NY,wanted,2001-01-01,,,\n")
	s.want(exitFine, "list stolen, version 7: 2 entries", "", "", "import", "-db", "$DIR/db", "-list", "stolen", "-version", "7", "$DIR/stolen.csv")
	s.want(exitFine, "columns ignored, because no field is for them: shoe\n", "", "",
		"import", "-db", "$DIR/db", "-list", "stolen", "-version", "8", "$DIR/stolen.csv")
	s.want(exitFine, "before: version 8, 2 entries", "", "placa\nCC33\nCC33\nNONE\n", "import", "-db", "$DIR/db", "-list", "stolen", "-version", "8b", "-")
	s.want(exitFine, "2 lines have plates that no camera finds, because they are shorter than ocr.min_characters, longer than the reader reads, or rows of strokes: IIII1, 111111\n", "",
		"plate\nF 1\nIIII1\n111111\nAB12\nMYCAR\n", "import", "-db", "$DIR/short", "-list", "short", "-version", "1", "-")
	s.want(exitFine, `"version": "9"`, "", "", "import", "-json", "-db", "$DIR/db", "-list", "stolen", "-version", "9", "$DIR/stolen.csv")
	s.want(exitFine, "stolen\t9\t2\t", "", "", "list", "-db", "$DIR/db")
	s.want(exitFine, "AB-12O\tCA\tstolen_vehicle\t3\tFORD\t\t\t\n", "", "", "list", "-db", "$DIR/db", "-list", "stolen")
	s.want(exitFine, `{"plate":"AB12O","written":"AB-12O","state":"CA","category":"stolen_vehicle","priority":3,"vehicle":{"make":"FORD"},"note":"x"}`, "", "",
		"list", "-db", "$DIR/db", "-json", "-list", "stolen")
	s.want(exitFine, "AB120 matches 1 of 2 entries", "", "", "check", "-case", "7", "-reason", "test", "-db", "$DIR/db", "ab 120")
	s.want(exitFine, "AB-12O (CA)  stolen_vehicle, priority 3, confusable, list stolen version 9", "", "", "check", "-case", "7", "-reason", "test", "-db", "$DIR/db", "ab 120")
	s.want(exitFine, "ZZ99 matches none of 2 entries in 1 lists\n", "", "", "check", "-case", "7", "-reason", "test", "-db", "$DIR/db", "ZZ99")
	s.want(exitFine, "has expired, does not match", "", "", "check", "-case", "7", "-reason", "test", "-db", "$DIR/db", "OLD1")
	s.want(exitFine, "stolen: ok, version 9, 2 entries\n", "", "", "check", "-db", "$DIR/db")
	s.want(exitFine, "entries\t2\n", "", "", "stats", "-db", "$DIR/db")
	s.want(exitFine, "removed list stolen\n", "", "", "remove", "-db", "$DIR/db", "-reason", "test", "-list", "stolen")
	s.want(exitFine, "", "no lists; `platewatch hotlist import` adds one\n", "", "list", "-db", "$DIR/db")
	s.want(exitMissing, "", `there is no list "stolen"`, "", "remove", "-db", "$DIR/db", "-reason", "test", "-list", "stolen")
}

func TestHotlistCheckJSON(t *testing.T) {
	s := newHotlistSession(t)
	s.want(exitFine, "2 entries", "", "plate,expires\nAB12O,\nAB120,2001-01-01\n", "import", "-db", "$DIR/db", "-list", "l", "-version", "1", "-")
	out, _, code := s.run("", "check", "-case", "7", "-reason", "test", "-db", "$DIR/db", "-json", "ab120")
	var c plateCheck
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != exitFine {
		t.Fatal(code, err, out)
	}
	if c.Plate != "AB120" || len(c.Matches) != 1 || c.Matches[0].How != match.Confusable || c.Matches[0].Entry.Plate != "AB12O" ||
		len(c.Inactive) != 1 || c.Inactive[0].Entry.Plate != "AB120" {
		t.Errorf("%+v", c)
	}
	if out, _, code := s.run("", "check", "-case", "7", "-reason", "test", "-db", "$DIR/db", "-json", "ZZ99"); code != exitFine || !strings.Contains(out, `"matches": []`) {
		t.Error(code, out)
	}
}

func TestHotlistRefusals(t *testing.T) {
	s := newHotlistSession(t)
	s.file("bad.csv", "plate,expires\nAB12,soon\n")
	s.file("good.csv", "plate\nAB12\n")
	for _, c := range []struct {
		code int
		errs string
		args []string
	}{
		{exitUsage, `there is no command "hotlist frob"`, []string{"frob"}},
		{exitUsage, "there is no flag -frob", []string{"list", "-frob"}},
		{exitUsage, "-list is missing", []string{"import", "-db", "$DIR/db", "$DIR/good.csv"}},
		{exitUsage, "FILE is missing", []string{"import", "-db", "$DIR/db", "-list", "l"}},
		{exitUsage, `"b" is one argument too many`, []string{"import", "-db", "$DIR/db", "-list", "l", "a", "b"}},
		{exitUsage, `a list cannot be named "a/b"`, []string{"import", "-db", "$DIR/db", "-list", "a/b", "$DIR/good.csv"}},
		{exitUsage, `"x" is not column=field`, []string{"import", "-db", "$DIR/db", "-list", "l", "-map", "x", "$DIR/good.csv"}},
		{exitUsage, `mapped to the unknown field "frob"`, []string{"import", "-db", "$DIR/db", "-list", "l", "-map", "plate=frob", "$DIR/good.csv"}},
		{exitUsage, `there is no format "pdf"`, []string{"import", "-db", "$DIR/db", "-list", "l", "-format", "pdf", "$DIR/good.csv"}},
		{exitUsage, `"..." has no letters A-Z or digits`, []string{"check", "-case", "7", "-reason", "test", "-db", "$DIR/db", "..."}},
		{exitMissing, "no such file", []string{"import", "-db", "$DIR/db", "-list", "l", "$DIR/missing.csv"}},
		{exitMissing, "there is no hotlist in $DIR/missing", []string{"list", "-db", "$DIR/missing"}},
		{exitMissing, "there is no hotlist in $DIR/missing", []string{"remove", "-db", "$DIR/missing", "-reason", "test", "-list", "l"}},
		{exitFailed, "$DIR is a directory", []string{"import", "-db", "$DIR/db", "-list", "l", "$DIR"}},
		{exitFailed, `$DIR/bad.csv:2: column 2 (expires): "soon" is not a date`, []string{"import", "-db", "$DIR/db", "-list", "l", "$DIR/bad.csv"}},
		{exitFailed, "1 of 1 lines are invalid, more than 1 %", []string{"import", "-json", "-tolerant", "-db", "$DIR/db", "-list", "l", "$DIR/bad2.csv"}},
	} {
		if strings.Contains(strings.Join(c.args, " "), "bad2") { // a tolerant import also names the line
			s.file("bad2.csv", "plate\n-\n")
			if _, errs, code := s.run("", c.args...); code != c.code || !strings.Contains(errs, c.errs) || !strings.HasPrefix(errs, "refused: $DIR/bad2.csv:2: ") {
				t.Errorf("%v: %d %s", c.args, code, errs)
			}
			continue
		}
		s.want(c.code, "", c.errs, "", c.args...)
	}
}

func TestHotlistHelp(t *testing.T) {
	s := newHotlistSession(t)
	for _, args := range [][]string{{"-h"}, {"help"}, {"import", "-h"}, {"list", "-h"}, {"check", "-h"}, {"remove", "-h"}, {"stats", "-h"}} {
		s.want(exitFine, "usage: platewatch hotlist ", "", "", args...)
	}
	out, errs, code := s.run("")
	if code != exitUsage || out != "" || !strings.Contains(errs, "usage: platewatch hotlist COMMAND") {
		t.Errorf("without arguments: %d, %q, %q", code, out, errs)
	}
	if err := runGroup(t.Context(), stdio{nil, &bytes.Buffer{}, &bytes.Buffer{}}, "hotlist", []string{"list", "-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
}

func TestHotlistDamage(t *testing.T) {
	s := newHotlistSession(t)
	db := filepath.Join(s.dir, "db")
	s.want(exitFine, "1 entries", "", "plate\nONE1\n", "import", "-db", db, "-list", "l", "-version", "1", "-")
	s.want(exitFine, "1 entries", "", "plate\nTWO2\n", "import", "-db", db, "-list", "l", "-version", "2", "-")
	if err := os.Truncate(filepath.Join(db, "l.hotlist"), 1000); err != nil {
		t.Fatal(err)
	}
	s.want(exitFailed, "l: damaged: ", "import the list again", "", "check", "-db", db)
	// A look-up that one list was missing from fails.
	s.want(exitFailed, "TWO2 matches none of 1 entries", "one list could not be used: ", "", "check", "-case", "7", "-reason", "test", "-db", db, "TWO2")

	d, err := hotlist.Open(db, hotlist.Options{}) // as the daemon does
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	s.want(exitFailed, "l: the newest version was damaged; using the previous one, 1\n", "import the list again", "", "check", "-db", db)
	if err := os.Remove(filepath.Join(db, "l.hotlist.previous")); err != nil {
		t.Fatal(err)
	}
	s.want(exitFailed, "l: it was damaged, is kept as $DIR/db/l.hotlist.corrupt and was not imported since\n", "import the list again", "", "check", "-db", db)
	out, _, code := s.run("", "check", "-json", "-db", db)
	var checks []listCheck
	if err := json.Unmarshal([]byte(out), &checks); err != nil || code != exitFailed || len(checks) != 1 || checks[0].Fine {
		t.Errorf("%d, %v, %s", code, err, out)
	}
	s.want(exitFine, "1 entries", "", "plate\nTWO2\n", "import", "-db", db, "-list", "l", "-version", "2", "-")
	s.want(exitFine, "l: ok, version 2, 1 entries\n", "", "", "check", "-db", db)
}
