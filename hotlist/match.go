package hotlist

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// Query is a plate that was read.
type Query struct {
	// Text is the plate; it is normalised before it is looked up.
	Text string
	// Characters, if any, are what the reader says of each character. They
	// replace Text, and make the probabilities of matches mean something.
	Characters []Character
	// State is the issuing state or country as lists write it, if the reading
	// or the unit knows it, and StateConfidence (0–1) how surely. Entries of
	// another state become less likely by as much.
	State           string
	StateConfidence float64
	// At is when the plate was read, by the unit's clock. Default: now.
	At time.Time
	// ClockSynchronised: At can be trusted. If it cannot, entries match
	// whatever their time bounds, and say so: a board without a battery starts
	// in 1970, and must not let a wanted car pass for that.
	ClockSynchronised bool
}

// How tells in which way a reading matched an entry.
type How string

// The ways to match, strictest first.
const (
	// Exact: the reading is the entry's plate.
	Exact How = "exact"
	// Confusable: it differs only in characters that look alike, or between
	// which the reader wavered.
	Confusable How = "confusable"
	// OneCharacter: one character is wrong, missing or added.
	OneCharacter How = "one_character"
	// Wildcard: the entry is a pattern that the reading fits.
	Wildcard How = "wildcard"
)

func (h How) rank() int { return slices.Index([]How{Exact, Confusable, OneCharacter, Wildcard}, h) }

// Match is one entry that a plate matched.
type Match struct {
	List    string `json:"list"`
	Version string `json:"version"`
	How     How    `json:"how"`
	// Probability (0–1) that the plate is the entry's, given what the reader saw
	// and which plates there are, as far as the list teaches it. A listed vehicle
	// counts as likely to pass as any other.
	Probability float64 `json:"probability"`
	Entry       Entry   `json:"entry"`
	// StateDiffers: the plate's state is known, and the entry names another.
	StateDiffers bool `json:"state_differs,omitempty"`
	// TimeUnsure: the entry has time bounds and the unit's clock was not
	// synchronised, so that it may have expired or not be effective yet.
	TimeUnsure bool `json:"time_unsure,omitempty"`
}

// Match looks a plate up in all lists and returns the entries that match, most
// urgent first; at equal priority exact ones first, then the likelier, then by
// list and entry. No match is not an error.
//
// If a list turns out to be damaged the matches from the others are returned
// together with the error, and [DB.Refresh] replaces the list.
func (db *DB) Match(q Query) ([]Match, error) {
	db.lookups.Add(1)
	r := db.readings.Get().(*reading)
	defer db.readings.Put(r)
	if !r.set(&q, db.confusions) {
		return nil, nil
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, db.errClosed("match")
	}
	var matches []Match
	var failed []error
	for _, l := range db.lists {
		found, err := l.match(matches, r, &q, db.matchingOf(&l.List), db.confusions)
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

// matchingOf is how a list is matched.
func (db *DB) matchingOf(l *List) Matching {
	if db.o.MatchingOf != nil {
		return db.o.MatchingOf(l.Name, l.Entries)
	}
	return DefaultMatching(l.Entries)
}

// match appends the entries of one list that match to matches.
func (l *listFile) match(matches []Match, r *reading, q *Query, m Matching, c *Confusions) ([]Match, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.search
	s.list, s.reading, s.query, s.matching, s.confusions = l, r, *q, m, c
	s.matches, s.seen = matches, s.seen[:0]
	err := guard(s.run)
	found := s.matches
	s.reading, s.query, s.matches = nil, Query{}, nil
	if err != nil {
		l.failed.Store(true)
		return matches, err
	}
	return found, nil
}

// compareMatches is a total order, so that equal queries give equal answers.
func compareMatches(a, b Match) int {
	return cmp.Or(
		cmp.Compare(a.Entry.Priority, b.Entry.Priority),
		cmp.Compare(a.How.rank(), b.How.rank()),
		cmp.Compare(b.Probability, a.Probability),
		strings.Compare(a.List, b.List),
		strings.Compare(a.Entry.Plate, b.Entry.Plate),
		strings.Compare(a.Entry.State, b.Entry.State),
		strings.Compare(a.Entry.PlateType, b.Entry.PlateType),
		strings.Compare(a.Entry.Category, b.Entry.Category),
		strings.Compare(a.Entry.Record, b.Entry.Record),
	)
}
