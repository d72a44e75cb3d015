package importer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"platewatch/hotlist/entry"

	"github.com/google/go-cmp/cmp"
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
		{Plate: "AB012", Written: "AB0 12", State: "NV", Category: entry.AmberAlert, Priority: 1, Record: "A000000001", Agency: "NV0020100", Effective: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)},
		{Plate: "XYZ789", State: "AZ", Category: entry.ProtectionOrder, Priority: 3, Record: "H000000002", Agency: "NV0020100", Vehicle: entry.Vehicle{Colour: "RED/WHI"}},
	}
	want = append(want, entry.Entry{Plate: "NONE", State: "CA", Category: entry.StolenPlate, Priority: 4, Record: "P000000003", Agency: "NV0020100",
		Effective: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)})
	for _, format := range []Format{Auto, NCIC} {
		got, r, err := readAll(text, Options{Format: format, Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		if _, extra := r.Columns(); len(extra) != 1 {
			t.Errorf("columns ignored: %q", extra)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

func TestBadNCICLinesAreNamed(t *testing.T) {
	good := ncicLine("V123456789", "CA0194200", "20260301", "7ABC123", "CA", "2026", "PC", "2014", "FORD", "FOC", "4D", "BLU")
	for name, c := range map[string]struct{ line, want string }{
		"short":   {"V123456789CA0194200", "f:2: 19 characters; the plate begins at the 28th"},
		"date":    {ncicLine("V123456789", "CA0194200", "20261301", "7ABC123", "CA", "", "", "", "", "", "", ""), `f:2: column 3 (date): "20261301" is not a date (YYYYMMDD)`},
		"file":    {ncicLine("?123456789", "CA0194200", "20260301", "7ABC123", "CA", "", "", "", "", "", "", ""), `f:2: column 1 (record): "?" is not a file of NCIC`},
		"year":    {ncicLine("V123456789", "CA0194200", "20260301", "7ABC123", "CA", "", "", "2O14", "", "", "", ""), `f:2: column 8 (vehicle_year): "2O14" is not a year`},
		"plate":   {ncicLine("V123456789", "CA0194200", "20260301", "", "CA", "", "", "", "", "", "", ""), "f:2: no plate"},
		"symbols": {ncicLine("V123456789", "CA0194200", "20260301", "---", "CA", "", "", "", "", "", "", ""), `f:2: column 4 (plate): "---" has no letters A-Z or digits`},
	} {
		_, _, err := readAll(good+"\n"+c.line+"\n", Options{Source: "f", Format: NCIC})
		var line *LineError
		if !errors.As(err, &line) || line.Error() != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzNCIC(f *testing.F) {
	f.Add([]byte(ncicLine("V123456789", "CA0194200", "20260301", "7ABC123", "CA", "2026", "PC", "2014", "FORD", "FOC", "4D", "BLU") + "\nV\n\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := Options{Format: NCIC}
		if err := o.Fill(); err != nil {
			t.Fatal(err)
		}
		n, err := Open(bytes.NewReader(b), o)
		if err != nil {
			return
		}
		var e entry.Entry
		for range len(b) + 2 {
			_, err := n.Next(&e)
			var line *LineError
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
