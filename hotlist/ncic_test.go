package hotlist

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/match"
)

func ncicLine(record, agency, date, plate, state, plateYear, plateType, year, maker, model, style, colour string) string {
	return fmt.Sprintf("%-10s%-9s%-8s%-10s%-2s%-4s%-2s%-4s%-4s%-3s%-2s%s", record, agency, date, plate, state, plateYear, plateType, year, maker, model, style, colour)
}

func TestNCICExtract(t *testing.T) {
	text := strings.Join([]string{
		ncicLine("V123456789", "CA0194200", "20260301", "7ABC123", "CA", "2026", "PC", "2014", "FORD", "FOC", "4D", "BLU"),
		ncicLine("A000000001", "NV0020100", "20260302", "AB0 12", "NV", "", "", "", "", "", "", ""),
		ncicLine("H000000002", "NV0020100", "00000000", "XYZ789", "AZ", "", "", "0000", "", "", "", "RED/WHI"),
		ncicLine("P000000003", "NV0020100", "20260302", "NONE", "CA", "", "", "", "", "", "", ""),
		"",
		"\x1a",
	}, "\r\n")
	want := []entry.Entry{
		{Plate: "7ABC123", State: "CA", PlateType: "PC", Category: entry.StolenVehicle, Priority: 3, Record: "V123456789", Agency: "CA0194200",
			Vehicle: entry.Vehicle{Year: 2014, Make: "FORD", Model: "FOC", Style: "4D", Colour: "BLU"}, Effective: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
		{Plate: "AB012", State: "NV", Category: entry.AmberAlert, Priority: 1, Record: "A000000001", Agency: "NV0020100", Effective: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)},
		{Plate: "XYZ789", State: "AZ", Category: entry.ProtectionOrder, Priority: 3, Record: "H000000002", Agency: "NV0020100", Vehicle: entry.Vehicle{Colour: "RED/WHI"}},
	}
	for _, format := range []importer.Format{importer.Auto, importer.NCIC} {
		dir := t.TempDir()
		r, err := Import(t.Context(), dir, strings.NewReader(text), ImportOptions{List: "l", Options: importer.Options{Format: format, Location: time.UTC}})
		if err != nil {
			t.Fatal(err)
		}
		if r.List.Skipped != 1 || len(r.Extra) != 1 {
			t.Errorf("%+v", r)
		}
		if d := cmp.Diff(want, entries(t, openDB(t, dir), "l")); d != "" {
			t.Error(d)
		}
		// The file writes a zero for an O.
		if m := plates(t, openDB(t, dir), match.Query{Text: "ABO12", At: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), ClockSynchronised: true}); len(m) != 1 {
			t.Error(m)
		}
	}
	dir := t.TempDir()
	r, err := Import(t.Context(), dir, strings.NewReader(text), ImportOptions{List: "l", States: []string{"nv", "AZ"}})
	if err != nil || r.List.Entries != 2 || r.List.Skipped != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestBadNCICLinesAreNamed(t *testing.T) {
	good := ncicLine("V123456789", "CA0194200", "20260301", "7ABC123", "CA", "2026", "PC", "2014", "FORD", "FOC", "4D", "BLU")
	for name, c := range map[string]struct{ line, want string }{
		"short":   {"V123456789CA0194200", "f:2: it has 19 characters, and the state ends with the 39th"},
		"date":    {ncicLine("V123456789", "CA0194200", "20261301", "7ABC123", "CA", "", "", "", "", "", "", ""), `f:2: column 3 (date): "20261301" is not a date as YYYYMMDD`},
		"file":    {ncicLine("?123456789", "CA0194200", "20260301", "7ABC123", "CA", "", "", "", "", "", "", ""), `f:2: column 1 (record): "?" is no file of NCIC`},
		"year":    {ncicLine("V123456789", "CA0194200", "20260301", "7ABC123", "CA", "", "", "2O14", "", "", "", ""), `f:2: column 8 (vehicle_year): "2O14" is not a year`},
		"plate":   {ncicLine("V123456789", "CA0194200", "20260301", "", "CA", "", "", "", "", "", "", ""), "f:2: it has no plate"},
		"symbols": {ncicLine("V123456789", "CA0194200", "20260301", "---", "CA", "", "", "", "", "", "", ""), `f:2: column 4 (plate): "---" has no letters A-Z or digits in it`},
	} {
		_, err := Import(t.Context(), t.TempDir(), strings.NewReader(good+"\n"+c.line+"\n"), ImportOptions{List: "l", Options: importer.Options{Source: "f", Format: importer.NCIC}})
		var line *importer.LineError
		if !errors.As(err, &line) || line.Error() != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzNCIC(f *testing.F) {
	f.Add([]byte(ncicLine("V123456789", "CA0194200", "20260301", "7ABC123", "CA", "2026", "PC", "2014", "FORD", "FOC", "4D", "BLU") + "\nV\n\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := importer.Options{Format: importer.NCIC}
		if err := o.Fill(); err != nil {
			t.Fatal(err)
		}
		n, err := importer.Open(bytes.NewReader(b), o)
		if err != nil {
			return
		}
		var e entry.Entry
		for range len(b) + 2 {
			_, err := n.Next(&e)
			var line *importer.LineError
			switch {
			case err == nil:
				if err := e.Validate(); err != nil {
					t.Fatalf("%+v: %v", e, err)
				}
			case !errors.As(err, &line):
				return
			}
		}
		t.Fatal("it does not end")
	})
}
