package hotlist

import (
	"testing"
	"time"

	"platewatch/hotlist/match"
)

func TestEntriesCountFromEffectiveUntilExpires(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate,effective,expires\nAA1,2026-01-01T10:00:00Z,2026-01-01T12:00:00Z\nBB2,,2026-01-01T12:00:00Z\nCC3,2026-01-01T10:00:00Z,\n")
	db := openDB(t, dir)
	at := func(hour int, d time.Duration) time.Time {
		return time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC).Add(d)
	}
	for _, c := range []struct {
		at         time.Time
		aa, bb, cc int
	}{
		{at(10, -1), 0, 1, 0},
		{at(10, 0), 1, 1, 1},
		{at(12, -1), 1, 1, 1},
		{at(12, 0), 0, 0, 1},
		{time.Unix(0, 0), 0, 1, 0}, // a board's clock after a power cut
	} {
		for plate, want := range map[string]int{"AA1": c.aa, "BB2": c.bb, "CC3": c.cc} {
			if got := plates(t, db, match.Query{Text: plate, At: c.at, ClockSynchronised: true}); len(got) != want {
				t.Errorf("%s at %v: %v", plate, c.at, got)
			}
			m, err := db.Match(match.Query{Text: plate, At: c.at})
			if err != nil || len(m) != 1 || !m[0].TimeUnsure {
				t.Errorf("%s at %v by a clock that is not synchronised: %+v, %v", plate, c.at, m, err)
			}
		}
	}
}

func TestTextThatIsNoPlateMatchesNothing(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate\nA\nABCDEFGHIJKLMNOP\n")
	db := openDB(t, dir)
	for _, text := range []string{"", "--", "AB", "ABCDEFGHIJKLMNOPQ", "ABCDEFGHIJKLMNO", "\x00", string(make([]byte, 1<<20))} {
		if got := plates(t, db, match.Query{Text: text}); got != nil {
			t.Errorf("%.20q: %v", text, got)
		}
	}
	if got := plates(t, db, match.Query{Text: "ABCDEFGHIJKLMNOP"}); len(got) != 1 {
		t.Error(got)
	}
}

// Nearly every lookup finds nothing.
func TestMissNeedsNoMemory(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate\n"+manyLines(1000, "A%d\n"))
	db := openDB(t, dir)
	allocs := testing.AllocsPerRun(100, func() {
		if m, err := db.Match(match.Query{Text: "B-12 34", ClockSynchronised: true}); m != nil || err != nil {
			t.Error(m, err)
		}
	})
	if allocs != 0 && !underRace {
		t.Errorf("%v allocations", allocs)
	}
}
