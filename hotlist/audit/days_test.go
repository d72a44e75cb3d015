package audit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDays sums up a trail over a change of the day, and while the clock was not set.
func TestDays(t *testing.T) {
	trail := openTrail(t, t.TempDir())
	at := time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC)
	trail.now = func() time.Time { return at }
	count := func(d DayCounts) {
		t.Helper()
		if err := trail.Count(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	record := func(r Record) {
		t.Helper()
		if err := trail.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	first := DayCounts{Day: "2026-03-01", Reads: 10, Passages: 4, Corrections: 1}
	first.Hits.Add("stolen", "stolen_vehicle", 2)
	first.How.Add("stolen", "exact", 1)
	first.How.Add("stolen", "confusable", 1)
	count(DayCounts{Day: "unknown", Reads: 3})
	count(first)
	count(first)
	record(Record{Kind: Import, List: "stolen", Added: 7, Removed: 2})
	record(Record{Kind: Lookup, Operator: "jane", Reason: "seen AB12345 at the gate", Plate: trail.Token("AB12345")})
	record(Record{Kind: Lookup, Operator: "jim", Reason: "seen XY-98-ZZ at the gate"})
	at = at.Add(2 * time.Hour)
	record(Record{Kind: Refuse, List: "stolen", Times: 3})
	record(Record{Kind: Export, List: "stolen", Reason: "court order"})
	record(Record{Kind: View, Viewed: "hits"})
	record(Record{Kind: View, Viewed: "hits", Since: at})
	count(DayCounts{Day: "2026-03-02", Reads: 5, Passages: 5, Withdrawals: 1}) // still running

	got, err := trail.Days("", "")
	if err != nil {
		t.Fatal(err)
	}
	twice := DayCounts{Day: "2026-03-01"}
	twice.add(first)
	twice.add(first)
	want := []Day{
		{DayCounts: twice, Added: map[string]uint64{"stolen": 7}, Removed: map[string]uint64{"stolen": 2}, Lookups: map[string]uint64{"seen *** at the gate": 2}},
		{DayCounts: DayCounts{Day: "2026-03-02", Reads: 5, Passages: 5, Withdrawals: 1}, Refused: 3, Exports: map[string]uint64{"court order": 1}, Views: 1},
		{DayCounts: DayCounts{Day: "unknown", Reads: 3}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := trail.Days("2026-03-02", "2026-03-02"); err != nil || len(got) != 1 || got[0].Day != "2026-03-02" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPublishable(t *testing.T) {
	for in, want := range map[string]string{
		"case 7": "case 7", "AB12345": "***", "ab-12-cd, again": "***, again", "2026-03-01": "2026-03-01", "incident 20260301": "incident 20260301", "": "",
		"warrant": "warrant",
	} {
		if got := publishable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
