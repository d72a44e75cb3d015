// Package oversight shows that a unit keeps to the rules: the counts that yearly
// reports ask for, the policy that follows from the configuration, and what the unit
// still holds of hits.
package oversight

import (
	"maps"
	"slices"
	"strconv"

	"platewatch/hotlist/audit"
)

// CountsHeader names the columns of [Counts].
var CountsHeader = []string{"day", "what", "list", "detail", "number"}

// Counts are the rows of a yearly report, one for each number that is not zero. what
// is one of:
//
//	reads, passages             plates read in single frames, vehicles that passed
//	hits                        of all lists
//	hits of category            list, and as detail the category
//	hits matched                list, and as detail how they matched
//	corrections, withdrawals    hits whose text changed, or that were taken back
//	verdicts                    list, and as detail how the hit matched and what a person found
//	added, removed              entries of a list
//	look-ups, exports           as detail the reason, without what may be a plate
//	refused lists, views        updates and imports refused; looks at live pictures or hits
func Counts(days []audit.Day, row func(...string) error) error {
	for _, d := range days {
		r := rows{day: d.Day, row: row}
		r.add("reads", "", "", d.Reads)
		r.add("passages", "", "", d.Passages)
		r.add("hits", "", "", d.Hits.Sum())
		r.tally("hits of category", d.Hits)
		r.tally("hits matched", d.How)
		r.add("corrections", "", "", d.Corrections)
		r.add("withdrawals", "", "", d.Withdrawals)
		r.tally("verdicts", d.Verdicts)
		r.each("added", d.Added, true)
		r.each("removed", d.Removed, true)
		r.each("look-ups", d.Lookups, false)
		r.each("exports", d.Exports, false)
		r.add("refused lists", "", "", d.Refused)
		r.add("views", "", "", d.Views)
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// rows writes the rows of one day. It keeps the first error.
type rows struct {
	day string
	row func(...string) error
	err error
}

func (r *rows) add(what, list, detail string, n uint64) {
	if n > 0 && r.err == nil {
		r.err = r.row(r.day, what, list, detail, strconv.FormatUint(n, 10))
	}
}

func (r *rows) tally(what string, t audit.Tally) {
	for _, list := range slices.Sorted(maps.Keys(t)) {
		for _, detail := range slices.Sorted(maps.Keys(t[list])) {
			r.add(what, list, detail, t[list][detail])
		}
	}
}

// each adds a row for each key: a list, or else a detail.
func (r *rows) each(what string, m map[string]uint64, isList bool) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if isList {
			r.add(what, key, "", m[key])
		} else {
			r.add(what, "", key, m[key])
		}
	}
}
