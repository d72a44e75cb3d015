package hotlist

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
)

// copyFiles copies the files of a directory that match, over those that are there.
func copyFiles(t *testing.T, from, to, pattern string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(from, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(path)), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func stateOf(t *testing.T, db *DB, list string) ListState {
	t.Helper()
	states, err := db.States(time.Now(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if s.Name == list {
			return s
		}
	}
	return ListState{}
}

// An older list and its trust file are put back, or both removed, while the unit is
// off: the audit trail still knows the version, and nothing older is accepted.
func TestAttackOlderListPutBack(t *testing.T) {
	s := newSigner(t)
	v8, v9, v10 := s.sign("l", "plate\nAAA1111\n", 8), s.sign("l", "plate\nBBB2222\n", 9), s.sign("l", "plate\nCCC3333\n", 10)
	db, older := s.unit(), t.TempDir()
	if _, err := s.apply(db, "l", v8); err != nil {
		t.Fatal(err)
	}
	copyFiles(t, db.dir, older, "l.*")
	if _, err := s.apply(db, "l", v10); err != nil {
		t.Fatal(err)
	}
	if st := stateOf(t, db, "l"); st.Accepted != 0 || st.Unrecorded {
		t.Errorf("as it should be: %+v", st)
	}
	restart := func() *DB {
		t.Helper()
		again, err := Open(db.dir, Options{Trust: s.keys, RulesOf: strictly.RulesOf})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { again.Close() })
		return again
	}
	copyFiles(t, older, db.dir, "l.*")
	back := restart()
	if st := stateOf(t, back, "l"); st.Version != "8" || st.Accepted != 10 {
		t.Errorf("older files put back: %+v", st)
	}
	if _, err := s.apply(back, "l", v9); !errors.Is(err, entry.ErrRollback) {
		t.Errorf("a version between: %v", err)
	}
	if _, err := s.apply(back, "l", v10); err != nil || stateOf(t, back, "l").Accepted != 0 {
		t.Errorf("the newest again: %v, %+v", err, stateOf(t, back, "l"))
	}

	paths, err := filepath.Glob(filepath.Join(db.dir, "l.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	gone := restart()
	if st := stateOf(t, gone, "l"); !st.Missing || st.Accepted != 10 {
		t.Errorf("list and trust file removed: %+v", st)
	}
	if _, err := s.apply(gone, "l", v9); !errors.Is(err, entry.ErrRollback) {
		t.Errorf("an older version into the empty place: %v", err)
	}

	// The other way round: the trail is removed, and the list betrays that.
	if _, err := s.apply(gone, "l", v10); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(db.dir, "audit")), os.Remove(filepath.Join(db.dir, "audit.head"))); err != nil {
		t.Fatal(err)
	}
	if st := stateOf(t, restart(), "l"); !st.Unrecorded {
		t.Errorf("the trail removed: %+v", st)
	}
}

// A hundred refused manifests a second, for three years: they stay a small part of the
// trail, and their number is told.
func TestAttackRefusalsFillTheTrail(t *testing.T) {
	now, began := time.Duration(0), time.Now()
	rs := refusals{now: func() time.Time { return began.Add(now) }}
	const every, days = 2 * time.Second, 7
	written, refused := 0, 0
	for ; now < days*24*time.Hour; now += every {
		for _, kind := range []error{entry.ErrForged, entry.ErrRollback, entry.ErrRefused} {
			for range 2 {
				r := audit.Record{Kind: audit.Refuse}
				if rs.add(kind, &r) {
					written++
					refused += max(r.Times, 1)
				}
			}
		}
	}
	if written > days*(refusalsADay+3*25) {
		t.Errorf("%d records in %d days", written, days)
	}
	all := 6 * int(days*24*time.Hour/every)
	for _, c := range rs.kinds {
		refused += c.pending
	}
	if refused != all {
		t.Errorf("%d of %d refusals are told of", refused, all)
	}

	// The same with real manifests, for as long as a test may take.
	s := newSigner(t)
	db := s.unit()
	trail, err := audit.Open(db.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := trail.Append(t.Context(), audit.Record{Kind: audit.Lookup, Operator: "jane"}); err != nil {
		t.Fatal(err)
	}
	const manifests = 50
	for i := range manifests {
		if _, err := db.Apply(t.Context(), "l", []byte(fmt.Sprintf("forged %d\n", i)), nil); !errors.Is(err, entry.ErrRefused) {
			t.Fatal(err)
		}
	}
	r, err := trail.Verify()
	if err != nil || r.Records > 3 {
		t.Errorf("%+v, %v", r, err)
	}
	t.Attr("outcome", strings.TrimSpace(fmt.Sprintf("%d refusals in %d days are %d records; %d forged manifests at once are %d", all, days, written, manifests, r.Records-1)))
}
