package hotlist

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/match"
)

// model is a hotlist as simple as it can be: lists of entries, searched from
// beginning to end.
type model map[string][]entry.Entry

func (m model) match(text string, at time.Time, synchronised bool) []match.Match {
	var found []match.Match
	text = entry.Normalize(text)
	for name, entries := range m {
		for _, e := range entries {
			how := match.Exact
			if e.Plate != text {
				how = match.Confusable
				if e.Policy == entry.PolicyExact || entry.Fold(e.Plate) != entry.Fold(text) {
					continue
				}
			}
			bounds := !e.Effective.IsZero() || !e.Expires.IsZero()
			if synchronised && (at.Before(e.Effective) || !e.Expires.IsZero() && !at.Before(e.Expires)) {
				continue
			}
			found = append(found, match.Match{List: name, Version: "v", How: how, Entry: e, TimeUnsure: bounds && !synchronised})
		}
	}
	slices.SortFunc(found, match.Compare)
	return found
}

// Random imports, removals, lookups and reopenings, by one process and beside
// a second one that only watches, against the model.
func TestBehavesLikeTheModel(t *testing.T) {
	t.Parallel()
	// Few characters, most of them confusable, so that plates collide.
	plate := rapid.StringMatching(`[O0QI1AB]{1,4}`)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hour := rapid.Custom(func(t *rapid.T) time.Time {
		return start.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "hour")) * time.Hour)
	})
	entry := rapid.Custom(func(t *rapid.T) entry.Entry {
		e := entry.Entry{Plate: plate.Draw(t, "plate"), State: rapid.SampledFrom([]string{"", "CA", "NY"}).Draw(t, "state"),
			Category: rapid.SampledFrom([]string{entry.Wanted, entry.AmberAlert, "blue"}).Draw(t, "category"), Priority: rapid.IntRange(1, 9).Draw(t, "priority"),
			Policy: rapid.SampledFrom([]entry.Policy{entry.PolicyAny, entry.PolicyAny, entry.PolicyExact}).Draw(t, "policy"), Note: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "note")}
		if rapid.Bool().Draw(t, "effective?") {
			e.Effective = hour.Draw(t, "effective")
		}
		if rapid.Bool().Draw(t, "expires?") {
			e.Expires = hour.Draw(t, "expires")
		}
		switch {
		case e.Effective.Equal(e.Expires):
			e.Effective = time.Time{}
		case !e.Expires.IsZero() && e.Expires.Before(e.Effective):
			e.Effective, e.Expires = e.Expires, e.Effective
		}
		return e
	})
	list := rapid.SampledFrom([]string{"a", "b", "c"})
	root := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		dir := fmt.Sprint(root, "/", run)
		db, err := Open(dir, strictly)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { db.Close() }()
		watcher, err := OpenReadOnly(dir, strictly)
		if err != nil {
			t.Fatal(err)
		}
		defer watcher.Close()
		m := model{}
		t.Repeat(map[string]func(*rapid.T){
			"import": func(t *rapid.T) {
				name, all := list.Draw(t, "list"), rapid.SliceOfN(entry, 1, 30).Draw(t, "entries")
				report, err := Import(t.Context(), dir, strings.NewReader(asCSV(all)), ImportOptions{List: name, Version: "v", Skip: []string{}, Options: importer.Options{Location: time.UTC}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := db.reload(t.Context()); err != nil {
					t.Fatal(err)
				}
				m[name] = lastOfEach(all)
				if report.List.Entries != len(m[name]) || report.List.Duplicates != len(all)-len(m[name]) {
					t.Fatalf("report %+v of %d entries, %d different", report, len(all), len(m[name]))
				}
			},
			"refused import": func(t *rapid.T) {
				text := asCSV(rapid.SliceOfN(entry, 0, 5).Draw(t, "entries")) + "---,,,,,,,\n"
				if _, err := Import(t.Context(), dir, strings.NewReader(text), ImportOptions{List: list.Draw(t, "list")}); err == nil {
					t.Fatal("imported")
				}
			},
			"remove": func(t *rapid.T) {
				name := list.Draw(t, "list")
				_, there := m[name]
				if err := db.Remove(t.Context(), name, Actor{}); (err == nil) != there {
					t.Fatalf("list there: %v, remove: %v", there, err)
				}
				delete(m, name)
			},
			"reopen": func(t *rapid.T) {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				if db, err = Open(dir, strictly); err != nil {
					t.Fatal(err)
				}
			},
			"match": func(t *rapid.T) {
				q := match.Query{Text: plate.Draw(t, "text"), At: hour.Draw(t, "at"), ClockSynchronised: rapid.Bool().Draw(t, "synchronised")}
				if _, err := watcher.reload(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := m.match(q.Text, q.At, q.ClockSynchronised)
				for _, db := range []*DB{db, watcher} {
					got, err := db.Match(q)
					if err != nil {
						t.Fatal(err)
					}
					for i := range got { // the model knows no probabilities and dates
						got[i].Probability, got[i].Dated = 0, time.Time{}
					}
					slices.SortFunc(got, match.Compare)
					if d := cmp.Diff(want, got); d != "" {
						t.Fatal(d)
					}
				}
			},
			"": func(t *rapid.T) {
				lists, err := db.Lists()
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, l := range lists {
					names = append(names, l.Name)
					if l.Entries != len(m[l.Name]) || l.Fallback {
						t.Fatalf("%+v, and the model has %d entries", l, len(m[l.Name]))
					}
				}
				if want := slices.Sorted(maps.Keys(m)); !slices.Equal(names, want) {
					t.Fatalf("lists %v, want %v", names, want)
				}
				if d := db.Damage(); len(d) > 0 {
					t.Fatalf("%+v", d)
				}
			},
		})
	})
}

func asCSV(entries []entry.Entry) string {
	var b strings.Builder
	b.WriteString("plate,state,category,priority,policy,note,effective,expires\n")
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	for _, e := range entries {
		fmt.Fprintf(&b, "%s,%s,%s,%d,%s,%s,%s,%s\n", e.Plate, e.State, e.Category, e.Priority, e.Policy, e.Note, stamp(e.Effective), stamp(e.Expires))
	}
	return b.String()
}

// lastOfEach drops entries that a later one repeats.
func lastOfEach(all []entry.Entry) []entry.Entry {
	type identity struct{ plate, state, category string }
	var kept []entry.Entry
	at := map[identity]int{}
	for _, e := range all {
		id := identity{e.Plate, e.State, e.Category}
		if i, ok := at[id]; ok {
			kept[i] = e
			continue
		}
		at[id] = len(kept)
		kept = append(kept, e)
	}
	return kept
}
