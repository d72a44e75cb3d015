package hotlist

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// importList imports text as a list and fails the test if that fails.
func importList(t testing.TB, dir, list, text string) ImportReport {
	t.Helper()
	report, err := Import(t.Context(), dir, strings.NewReader(text), ImportOptions{List: list, Version: "v", Source: list + ".csv", Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func openDB(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// plates returns "how plate" of all matches.
func plates(t testing.TB, db *DB, q Query) []string {
	t.Helper()
	matches, err := db.Match(q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range matches {
		got = append(got, string(m.How)+" "+m.Entry.Plate)
	}
	return got
}

func entries(t testing.TB, db *DB, list string) []Entry {
	t.Helper()
	var all []Entry
	for e, err := range db.Entries(t.Context(), list) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestImportedListMatches(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "stolen", `plate,state,category,priority,vehicle_make,expires
AB-123-O,ny,stolen vehicle,,FORD,
AB 123 0,NJ,amber alert,,,2030-01-01
XYZ789,CA,felony,,,2020-06-30
`)
	db := openDB(t, dir)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

	matches, err := db.Match(Query{Text: "ab 123-o", At: now, ClockSynchronised: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []Match{
		{List: "stolen", Version: "v", How: Confusable, Entry: Entry{Plate: "AB1230", State: "NJ", Category: AmberAlert, Priority: 1,
			Expires: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)}},
		{List: "stolen", Version: "v", How: Exact, Entry: Entry{Plate: "AB123O", State: "NY", Category: StolenVehicle, Priority: 3,
			Vehicle: Vehicle{Make: "FORD"}}},
	}
	if d := cmp.Diff(want, matches); d != "" {
		t.Error(d)
	}
	if got := plates(t, db, Query{Text: "XYZ789", At: now, ClockSynchronised: true}); got != nil {
		t.Errorf("expired entry matched: %v", got)
	}
	matches, err = db.Match(Query{Text: "XYZ789", At: now})
	if err != nil || len(matches) != 1 || !matches[0].TimeUnsure {
		t.Errorf("with an unsynchronised clock: %+v, %v", matches, err)
	}
	if err := db.Check(context.Background()); err != nil {
		t.Error(err)
	}
}
