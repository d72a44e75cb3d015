package hotlist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/importer"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/internal/listfile"
	"platewatch/hotlist/match"
)

// A refused import names what is wrong, gives advice, and leaves the list as it is.
func TestRefusedImportLeavesTheListAlone(t *testing.T) {
	t.Parallel()
	const head = "plate,state,expires,priority\nOK1,CA,,\n"
	for name, c := range map[string]struct {
		text string
		o    ImportOptions
		want string
	}{
		"no header":           {"", ImportOptions{}, "hotlist import: DIR: import refused: f.csv is empty"},
		"no plate column":     {"foo,bar\n1,2\n", ImportOptions{}, `f.csv:1: none of the columns "foo", "bar" looks like the plate; name it with -map COLUMN=plate`},
		"no entry":            {"plate\n", ImportOptions{}, "hotlist import: f.csv: import refused: the file has no entries"},
		"only skipped":        {"plate\nNONE\n000\n", ImportOptions{}, "hotlist import: f.csv: import refused: the file has no entries"},
		"one plate too often": {"plate,record\n" + manyLines(listfile.MaxSharing+1, "DEALER,%03d\n"), ImportOptions{}, "f.csv:LINE: more than 512 entries have a plate like DEALER, which is probably not a plate; exclude it with -skip"},
		"list name":           {head, ImportOptions{List: "../x"}, `hotlist import: DIR: a list cannot be named "../x"`},
		"1.01 % bad":          {"plate\n" + manyLines(98, "A%d\n") + "-\n", ImportOptions{Tolerant: true}, "hotlist import: f.csv: import refused: 1 of 99 lines are invalid, more than 1 %"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			importList(t, dir, "l", "plate\nOLD1\n")
			if c.o.List == "" {
				c.o.List = "l"
			}
			c.o.Source = "f.csv"
			_, err := Import(t.Context(), dir, strings.NewReader(c.text), c.o)
			if err == nil {
				t.Fatal("imported")
			}
			if got := strings.ReplaceAll(err.Error(), dir, "DIR"); got != c.want && !sameButLine(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			var h interface{ Hint() string }
			if !errors.As(err, &h) {
				t.Error("no advice")
			}
			if got := plates(t, openDB(t, dir), match.Query{Text: "OLD1"}); !slices.Equal(got, []string{"exact OLD1"}) {
				t.Errorf("the old list is gone: %v", got)
			}
			if _, err := os.Stat(filepath.Join(dir, folder.BuildName)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the unfinished import is left over: %v", err)
			}
		})
	}
}

// manyLines repeats a line with a number in it.
func manyLines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// Every line of a tolerant import is an entry or counted, and a missing quote
// costs one line.
func TestTolerantImportRefusesLineByLine(t *testing.T) {
	dir := t.TempDir()
	text := "plate,note\n" + manyLines(600, "A%d,\n") +
		"B1,\"not closed\nB2,good\nB3,\"also \"not\" closed\nB4,good\n-,\nB5,good\n" +
		"B6," + strings.Repeat("x", 2*(64<<10)) + "\nB7,\"before a long line\nB8," + strings.Repeat("y", 2*(64<<10)) + "\nB9,good\n"
	var called []string
	r, err := Import(t.Context(), dir, strings.NewReader(text), ImportOptions{List: "l", Tolerant: true,
		Refused: func(e *importer.LineError) { called = append(called, e.Error()) }, Options: importer.Options{Source: "f"}})
	if err != nil {
		t.Fatal(err, called)
	}
	want := []string{
		"f:602: an opening quote is not closed",
		"f:604: a quoted field is not closed, or continues after its closing quote",
		`f:606: column 1 (plate): "-" has no letters A-Z or digits`,
		"f:608: longer than 64 KiB",
		"f:609: an opening quote is not closed",
		"f:610: longer than 64 KiB",
	}
	if d := cmp.Diff(want, called); d != "" {
		t.Error(d)
	}
	if len(r.Refusals) != 6 || r.List.Refused != 6 || r.Lines != 610 || r.List.Entries != 604 {
		t.Errorf("%d lines, %d entries, %d refused", r.Lines, r.List.Entries, r.List.Refused)
	}
	db := openDB(t, dir)
	for _, plate := range []string{"A599", "B2", "B4", "B5", "B9"} {
		if len(plates(t, db, match.Query{Text: plate})) != 1 {
			t.Errorf("%s is missing", plate)
		}
	}
}

// sameButLine compares two messages where it is not said which line is named.
func sameButLine(got, want string) bool {
	line := regexp.MustCompile(`:\d+:`)
	return strings.Contains(want, ":LINE:") && line.ReplaceAllString(got, ":LINE:") == want
}

func TestDuplicatesAndSkippedLinesAreCounted(t *testing.T) {
	dir := t.TempDir()
	text := "plate,state,category,note\n" +
		"AB12,CA,wanted,first\n" +
		"AB-12,ca,wanted,last\n" + // same entry, later: counts
		"AB12,NY,wanted,other state\n" +
		"AB12,CA,stolen,other category\n" +
		"none,CA,wanted,\n" + "0 0 0,,,\n" + "TEMP,,,\n"
	r, err := Import(t.Context(), dir, strings.NewReader(text), ImportOptions{List: "l", Skip: []string{"NONE", "000", "temp"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Lines != 7 || r.List.Entries != 3 || r.List.Duplicates != 1 || r.List.Skipped != 3 {
		t.Errorf("%+v", r)
	}
	var notes []string
	for _, e := range entries(t, openDB(t, dir), "l") {
		notes = append(notes, e.Note)
	}
	if d := cmp.Diff([]string{"other category", "last", "other state"}, notes); d != "" {
		t.Error(d)
	}
}

// Only the entries of some states are imported.
func TestOtherStatesAreSkipped(t *testing.T) {
	dir := t.TempDir()
	r, err := Import(t.Context(), dir, strings.NewReader("plate,state\nAA1,NV\nBB2,CA\nCC3,az\nDD4,\n"), ImportOptions{List: "l", States: []string{"nv", "AZ"}})
	if err != nil || r.List.Entries != 2 || r.List.Skipped != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A fixed-width extract is recognised and imported like any other file.
func TestNCICIsImported(t *testing.T) {
	dir := t.TempDir()
	r := importList(t, dir, "l", "V123456789CA019420020260301AB0 12    CA2026PC2014FORDFOC4DBLU\n")
	if r.List.Entries != 1 || len(r.Extra) != 1 {
		t.Errorf("%+v", r)
	}
	// The file writes a zero for an O.
	if m := plates(t, openDB(t, dir), match.Query{Text: "ABO12", At: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), ClockSynchronised: true}); len(m) != 1 {
		t.Error(m)
	}
}

// The bound on entries that share a plate counts each plate by itself.
func TestManyPlatesMayBeConfusable(t *testing.T) {
	dir := t.TempDir()
	text := "plate\n" + manyLines(2*listfile.MaxSharing, "OX%[1]d\n0X%[1]d\n")
	if r := importList(t, dir, "l", text); r.List.Entries != 4*listfile.MaxSharing {
		t.Errorf("%+v", r)
	}
	got := plates(t, openDB(t, dir), match.Query{Text: "0X77"})
	if !slices.Equal(got, []string{"exact 0X77", "confusable OX77"}) {
		t.Error(got)
	}
}

// A list larger than the sorter's memory is sorted through files.
func TestLargeListIsSortedInRuns(t *testing.T) {
	t.Parallel()
	if testing.Short() || underRace {
		t.Skip("100,000 entries")
	}
	dir := t.TempDir()
	const n = 100_000
	note := strings.Repeat("n", 300)
	r, w := io.Pipe()
	go func() {
		fmt.Fprintln(w, "plate,note")
		for i := range n {
			fmt.Fprintf(w, "%s,%s%d\n", plateAt(i), note, i)
		}
		for i := range 1000 { // duplicates, far from their originals
			fmt.Fprintf(w, "%s,again%d\n", plateAt(i*97), i)
		}
		w.Close()
	}()
	stages := map[Stage]int{}
	report, err := Import(t.Context(), dir, r, ImportOptions{List: "l", Progress: func(p Progress) { stages[p.Stage]++ }})
	if err != nil {
		t.Fatal(err)
	}
	if report.List.Entries != n || report.List.Duplicates != 1000 {
		t.Errorf("%+v", report)
	}
	if stages[StageReading] == 0 || stages[StageBuilding] == 0 || stages[StageChecking] != 1 {
		t.Errorf("progress: %v", stages)
	}
	db := openDB(t, dir)
	for i := range n {
		m, err := db.Match(match.Query{Text: plateAt(i)})
		want := fmt.Sprintf("%s%d", note, i)
		if i%97 == 0 && i/97 < 1000 {
			want = fmt.Sprintf("again%d", i/97)
		}
		if err != nil || len(m) != 1 || m[0].Entry.Note != want {
			t.Fatalf("%s: %v, %v", plateAt(i), m, err)
		}
	}
}

func TestCancelledImportLeavesTheListAlone(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate\nOLD1\n")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Import(ctx, dir, io.MultiReader(strings.NewReader("plate\nNEW1\n"), readerFunc(func(p []byte) (int, error) {
		cancel()
		return 0, io.EOF
	})), ImportOptions{List: "l"})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := plates(t, openDB(t, dir), match.Query{Text: "OLD1"}); !slices.Equal(got, []string{"exact OLD1"}) {
		t.Error(got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestFailingInputIsReported(t *testing.T) {
	broken := errors.New("broken pipe")
	_, err := Import(t.Context(), t.TempDir(), io.MultiReader(strings.NewReader("plate\nA1\n"),
		readerFunc(func([]byte) (int, error) { return 0, broken })), ImportOptions{List: "l"})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

// FuzzImport feeds arbitrary bytes to a tolerant import. Whatever they are, an
// imported list holds what the report says, and all of it can be found.
func FuzzImport(f *testing.F) {
	for _, s := range []string{
		"plate,state\nAB12,CA\n", "\ufeffplate;expires\r\nAB12;2026-01-01\r\n", "plate\tnote\nA\t\"x\ny\"\n", "sep=|\nplate|x\nA|b\n",
		"plate,note\nA,\"open\nB,\"x\"y\nC,\n", "\xff\xfep\x00l\x00a\x00t\x00e\x00\n\x00A\x001\x00\n\x00", "plate,priority,covert,policy\nA,1,yes,exact\n", "PK\x03\x04",
	} {
		f.Add([]byte(s), true)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, tolerant bool) {
		// Good lines around keep the share of bad ones below 1 %.
		if tolerant {
			header, _, _ := bytes.Cut(text, []byte("\n"))
			text = append(text[:len(text):len(text)], '\n')
			for i := range 100 * (1 + bytes.Count(text, []byte("\n"))) {
				if i == 3000 {
					break
				}
				text = fmt.Appendf(text, "G%d%s\n", i, strings.Repeat(",", bytes.Count(header, []byte(","))))
			}
		}
		r, err := Import(t.Context(), dir, bytes.NewReader(text), ImportOptions{List: "l", Tolerant: tolerant, AllowEmpty: true})
		if err != nil {
			return
		}
		l := r.List
		if r.Lines != l.Entries+l.Duplicates+l.Skipped+l.Refused {
			t.Errorf("%d lines are not %d entries, %d duplicates, %d skipped, %d refused", r.Lines, l.Entries, l.Duplicates, l.Skipped, l.Refused)
		}
		db, err := OpenReadOnly(dir, strictly)
		if err != nil || len(db.Damage()) > 0 {
			t.Fatal(err, db.Damage())
		}
		defer db.Close()
		n := 0
		for e, err := range db.Entries(t.Context(), "l") {
			if err != nil {
				t.Fatal(err)
			}
			m, err := db.Match(match.Query{Text: e.Plate})
			if err != nil || !slices.ContainsFunc(m, func(m match.Match) bool { return m.How == match.Exact && m.Entry == e }) {
				t.Errorf("%+v is not found: %v, %v", e, m, err)
			}
			n++
		}
		if n != l.Entries {
			t.Errorf("%d entries instead of %d", n, l.Entries)
		}
	})
}
