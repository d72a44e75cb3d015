package hotlist

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/match"
)

const mixed = "plate,category\nAB1234,stolen\nCD5678,immigration\nEF9012,amber alert\n"

// TestPurpose: a unit that may be used for some categories refuses lists with others,
// by import, by update and by hand, reports why, and does not match what is left of
// them from before.
func TestPurpose(t *testing.T) {
	purpose := entry.Purpose{Deny: []string{"immigration"}}
	dir := t.TempDir()
	by := Actor{Operator: "jane", Reason: "weekly"}
	_, err := Import(t.Context(), dir, strings.NewReader(mixed), ImportOptions{List: "l", Purpose: purpose, By: by})
	var e *entry.Error
	if !errors.Is(err, entry.ErrRefused) || !errors.As(err, &e) || !strings.Contains(err.Error(), "may not be used for immigration (1 entries)") || e.Hint() == "" {
		t.Fatalf("imported: %v", err)
	}
	if _, err := Import(t.Context(), dir, strings.NewReader(strings.ReplaceAll(mixed, "immigration", "wanted")), ImportOptions{List: "l", Purpose: purpose}); err != nil {
		t.Fatal(err)
	}
	db, err := Open(dir, Options{Purpose: purpose})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Add(t.Context(), "l", map[string]string{"plate": "XX1111", "category": "immigration"}, by); !errors.Is(err, entry.ErrRefused) {
		t.Errorf("added: %v", err)
	}
	trail, err := db.Trail()
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	err = trail.Records(audit.Filter{Kinds: []audit.Kind{audit.Refuse}}, func(r audit.Record) error {
		if refused++; r.Operator != "jane" || r.List != "l" || !strings.Contains(r.Refused, "immigration") {
			t.Errorf("recorded %+v", r)
		}
		return nil
	})
	if err != nil || refused != 1 {
		t.Errorf("%d refusals recorded, %v", refused, err)
	}

	// The purpose was limited after the list came.
	narrow, err := OpenReadOnly(dir, Options{Purpose: entry.Purpose{Allow: []string{"amber_alert"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer narrow.Close()
	for plate, want := range map[string]int{"AB1234": 0, "EF9012": 1} {
		if found, err := narrow.Match(match.Query{Text: plate, At: time.Now()}); err != nil || len(found) != want {
			t.Errorf("%s matches %d, %v", plate, len(found), err)
		}
	}
	states, err := narrow.States(time.Now(), true)
	if err != nil || len(states) != 1 || !slices.Equal(states[0].Forbidden, []string{entry.StolenVehicle, entry.Wanted}) {
		t.Errorf("%+v, %v", states, err)
	}
}

// TestPurposeOfUpdates: the server learns why its update was refused, and a later one
// without the entries is accepted.
func TestPurposeOfUpdates(t *testing.T) {
	s := newSigner(t)
	db, err := Open(t.TempDir(), Options{Trust: s.keys, RulesOf: strictly.RulesOf, Purpose: entry.Purpose{Allow: []string{"stolen", "amber"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := s.apply(db, "l", s.sign("l", mixed, 1)); !errors.Is(err, entry.ErrRefused) {
		t.Fatalf("applied: %v", err)
	}
	states, err := db.States(time.Now(), true)
	if err != nil || len(states) != 1 || states[0].Refused == nil || !strings.Contains(states[0].Refused.Reason, "immigration") {
		t.Fatalf("%+v, %v", states, err)
	}
	if _, err := s.apply(db, "l", s.sign("l", "plate,category\nAB1234,stolen\n", 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.apply(db, "l", s.sign("l", "plate,category\nAB1234,stolen\nCD5678,immigration\n", 3)); !errors.Is(err, entry.ErrRefused) { // a delta
		t.Errorf("applied: %v", err)
	}
	if got := platesOf(t, db, "l"); got != "AB1234" {
		t.Errorf("the list holds %s", got)
	}
}
