// Package faulttest holds what the fault tests share: a short form for every run of
// the tests, and a long form for `make faults`, which writes a table of the faults
// and their outcomes. Only tests import it.
package faulttest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// env names the file that the table's lines are appended to. With it the tests
// run at full length.
const env = "PLATEWATCH_FAULTS"

// Long reports whether the tests are to run at full length.
func Long() bool { return os.Getenv(env) != "" }

// Scale picks a number for the short or the long form.
func Scale(short, long int) int {
	if Long() {
		return long
	}
	return short
}

// Rounds is [Scale] for a package whose tests also run without cgo and without the
// race detector: that run does the whole short form, and the run under the race
// detector, where a round takes several times as long, a third of it.
func Rounds(short, long int) int {
	if underRace && !Long() {
		return (short + 2) / 3
	}
	return Scale(short, long)
}

var table sync.Mutex

// Row is one line of the table: what was done, whether the test has found
// anything wrong so far, and what came of it.
func Row(t *testing.T, name, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Logf("%s: %s", name, text)
	if !Long() {
		return
	}
	verdict := "ok"
	if t.Failed() {
		verdict = "FAILED"
	}
	add(t, name, verdict, text)
}

// Skip skips a test and says so in the table.
func Skip(t *testing.T, name, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	if Long() {
		add(t, name, "skipped", text)
	}
	t.Skip(text)
}

func add(t *testing.T, name, verdict, text string) {
	t.Helper()
	table.Lock()
	defer table.Unlock()
	f, err := os.OpenFile(os.Getenv(env), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "%s\t%s\t%s\n", name, verdict, text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatal(err)
	}
}
