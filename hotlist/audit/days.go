package audit

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Day is what a yearly report says of one day: its counts, and what the trail records
// of lists and people. It holds no plate.
type Day struct {
	DayCounts
	Added   map[string]uint64 `json:"added,omitempty"`    // entries, by list
	Removed map[string]uint64 `json:"removed,omitempty"`  // entries, by list
	Lookups map[string]uint64 `json:"look_ups,omitempty"` // by reason, see [publishable]
	Exports map[string]uint64 `json:"exports,omitempty"`  // by reason
	Refused uint64            `json:"refused,omitempty"`  // updates and imports of lists
	Views   uint64            `json:"views,omitempty"`    // looks at live pictures or hits
	// Verdicts counts what persons found, by list and by how the hit matched and what was
	// found: "one_character, wrong", or, where they changed it, "exact, right instead of wrong".
	Verdicts Tally `json:"verdicts,omitempty"`
}

// Days sums up the trail by day, from the first day to the last one, both included
// (2006-01-02, UTC; empty: without bound), in their order. Counts of times at which
// the clock was not set come last, under the day "unknown", unless the days are
// bounded. Records are put under the day of their time, counts under that of their own.
func (t *Trail) Days(from, to string) ([]Day, error) {
	days := map[string]*Day{}
	day := func(name string) *Day {
		if days[name] == nil {
			days[name] = &Day{DayCounts: DayCounts{Day: name}}
		}
		return days[name]
	}
	count := func(m *map[string]uint64, key string, n int) {
		if n <= 0 {
			return
		}
		if *m == nil {
			*m = map[string]uint64{}
		}
		(*m)[key] += uint64(n)
	}
	err := t.Records(Filter{}, func(r Record) error {
		d := func() *Day { return day(r.At.UTC().Format(time.DateOnly)) }
		switch r.Kind {
		case Counts:
			if r.Counts != nil {
				day(r.Counts.Day).add(*r.Counts)
			}
		case Import, Apply, Add, Remove:
			count(&d().Added, r.List, r.Added)
			count(&d().Removed, r.List, r.Removed)
		case Lookup:
			count(&d().Lookups, publishable(r.Reason), 1)
		case Export:
			count(&d().Exports, publishable(r.Reason), 1)
		case Refuse:
			d().Refused += uint64(max(r.Times, 1))
		case Verdict:
			what := r.How + ", " + r.Verdict
			if r.Before != "" {
				what += " instead of " + r.Before
			}
			d().Verdicts.Add(r.List, what, 1)
		case View:
			if r.Since.IsZero() {
				d().Views++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	today, err := t.counted()
	if err != nil {
		return nil, err
	}
	if today.Day != "" {
		day(today.Day).add(today)
	}
	var out []Day
	for name, d := range days {
		if from == "" && to == "" || name != "unknown" && (from == "" || name >= from) && (to == "" || name <= to) {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Day) int { return cmp.Compare(a.Day, b.Day) }) // "unknown" is after all digits
	return out, nil
}

// plateLike is a word that may be a plate: 4 to 9 letters and digits, both, perhaps
// with hyphens.
var plateLike = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9-]*`)

// publishable is a person's text without the words that may be plates: letters mixed
// with digits. They become "***".
func publishable(text string) string {
	return plateLike.ReplaceAllStringFunc(text, func(w string) string {
		bare := strings.ReplaceAll(w, "-", "")
		digits := strings.ContainsAny(bare, "0123456789")
		letters := strings.ContainsFunc(bare, func(r rune) bool { return r > '9' })
		if digits && letters && len(bare) >= 4 && len(bare) <= 9 {
			return "***"
		}
		return w
	})
}
