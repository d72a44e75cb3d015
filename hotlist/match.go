package hotlist

import (
	"errors"
	"slices"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/match"
)

// Match looks a plate up in all lists and returns the entries that match, in the
// order of [match.Compare]. No match is not an error.
//
// If a list is damaged, Match returns the matches of the others together with the
// error, and the next [DB.Watch] replaces the list.
func (db *DB) Match(q match.Query) ([]match.Match, error) {
	db.lookups.Add(1)
	r := db.readings.Get().(*match.Reading)
	defer db.readings.Put(r)
	if !r.Set(&q, db.confusions) {
		return nil, nil
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, db.errClosed("match")
	}
	var matches []match.Match
	var failed []error
	for _, l := range db.lists {
		found, err := l.match(matches, r, db.rulesOf(&l.List))
		if err != nil {
			failed = append(failed, &entry.Error{Op: "match", Path: l.Path, Err: err, Advice: folder.Advice(err)})
			continue
		}
		matches = found
	}
	if db.o.Purpose.Limited() {
		matches = slices.DeleteFunc(matches, func(m match.Match) bool { return !db.o.Purpose.Permits(m.Entry.Category) })
	}
	if len(q.Characters) > 0 { // a person does not type what passes
		db.traffic.Add(r)
	}
	if failed != nil {
		db.failures.Add(1)
	}
	if len(matches) > 0 {
		db.matched.Add(1)
	}
	if len(matches) > 1 {
		slices.SortFunc(matches, match.Compare)
	}
	return matches, errors.Join(failed...)
}

// rulesOf is how a list is matched.
func (db *DB) rulesOf(l *entry.List) match.Rules {
	if rules := db.policy.Load().RulesOf; rules != nil {
		return rules(l.Name, l.Entries)
	}
	return match.DefaultRules(l.Entries)
}

// match appends the entries of one list that match to matches.
func (l *openList) match(matches []match.Match, r *match.Reading, m match.Rules) ([]match.Match, error) {
	found := matches
	err := l.Use(func() (err error) {
		found, err = l.searcher.Search(matches, r, m)
		return err
	})
	if err != nil {
		l.failed.Store(true)
		return matches, err
	}
	return found, nil
}
