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
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/internal/listfile"
	"platewatch/hotlist/match"
)

func toUTF16(s string, big bool) string {
	var b bytes.Buffer
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

// Layouts, encodings and quoting that all mean the same two entries.
func TestFormatsAreUnderstood(t *testing.T) {
	want := []entry.Entry{
		{Plate: "AB123", State: "NÖ", Category: entry.Other, Priority: entry.DefaultPriority, Note: `says "hi", twice`},
		{Plate: "CD456", Category: entry.Other, Priority: entry.DefaultPriority},
	}
	const comma = "plate,state,note\nAB-123,nö,\"says \"\"hi\"\", twice\"\nCD 456,,\n"
	for name, c := range map[string]struct {
		text string
		o    ImportOptions
	}{
		"comma":               {text: comma},
		"CRLF":                {text: strings.ReplaceAll(comma, "\n", "\r\n")},
		"no newline at end":   {text: strings.TrimSuffix(comma, "\n")},
		"blank lines":         {text: "\n  \n" + strings.ReplaceAll(comma, "\n", "\n\n") + ",,\n"},
		"BOM":                 {text: "\ufeff" + comma},
		"semicolon":           {text: "plate;state;note\nAB-123;nö;\"says \"\"hi\"\", twice\"\nCD 456;;\n"},
		"tab":                 {text: "plate\tstate\tnote\nAB-123\tnö\t\"says \"\"hi\"\", twice\"\nCD 456\t\t\n"},
		"told semicolon":      {text: "plate;state;note,a,b,c,d\nAB-123;nö;\"says \"\"hi\"\", twice\"\nCD 456;;\n", o: ImportOptions{Options: importer.Options{Format: importer.Semicolon, Columns: map[string]string{"note,a,b,c,d": "note"}}}},
		"Excel's separator":   {text: "sep=;\r\nplate;state;note\r\nAB-123;nö;\"says \"\"hi\"\", twice\"\r\nCD 456;;\r\n"},
		"UTF-16 LE with BOM":  {text: toUTF16("\ufeff"+comma, false)},
		"UTF-16 BE with BOM":  {text: toUTF16("\ufeff"+comma, true)},
		"UTF-16 LE":           {text: toUTF16(comma, false)},
		"UTF-16 BE":           {text: toUTF16(comma, true)},
		"Windows-1252":        {text: strings.ReplaceAll(comma, "ö", "\xf6"), o: ImportOptions{Options: importer.Options{Encoding: importer.Windows1252}}},
		"aliases":             {text: "Licence No.,Remarks,Issuing State\nAB-123,\"says \"\"hi\"\", twice\",nö\nCD 456,,\n"},
		"mapped by name":      {text: "a,b,c\nAB-123,nö,\"says \"\"hi\"\", twice\"\nCD 456,,\n", o: ImportOptions{Options: importer.Options{Columns: map[string]string{"a": "plate", "B": "state", "c": "note"}}}},
		"mapped by number":    {text: "a,b,c\nAB-123,nö,\"says \"\"hi\"\", twice\"\nCD 456,,\n", o: ImportOptions{Options: importer.Options{Columns: map[string]string{"1": "plate", "2": "state", "3": "note"}}}},
		"trailing separators": {text: "plate,state,note\nAB-123,nö,\"says \"\"hi\"\", twice\",,\nCD 456,,,\n"},
		"broken line":         {text: "plate,state,note\nAB-123,nö,\"says \"\"hi\"\",\ntwice\"\nCD 456,,\n"},
		"left-out column":     {text: "plate,state,type,note\nAB-123,nö,PC,\"says \"\"hi\"\", twice\"\nCD 456,,PC,\n", o: ImportOptions{Options: importer.Options{Columns: map[string]string{"type": ""}}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.o.List = "l"
			r, err := Import(t.Context(), dir, strings.NewReader(c.text), c.o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, entries(t, openDB(t, dir), "l")); d != "" {
				t.Error(d)
			}
			if r.Lines != 2 || r.List.Entries != 2 || r.Extra != nil {
				t.Errorf("report: %+v", r)
			}
		})
	}
}

func TestAllFieldsAreImported(t *testing.T) {
	dir := t.TempDir()
	r, err := Import(t.Context(), dir, strings.NewReader(
		"plate,state,plate_type,category,priority,covert,effective,expires,year,make,model,style,color,record,ori,handling,policy,note,shoe size\n"+
			"a1,ca,PC,Amber,high,yes,2026-01-02,2026-03-31,2019,FORD,F150,PK,RED,V1,CA01,\"do not\x1b[31m stop\",exact,n,43\n"),
		ImportOptions{List: "l", Options: importer.Options{Location: time.FixedZone("", 3600)}})
	if err != nil {
		t.Fatal(err)
	}
	want := []entry.Entry{{Plate: "A1", State: "CA", PlateType: "PC", Category: entry.AmberAlert, Priority: 2, Covert: true, Handling: "do not [31m stop",
		Vehicle: entry.Vehicle{Year: 2019, Make: "FORD", Model: "F150", Style: "PK", Colour: "RED"}, Record: "V1", Agency: "CA01", Note: "n",
		Effective: time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC), Expires: time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC), Policy: entry.PolicyExact}}
	if d := cmp.Diff(want, entries(t, openDB(t, dir), "l")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"shoe size"}, r.Extra); d != "" {
		t.Error(d)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	t.Parallel()
	const head = "plate,state,expires,priority\nOK1,CA,,\n"
	for name, c := range map[string]struct {
		text string
		o    ImportOptions
		want string
	}{
		"no header":           {"", ImportOptions{}, "hotlist import: DIR: import refused: f.csv is empty"},
		"blank":               {"\n\n \n", ImportOptions{}, "hotlist import: DIR: import refused: f.csv is empty"},
		"no plate column":     {"foo,bar\n1,2\n", ImportOptions{}, `f.csv:1: no column looks like the plate among "foo", "bar"; name it with -map COLUMN=plate`},
		"two plate columns":   {"plate,vrm\n1,2\n", ImportOptions{}, `f.csv:1: columns "plate" and "vrm" both look like plate; say with -map which one is`},
		"missing column":      {head, ImportOptions{Options: importer.Options{Columns: map[string]string{"x": "plate"}}}, `f.csv:1: there is no column "x"; there are "plate", "state", "expires", "priority"`},
		"field":               {head, ImportOptions{Options: importer.Options{Columns: map[string]string{"state": "x"}}}, `hotlist import: DIR: column "state" is mapped to the field "x", which is none of ` + strings.Join(importer.Fields(), ", ")},
		"too few fields":      {head + "A1,CA\n", ImportOptions{}, "f.csv:3: it has 2 fields, and the header has 4"},
		"too many fields":     {head + "A1,CA,,,5\n", ImportOptions{}, "f.csv:3: it has 5 fields, and the header has 4"},
		"no plate":            {head + ",CA,,\n", ImportOptions{}, "f.csv:3: it has no plate"},
		"symbols only":        {head + "--,CA,,\n", ImportOptions{}, `f.csv:3: column 1 (plate): "--" has no letters A-Z or digits in it`},
		"long plate":          {head + "ABCDEFGHIJKLMNOPQ,CA,,\n", ImportOptions{}, `f.csv:3: column 1 (plate): "ABCDEFGHIJKLMNOPQ" is longer than a plate: 17 characters, and 16 is the most`},
		"wildcard":            {head + "A?1*,CA,,\n", ImportOptions{}, `f.csv:3: column 1 (plate): "A?1*": the pattern names fewer than three characters, and would match too many plates`},
		"date":                {head + "A1,CA,2026-02-30,\n", ImportOptions{}, `f.csv:3: column 3 (expires): "2026-02-30" is not a date; write 2026-12-31 or 2026-12-31T15:04:05Z`},
		"ambiguous date":      {head + "A1,CA,03/04/2026,\n", ImportOptions{}, `f.csv:3: column 3 (expires): "03/04/2026" can be two dates; say with -dates dmy or -dates mdy which comes first, day or month`},
		"priority":            {head + "A1,CA,,0\n", ImportOptions{}, `f.csv:3: column 4 (priority): "0" is not a priority: 1 (most urgent) to 9, or critical, high, medium, low`},
		"bare quote":          {head + "A1,C\"A,,\nB2,CA,,\n", ImportOptions{}, "f.csv:3: a quote stands inside a field that is not quoted"},
		"text behind a quote": {head + "A1,\"C\"A,,\nB2,CA,,\n", ImportOptions{}, "f.csv:3: a quoted field is not closed, or goes on behind its closing quote"},
		"open quote":          {head + "A1,\"CA,,\nB2,CA,,\n", ImportOptions{}, "f.csv:3: a quote is opened and not closed"},
		"open quote at end":   {head + "A1,CA,,\"", ImportOptions{}, "f.csv:3: a quoted field is not closed, or goes on behind its closing quote"},
		"not UTF-8":           {head + "A1,N\xd6,,\n", ImportOptions{}, "f.csv:3: column 2 (state): it is not UTF-8; name the file's encoding, for example -encoding windows-1252"},
		"zero byte":           {head + "A1,C\x00A,,\n", ImportOptions{}, "f.csv:3: column 2 (state): it has a zero byte in it"},
		"long line":           {head + "A1,CA,," + strings.Repeat("x", (64<<10)) + "\n", ImportOptions{}, "f.csv:3: it is longer than 64 KiB"},
		"long value":          {head + "A1," + strings.Repeat("x", 41) + ",,\n", ImportOptions{}, "f.csv:3: column 2 (state): it is longer than 40 bytes"},
		"workbook":            {"PK\x03\x04....", ImportOptions{}, "hotlist import: DIR: import refused: f.csv is a zip archive or an Excel workbook; save it as CSV or unpack it"},
		"no entry":            {"plate\n", ImportOptions{}, "hotlist import: f.csv: import refused: it holds not a single entry"},
		"only skipped":        {"plate\nNONE\n000\n", ImportOptions{}, "hotlist import: f.csv: import refused: it holds not a single entry"},
		"effective order":     {"plate,effective,expires\nA1,2026-02-02,2026-02-01\n", ImportOptions{}, "f.csv:2: it expires before it becomes effective"},
		"one plate too often": {"plate,record\n" + manyLines(listfile.MaxSharing+1, "DEALER,%03d\n"), ImportOptions{}, "f.csv:LINE: more than 512 entries have a plate like DEALER: no plate is stolen that often; name it with -skip"},
		"list name":           {head, ImportOptions{List: "../x"}, `hotlist import: DIR: a list cannot be named "../x"`},
		"1.01 % bad":          {"plate\n" + manyLines(98, "A%d\n") + "-\n", ImportOptions{Tolerant: true}, "hotlist import: f.csv: import refused: 1 of 99 lines are bad, more than 1 %"},
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
		"f:602: a quote is opened and not closed",
		"f:604: a quoted field is not closed, or goes on behind its closing quote",
		`f:606: column 1 (plate): "-" has no letters A-Z or digits in it`,
		"f:608: it is longer than 64 KiB",
		"f:609: a quote is opened and not closed",
		"f:610: it is longer than 64 KiB",
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
		"plate,note\nA,\"open\nB,\"x\"y\nC,\n", toUTF16("\ufeffplate\nA1\n", false), "plate,priority,covert,policy\nA,1,yes,exact\n", "PK\x03\x04",
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
