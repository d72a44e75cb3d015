package match

import (
	"cmp"
	"slices"
	"time"

	"platewatch/hotlist/entry"
)

// Index finds the entries of a list by their folded plates.
type Index interface {
	// Lookup calls found with each record whose plate folds to folded (see
	// [FoldIndex]). It stops at the first error and returns it. The record is valid
	// during the call only.
	Lookup(folded []byte, found func(Record) error) error
}

// Record is one entry that an [Index] found, decoded only as far as needed.
type Record interface {
	// ID is unique in the list.
	ID() RecordID
	// Plate is valid until the next lookup.
	Plate() ([]byte, error)
	Entry() (entry.Entry, error)
}

// RecordID identifies a record of a list.
type RecordID [12]byte

// List is what a [Searcher] needs of a list.
type List struct {
	Name, Version string
	Dated         time.Time // when this version was signed or imported
	Expires       time.Time // when a newer one is due; zero for never
	Entries       int
	// Fuzzy: some entries have [entry.PolicyFuzzy].
	Fuzzy    bool
	Index    Index
	Layouts  *Layouts
	Traffic  *Traffic // what passes the unit; nil: not known
	Patterns *Patterns
}

// Searcher searches one list. It keeps its buffers, so that a search without a
// match does not allocate. It is not safe for concurrent use.
type Searcher struct {
	list    List
	reading *Reading
	query   *Query
	rules   Rules
	matches []Match
	seen    []RecordID
	found   func(Record) error // consider, bound once because each binding allocates

	folded    [entry.MaxPlate + 1]byte
	edited    [entry.MaxPlate + 1]byte
	options   [entry.MaxPlate][]option
	memory    [entry.MaxPlate * alphabet]option
	rest      [entry.MaxPlate + 1]float64 // product of the best probabilities of places i..n
	all       float64                     // P(reading), summed over all plates of its length
	same      strange                     // plates of the reading's layout, if the list has none
	other     strange                     // the same, beside entries of another length
	weights   weights                     // of the list's layouts
	otherKind float64                     // P(reading) by plates of other layouts that are common here
	least     float64                     // least likelihood of a plate that is looked up
	tried     int                         // readings looked up by descend
	oneExtra  bool                        // look up plates with one character more or less
	oneChange bool                        // look up plates with any one character changed
	changed   float64                     // least likelihood of a plate with one character changed
}

// NewSearcher returns a searcher of a list.
func NewSearcher(l List) *Searcher {
	s := &Searcher{list: l}
	s.found = s.consider
	return s
}

// Search appends the entries that match a reading to matches, in no order. Errors
// are those of the [Index].
func (s *Searcher) Search(matches []Match, r *Reading, m Rules) ([]Match, error) {
	s.reading, s.query, s.rules = r, &r.query, m
	s.matches, s.seen = matches, s.seen[:0]
	err := s.run()
	found := s.matches
	s.reading, s.query, s.matches = nil, nil, nil
	return found, err
}

// option is a class of characters that a place can be, with the probability of its
// most probable member.
type option struct {
	class byte
	p     float64
}

const (
	// maxTried bounds the alternative readings that are looked up.
	maxTried = 256
	// leastTried is the likelihood below which an alternative reading is looked up
	// only as a change of one character.
	leastTried = 0.0005
)

func (s *Searcher) run() error {
	r := s.reading
	for i := range r.n {
		s.folded[i] = indexClass[r.text[i]]
	}
	s.tried = 0
	m := &s.rules
	least := m.MinProbability
	// The policy of an entry can allow one character whatever the rules say.
	fuzzy := s.list.Fuzzy
	most := s.expect()
	needed := least * s.all / most // likelihood that even the most probable plate needs
	s.least = max(needed, leastTried)
	s.oneChange = m.OneCharacter && needed < leastTried || fuzzy
	s.oneExtra = m.OneCharacter && needed/otherLength < max(r.missed, r.hidden/2, slices.Max(r.added[:r.n])) || fuzzy
	s.changed = needed
	if fuzzy {
		s.changed = 0
	}
	if r.n < minEdited {
		s.oneChange, s.oneExtra = false, false
	}
	s.weigh(s.least)
	if err := s.list.Index.Lookup(s.folded[:r.n], s.found); err != nil {
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
		s.list.Patterns.match(r, least, func(e *entry.Entry, p float64) { s.take(e, Wildcard, p) })
	}
	return nil
}

// expect sums the plates that the reading can be, and returns the probability of the
// most probable one of the list's layouts.
func (s *Searcher) expect() (most float64) {
	s.compareTraffic()
	s.all, most = s.list.Layouts.expect(s.reading, &s.weights)
	var buf [entry.MaxPlate]byte
	o := outlineOf(buf[:0], s.reading)
	s.same, s.other = s.strangers(&o)
	s.otherKind = s.retyped(&o)
	s.all += s.same.share*s.same.each*o.likelihood + s.shiftedReading(&o)
	return most
}

// weigh lists, for each place, the classes with which the best reading still has a
// likelihood of least, the most probable first.
func (s *Searcher) weigh(least float64) {
	r := s.reading
	var classes [entry.MaxPlate][128]float32
	all := 1.0
	var top [entry.MaxPlate]float64
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

// descend looks up every reading whose likelihood is at least s.least, place by
// place.
func (s *Searcher) descend(i int, p float64, changed bool) error {
	if i == s.reading.n {
		if !changed || s.tried >= maxTried {
			return nil // the text as read: looked up already
		}
		s.tried++
		return s.list.Index.Lookup(s.edited[:i], s.found)
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

// confuse looks up the readings with one character replaced by the table of
// confusions, where the index distinguishes the two: descend skips improbable ones.
func (s *Searcher) confuse() error {
	if !s.rules.Confusable || s.least > leastTried {
		return nil
	}
	r := s.reading
	for i := range r.n {
		for k, w := range r.confusions.weight[ordinal(r.text[i])] {
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

// edit looks up the readings with one character changed, removed or added.
func (s *Searcher) edit() error {
	n := s.reading.n
	if s.oneChange {
		for i := range n {
			others := s.rest[0] * s.rest[i+1] / s.rest[i] // likelihood of the other places at best
			for _, c := range classLeaders {
				if c != s.folded[i] && others*s.likeliest(i, c) >= s.changed {
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
		if err := s.list.Index.Lookup(s.edited[:n-1], s.found); err != nil {
			return err
		}
	}
	if n == entry.MaxPlate {
		return nil
	}
	for i := range n + 1 { // it missed one
		copy(s.edited[:i], s.folded[:i])
		copy(s.edited[i+1:], s.folded[i:n])
		for _, c := range classLeaders {
			if i > 0 && c == s.folded[i-1] {
				continue // the same text as with it one place earlier
			}
			s.edited[i] = c
			if err := s.list.Index.Lookup(s.edited[:n+1], s.found); err != nil {
				return err
			}
		}
	}
	return nil
}

// likeliest returns the probability of the most probable character of a class.
func (s *Searcher) likeliest(i int, class byte) float64 {
	p := float32(0)
	for _, k := range classMembers[class] {
		p = max(p, s.reading.p[i][k])
	}
	return float64(p)
}

func (s *Searcher) lookupChanged(i int, c byte) error {
	n := s.reading.n
	copy(s.edited[:n], s.folded[:n])
	s.edited[i] = c
	return s.list.Index.Lookup(s.edited[:n], s.found)
}
