package importer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/entry"
)

// readAll reads all entries of a text, up to the first error.
func readAll(text string, o Options) ([]entry.Entry, *Reader, error) {
	if err := o.Fill(); err != nil {
		return nil, nil, err
	}
	r, err := Open(strings.NewReader(text), o)
	if err != nil {
		return nil, nil, err
	}
	var all []entry.Entry
	for {
		var e entry.Entry
		if _, err := r.Next(&e); errors.Is(err, io.EOF) {
			return all, r, nil
		} else if err != nil {
			return all, r, err
		}
		all = append(all, e)
	}
}

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
		{Plate: "AB123", Written: "AB-123", State: "NÖ", Category: entry.Other, Priority: entry.PriorityOf(entry.Other), Note: `says "hi", twice`},
		{Plate: "CD456", Written: "CD 456", Category: entry.Other, Priority: entry.PriorityOf(entry.Other)},
	}
	const comma = "plate,state,note\nAB-123,nö,\"says \"\"hi\"\", twice\"\nCD 456,,\n"
	for name, c := range map[string]struct {
		text string
		o    Options
	}{
		"comma":               {text: comma},
		"CRLF":                {text: strings.ReplaceAll(comma, "\n", "\r\n")},
		"no newline at end":   {text: strings.TrimSuffix(comma, "\n")},
		"blank lines":         {text: "\n  \n" + strings.ReplaceAll(comma, "\n", "\n\n") + ",,\n"},
		"BOM":                 {text: "\ufeff" + comma},
		"semicolon":           {text: "plate;state;note\nAB-123;nö;\"says \"\"hi\"\", twice\"\nCD 456;;\n"},
		"tab":                 {text: "plate\tstate\tnote\nAB-123\tnö\t\"says \"\"hi\"\", twice\"\nCD 456\t\t\n"},
		"given semicolon":     {text: "plate;state;note,a,b,c,d\nAB-123;nö;\"says \"\"hi\"\", twice\"\nCD 456;;\n", o: Options{Format: Semicolon, Columns: map[string]string{"note,a,b,c,d": "note"}}},
		"Excel's separator":   {text: "sep=;\r\nplate;state;note\r\nAB-123;nö;\"says \"\"hi\"\", twice\"\r\nCD 456;;\r\n"},
		"UTF-16 LE with BOM":  {text: toUTF16("\ufeff"+comma, false)},
		"UTF-16 BE with BOM":  {text: toUTF16("\ufeff"+comma, true)},
		"UTF-16 LE":           {text: toUTF16(comma, false)},
		"UTF-16 BE":           {text: toUTF16(comma, true)},
		"Windows-1252":        {text: strings.ReplaceAll(comma, "ö", "\xf6"), o: Options{Encoding: Windows1252}},
		"aliases":             {text: "Licence No.,Remarks,Issuing State\nAB-123,\"says \"\"hi\"\", twice\",nö\nCD 456,,\n"},
		"mapped by name":      {text: "a,b,c\nAB-123,nö,\"says \"\"hi\"\", twice\"\nCD 456,,\n", o: Options{Columns: map[string]string{"a": "plate", "B": "state", "c": "note"}}},
		"mapped by number":    {text: "a,b,c\nAB-123,nö,\"says \"\"hi\"\", twice\"\nCD 456,,\n", o: Options{Columns: map[string]string{"1": "plate", "2": "state", "3": "note"}}},
		"trailing separators": {text: "plate,state,note\nAB-123,nö,\"says \"\"hi\"\", twice\",,\nCD 456,,,\n"},
		"broken line":         {text: "plate,state,note\nAB-123,nö,\"says \"\"hi\"\",\ntwice\"\nCD 456,,\n"},
		"left-out column":     {text: "plate,state,type,note\nAB-123,nö,PC,\"says \"\"hi\"\", twice\"\nCD 456,,PC,\n", o: Options{Columns: map[string]string{"type": ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, r, err := readAll(c.text, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if _, extra := r.Columns(); extra != nil {
				t.Errorf("columns ignored: %q", extra)
			}
		})
	}
}

func TestAllFieldsAreImported(t *testing.T) {
	got, r, err := readAll(
		"plate,state,plate_type,category,priority,covert,effective,expires,year,make,model,style,color,record,ori,handling,policy,note,shoe size\n"+
			"a1,ca,PC,Amber,high,yes,2026-01-02,2026-03-31,2019,FORD,F150,PK,RED,V1,CA01,\"do not\x1b[31m stop\",exact,n,43\n",
		Options{Location: time.FixedZone("", 3600)})
	if err != nil {
		t.Fatal(err)
	}
	want := []entry.Entry{{Plate: "A1", State: "CA", PlateType: "PC", Category: entry.AmberAlert, Priority: 2, Covert: true, Handling: "do not [31m stop",
		Vehicle: entry.Vehicle{Year: 2019, Make: "FORD", Model: "F150", Style: "PK", Colour: "RED"}, Record: "V1", Agency: "CA01", Note: "n",
		Effective: time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC), Expires: time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC), Policy: entry.PolicyExact}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	_, extra := r.Columns()
	if d := cmp.Diff([]string{"shoe size"}, extra); d != "" {
		t.Error(d)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	const head = "plate,state,expires,priority\nOK1,CA,,\n"
	for name, c := range map[string]struct {
		text string
		o    Options
		want string
	}{
		"no header":           {"", Options{}, "import refused: f.csv is empty"},
		"no plate column":     {"foo,bar\n1,2\n", Options{}, `f.csv:1: none of the columns "foo", "bar" looks like the plate; name it with -map COLUMN=plate`},
		"blank":               {"\n\n \n", Options{}, "import refused: f.csv is empty"},
		"two plate columns":   {"plate,vrm\n1,2\n", Options{}, `f.csv:1: columns "plate" and "vrm" both look like plate; say with -map which one it is`},
		"missing column":      {head, Options{Columns: map[string]string{"x": "plate"}}, `f.csv:1: there is no column "x"; the columns are "plate", "state", "expires", "priority"`},
		"field":               {head, Options{Columns: map[string]string{"state": "x"}}, `column "state" is mapped to the unknown field "x"; the fields are ` + strings.Join(Fields(), ", ")},
		"too few fields":      {head + "A1,CA\n", Options{}, "f.csv:3: 2 fields, but the header has 4"},
		"too many fields":     {head + "A1,CA,,,5\n", Options{}, "f.csv:3: 5 fields, but the header has 4"},
		"no plate":            {head + ",CA,,\n", Options{}, "f.csv:3: no plate"},
		"symbols only":        {head + "--,CA,,\n", Options{}, `f.csv:3: column 1 (plate): "--" has no letters A-Z or digits`},
		"long plate":          {head + "ABCDEFGHIJKLMNOPQ,CA,,\n", Options{}, `f.csv:3: column 1 (plate): "ABCDEFGHIJKLMNOPQ" is too long for a plate: 17 characters, maximum 16`},
		"wildcard":            {head + "A?1*,CA,,\n", Options{}, `f.csv:3: column 1 (plate): "A?1*": the pattern has fewer than three literal characters and would match too many plates`},
		"date":                {head + "A1,CA,2026-02-30,\n", Options{}, `f.csv:3: column 3 (expires): "2026-02-30" is not a date; write 2026-12-31 or 2026-12-31T15:04:05Z`},
		"ambiguous date":      {head + "A1,CA,03/04/2026,\n", Options{}, `f.csv:3: column 3 (expires): "03/04/2026" is ambiguous; say with -dates dmy or -dates mdy whether day or month comes first`},
		"priority":            {head + "A1,CA,,0\n", Options{}, `f.csv:3: column 4 (priority): "0" is not a priority: 1 (most urgent) to 9, or critical, high, medium, low`},
		"bare quote":          {head + "A1,C\"A,,\nB2,CA,,\n", Options{}, "f.csv:3: a quote inside an unquoted field"},
		"text behind a quote": {head + "A1,\"C\"A,,\nB2,CA,,\n", Options{}, "f.csv:3: a quoted field is not closed, or continues after its closing quote"},
		"open quote":          {head + "A1,\"CA,,\nB2,CA,,\n", Options{}, "f.csv:3: an opening quote is not closed"},
		"open quote at end":   {head + "A1,CA,,\"", Options{}, "f.csv:3: a quoted field is not closed, or continues after its closing quote"},
		"not UTF-8":           {head + "A1,N\xd6,,\n", Options{}, "f.csv:3: column 2 (state): not UTF-8; name the file's encoding, for example -encoding windows-1252"},
		"zero byte":           {head + "A1,C\x00A,,\n", Options{}, "f.csv:3: column 2 (state): contains a zero byte"},
		"long line":           {head + "A1,CA,," + strings.Repeat("x", (64<<10)) + "\n", Options{}, "f.csv:3: longer than 64 KiB"},
		"long value":          {head + "A1," + strings.Repeat("x", 41) + ",,\n", Options{}, "f.csv:3: column 2 (state): longer than 40 bytes"},
		"workbook":            {"PK\x03\x04....", Options{}, "import refused: f.csv is a zip archive, or a workbook; unpack the one; the other: open it, format the column of the plates as text, and save it under the type CSV UTF-8"},
		"effective order":     {"plate,effective,expires\nA1,2026-02-02,2026-02-01\n", Options{}, "f.csv:2: expires before it becomes effective"},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Source = "f.csv"
			_, _, err := readAll(c.text, c.o)
			if err == nil {
				t.Fatal("read")
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
			if !errors.Is(err, entry.ErrRefused) && !errors.Is(err, entry.ErrOptions) {
				t.Errorf("%v is neither a refusal nor an invalid option", err)
			}
		})
	}
}
