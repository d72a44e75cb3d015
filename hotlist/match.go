package hotlist

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Query is a plate that was read.
type Query struct {
	// Text is normalised before it is looked up.
	Text string
	// At is when the plate was read, by the unit's clock. Default: now.
	At time.Time
	// ClockSynchronised: At can be trusted. If it cannot, entries match
	// whatever their time bounds, and say so: a board without a battery starts
	// in 1970, and must not let a wanted car pass for that.
	ClockSynchronised bool
}

// How tells in which way a reading matched an entry.
type How string

// The ways to match.
const (
	// Exact: the reading is the entry's plate.
	Exact How = "exact"
	// Confusable: it is after both are folded (see [Fold]).
	Confusable How = "confusable"
)

// Match is one entry that a plate matched.
type Match struct {
	List    string `json:"list"`
	Version string `json:"version"`
	How     How    `json:"how"`
	Entry   Entry  `json:"entry"`
	// TimeUnsure: the entry has time bounds and the unit's clock was not
	// synchronised, so that it may have expired or not be effective yet.
	TimeUnsure bool `json:"time_unsure,omitempty"`
}

// Match looks a plate up in all lists and returns the entries that match, most
// urgent first; at equal priority exact ones first, then by list and entry. No
// match is not an error.
//
// If a list turns out to be damaged the matches from the others are returned
// together with the error, and [DB.Refresh] replaces the list.
func (db *DB) Match(q Query) ([]Match, error) {
	var buf [4 * MaxPlate]byte
	text := appendNormal(buf[:0], q.Text)
	db.lookups.Add(1)
	if len(text) == 0 || len(text) > MaxPlate {
		return nil, nil
	}
	var foldedBuf [MaxPlate]byte
	folded := append(foldedBuf[:0], text...)
	foldBytes(folded)

	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, db.errClosed("match")
	}
	var matches []Match
	var failed []error
	for _, l := range db.lists {
		found, err := l.match(matches, text, folded, &q)
		if err != nil {
			failed = append(failed, &Error{Op: "match", Path: l.path, Err: err, Advice: adviceFor(err)})
			continue
		}
		matches = found
	}
	if failed != nil {
		db.failures.Add(1)
	}
	if len(matches) > 0 {
		db.matched.Add(1)
	}
	if len(matches) > 1 {
		slices.SortFunc(matches, compareMatches)
	}
	return matches, errors.Join(failed...)
}

// match appends the entries of one list that match to matches.
func (l *listFile) match(matches []Match, text, folded []byte, q *Query) ([]Match, error) {
	err := l.lookup(folded, func(payload []byte) error {
		e, err := decodePayload(payload)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		m := Match{List: l.Name, Version: l.Version, How: Exact, Entry: e}
		if e.Plate != string(text) {
			if Fold(e.Plate) != string(folded) {
				return fmt.Errorf("%w: a record lies under another plate's key", ErrDamaged)
			}
			if e.Policy == PolicyExact {
				return nil
			}
			m.How = Confusable
		}
		if e.bounded() {
			if !q.ClockSynchronised {
				m.TimeUnsure = true
			} else {
				at := q.At
				if at.IsZero() {
					at = time.Now()
				}
				if !e.valid(at) {
					return nil
				}
			}
		}
		matches = append(matches, m)
		return nil
	})
	return matches, err
}

// compareMatches is a total order, so that equal queries give equal answers.
func compareMatches(a, b Match) int {
	return cmp.Or(
		cmp.Compare(a.Entry.Priority, b.Entry.Priority),
		-strings.Compare(string(a.How), string(b.How)), // "exact" is after "confusable"
		strings.Compare(a.List, b.List),
		strings.Compare(a.Entry.Plate, b.Entry.Plate),
		strings.Compare(a.Entry.State, b.Entry.State),
		strings.Compare(a.Entry.PlateType, b.Entry.PlateType),
		strings.Compare(a.Entry.Category, b.Entry.Category),
		strings.Compare(a.Entry.Record, b.Entry.Record),
	)
}
