package hotlist

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
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

// search is one look-up in one list. It lives in its list, so that looking up
// needs no memory.
type search struct {
	list       *listFile
	reading    *reading
	query      Query
	matching   Matching
	confusions *Confusions
	matches    []Match
	seen       [][keyLength]byte

	folded    [MaxPlate + 1]byte
	edited    [MaxPlate + 1]byte
	options   [MaxPlate][]option
	memory    [MaxPlate * alphabet]option
	rest      [MaxPlate + 1]float64 // the likeliest of the places from here on
	all       float64               // of the reading, over all plates of its length
	least     float64               // the likelihood that a plate needs at least
	tried     int
	oneExtra  bool // one character more or less is looked for
	oneChange bool // any one character changed is looked for
}

// option is a class of characters that a place can be, with the probability of
// the likeliest of its members.
type option struct {
	class byte
	p     float64
}

const (
	// maxTried bounds the readings of one plate that are looked up.
	maxTried = 256
	// leastTried is the likelihood below which a reading is looked up only as a
	// change of one character.
	leastTried = 0.0005
)

func (s *search) run() error {
	r := s.reading
	for i := range r.n {
		s.folded[i] = indexClass[r.text[i]]
	}
	s.tried = 0
	m := &s.matching
	least := m.MinProbability
	// An entry's own policy can allow one character whatever the list does.
	fuzzy := s.list.Fuzzy > 0
	var most float64
	s.all, most = s.list.layouts.expect(r)
	needed := least * s.all / most // by the likeliest of plates
	s.least = max(needed, leastTried)
	s.oneChange = m.OneCharacter && needed < leastTried || fuzzy
	s.oneExtra = m.OneCharacter && needed < r.missed || fuzzy
	if r.n < minEdited {
		s.oneChange, s.oneExtra = false, false
	}
	s.weigh(s.least)
	if err := s.list.lookup(s.folded[:r.n], s.consider); err != nil {
		return err
	}
	if m.Confusable || m.OneCharacter {
		if err := s.descend(0, 1, false); err != nil {
			return err
		}
		if err := s.confuse(); err != nil {
			return err
		}
	}
	if err := s.edit(); err != nil {
		return err
	}
	if m.Wildcards {
		s.list.wildcards.match(r, least, func(e *Entry, p float64) { s.take(e, Wildcard, p) })
	}
	return nil
}

// weigh lists, for each place, the classes it can be such that the whole is
// likelier than least, the likeliest first.
func (s *search) weigh(least float64) {
	r := s.reading
	var classes [MaxPlate][128]float32
	all := 1.0
	var top [MaxPlate]float64
	for i := range r.n {
		for k, p := range r.p[i] {
			c := indexClass[character(k)]
			classes[i][c] = max(classes[i][c], p)
			top[i] = max(top[i], float64(p))
		}
		all *= top[i]
	}
	memory := s.memory[:0]
	s.rest[r.n] = 1
	for i := r.n - 1; i >= 0; i-- {
		s.rest[i] = s.rest[i+1] * top[i]
		from := len(memory)
		for _, c := range classLeaders {
			if p := float64(classes[i][c]); p/top[i]*all >= least {
				memory = append(memory, option{c, p})
			}
		}
		s.options[i] = memory[from:len(memory):len(memory)]
		slices.SortFunc(s.options[i], func(a, b option) int { return cmp.Compare(b.p, a.p) })
	}
}

// descend looks up every reading that is likely enough, place by place.
func (s *search) descend(i int, p float64, changed bool) error {
	if i == s.reading.n {
		if !changed || s.tried >= maxTried {
			return nil // as it was read: looked up already
		}
		s.tried++
		return s.list.lookup(s.edited[:i], s.consider)
	}
	for _, o := range s.options[i] {
		if p*o.p*s.rest[i+1] < s.least {
			return nil
		}
		s.edited[i] = o.class
		if err := s.descend(i+1, p*o.p, changed || o.class != s.folded[i]); err != nil {
			return err
		}
	}
	return nil
}

// confuse looks up the readings with one pair of the table exchanged that the
// index tells apart and that descend left out as unlikely.
func (s *search) confuse() error {
	if !s.matching.Confusable || s.least > leastTried {
		return nil
	}
	r := s.reading
	for i := range r.n {
		for k, w := range s.confusions.weight[ordinal(r.text[i])] {
			c := indexClass[character(k)]
			if w == 0 || c == s.folded[i] {
				continue
			}
			if err := s.lookupChanged(i, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// edit looks up the readings with one character changed, added or taken away.
func (s *search) edit() error {
	n := s.reading.n
	if s.oneChange {
		for i := range n {
			for _, c := range classLeaders {
				if c != s.folded[i] {
					if err := s.lookupChanged(i, c); err != nil {
						return err
					}
				}
			}
		}
	}
	if !s.oneExtra {
		return nil
	}
	for i := range n { // the reader added a character
		if n == 1 || i > 0 && s.folded[i] == s.folded[i-1] {
			continue
		}
		copy(s.edited[:i], s.folded[:i])
		copy(s.edited[i:], s.folded[i+1:n])
		if err := s.list.lookup(s.edited[:n-1], s.consider); err != nil {
			return err
		}
	}
	if n == MaxPlate {
		return nil
	}
	for i := range n + 1 { // it missed one
		copy(s.edited[:i], s.folded[:i])
		copy(s.edited[i+1:], s.folded[i:n])
		for _, c := range classLeaders {
			if i > 0 && c == s.folded[i-1] {
				continue // as if it were missing one place before
			}
			s.edited[i] = c
			if err := s.list.lookup(s.edited[:n+1], s.consider); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *search) lookupChanged(i int, c byte) error {
	n := s.reading.n
	copy(s.edited[:n], s.folded[:n])
	s.edited[i] = c
	return s.list.lookup(s.edited[:n], s.consider)
}

// consider decides about a record that was found.
func (s *search) consider(key, payload []byte) error {
	k := [keyLength]byte(key)
	if slices.Contains(s.seen, k) {
		return nil
	}
	s.seen = append(s.seen, k)
	plate, ok := payloadPlate(payload)
	if !ok {
		return fmt.Errorf("%w: %w", ErrDamaged, errRecord)
	}
	how, p := s.judge(plate)
	if how == "" {
		return nil
	}
	e, err := decodePayload(payload)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s.take(&e, how, p)
	return nil
}

// judge tells how a plate differs from the reading, and how probable it is: its
// likelihood, times how likely it is to be met, of that of all plates (Bayes).
func (s *search) judge(plate []byte) (How, float64) {
	how, likelihood := s.compare(plate)
	if how == "" {
		return "", 0
	}
	return how, min(likelihood*s.list.layouts.of(plate)/s.all, 1)
}

// compare tells how a plate differs from the reading, and how likely it is to
// be read so. An empty How is a difference that is no match.
func (s *search) compare(plate []byte) (how How, p float64) {
	r := s.reading
	text := r.text[:r.n]
	switch {
	case bytes.Equal(plate, text):
		how = Exact
	case len(plate) == len(text):
		how = s.compareEqual(plate)
	case len(plate) == len(text)+1:
		return r.compareMissed(plate)
	case len(plate) == len(text)-1:
		return r.compareAdded(plate)
	}
	if how == "" {
		return "", 0
	}
	p = 1
	for i, c := range plate {
		p *= r.at(i, c)
	}
	return how, p
}

// compareEqual is compare for plates of the same length.
func (s *search) compareEqual(plate []byte) How {
	r := s.reading
	changed, strange := 0, 0
	for i, c := range plate {
		t := r.text[i]
		if twins(c, t) {
			continue
		}
		changed++
		if !s.confusions.confusable(t, c) && r.hesitated[i]&(1<<ordinal(c)) == 0 {
			strange++
		}
	}
	switch {
	case changed == 0, strange == 0 && s.matching.Confusable:
		return Confusable
	case changed == 1 && len(plate) >= minEdited:
		return OneCharacter
	}
	return ""
}

// minEdited is the shortest plate that is looked for with one character wrong:
// among shorter ones everything is everything's neighbour.
const minEdited = 5

// compareMissed is compare for plates with one character more.
func (r *reading) compareMissed(plate []byte) (How, float64) {
	return r.compareShifted(plate, r.n+1, func(i int) float64 { return r.missed })
}

// compareAdded is compare for plates with one character less.
func (r *reading) compareAdded(plate []byte) (How, float64) {
	return r.compareShifted(plate, r.n, func(i int) float64 { return r.added * r.doubt[i] })
}

// compareShifted sums over the places where a character can have been missed
// or added: the likelihoods of all ways to explain the reading by the plate.
func (r *reading) compareShifted(plate []byte, places int, extra func(i int) float64) (How, float64) {
	if min(len(plate), r.n) < minEdited {
		return "", 0
	}
	sum, fits := 0.0, false
	for i := range places {
		p, same := extra(i), true
		for k, c := range plate {
			at := k
			if len(plate) < r.n && k >= i {
				at++
			}
			if len(plate) > r.n {
				if k == i {
					continue
				}
				if k > i {
					at--
				}
			}
			p *= r.at(at, c)
			same = same && twins(c, r.text[at])
		}
		if same {
			fits = true
			sum += p
		}
	}
	if !fits {
		return "", 0
	}
	return OneCharacter, min(sum, 1)
}

// take adds an entry to the matches if the list's and its own rules let it.
func (s *search) take(e *Entry, how How, p float64) {
	q, m := &s.query, &s.matching
	text := s.reading.text[:s.reading.n]
	sure, allowed := false, false // sure: whatever its probability
	switch how {
	case Exact:
		sure, allowed = true, true
	case Confusable:
		sure, allowed = foldsTo(e.Plate, text), true
	case OneCharacter:
		sure = e.Policy == PolicyFuzzy
		allowed = m.OneCharacter || sure
	case Wildcard:
		sure, allowed = globs(e.Plate, text), true
	}
	if !allowed || e.Policy == PolicyExact && how != Exact {
		return
	}
	found := Match{List: s.list.Name, Version: s.list.Version, How: how, Probability: p, Entry: *e}
	if q.State != "" && e.State != "" && !strings.EqualFold(q.State, e.State) {
		found.StateDiffers = true
		found.Probability *= 1 - min(max(q.StateConfidence, 0), 1)
		sure = sure && q.StateConfidence < certainty
	}
	if !sure && found.Probability < m.MinProbability {
		return
	}
	if e.bounded() {
		if !q.ClockSynchronised {
			found.TimeUnsure = true
		} else {
			at := q.At
			if at.IsZero() {
				at = time.Now()
			}
			if !e.valid(at) {
				return
			}
		}
	}
	s.matches = append(s.matches, found)
}

// foldsTo tells whether a plate and a text are the same after [Fold].
func foldsTo(plate string, text []byte) bool {
	if len(plate) != len(text) {
		return false
	}
	for i, c := range text {
		if !twins(plate[i], c) {
			return false
		}
	}
	return true
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
