package match

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"platewatch/hotlist/entry"
)

// consider decides whether a record that was found matches.
func (s *Searcher) consider(found Record) error {
	id := found.ID()
	if slices.Contains(s.seen, id) {
		return nil
	}
	s.seen = append(s.seen, id)
	plate, err := found.Plate()
	if err != nil {
		return err
	}
	how, p := s.judge(plate)
	if how == "" {
		return nil
	}
	e, err := found.Entry()
	if err != nil {
		return err
	}
	s.take(&e, how, p)
	return nil
}

// judge tells how a plate differs from the reading, and its posterior probability
// by Bayes: likelihood × prior, over the sum for all plates of the reading's length
// and this one.
func (s *Searcher) judge(plate []byte) (How, float64) {
	how, likelihood := s.compare(plate)
	if how == "" {
		return "", 0
	}
	here := likelihood * s.list.Layouts.of(plate, &s.weights)
	if len(plate) != s.reading.n {
		// Beside other lengths the layouts of the traffic replace the list's guess at
		// plates without layout.
		others := max(0, s.all-s.list.Layouts.uniform(s.reading.n)) + s.other.share*s.other.each*s.reading.likelihood()
		return how, here / (others + here)
	}
	return how, min(here/(s.all+s.otherKind), 1) * (1 - s.reading.hidden)
}

// compare tells how a plate differs from the reading, and the likelihood of the
// reading given the plate. An empty How means that the difference never matches.
func (s *Searcher) compare(plate []byte) (how How, p float64) {
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
func (s *Searcher) compareEqual(plate []byte) How {
	r := s.reading
	changed, strange := 0, 0
	for i, c := range plate {
		t := r.text[i]
		if sameAfterFold(c, t) {
			continue
		}
		changed++
		if !r.confusions.Confusable(t, c) && r.hesitated[i]&(1<<ordinal(c)) == 0 {
			strange++
		}
	}
	switch {
	case changed == 0, strange == 0 && s.rules.Confusable:
		return Confusable
	case changed == 1 && len(plate) >= minEdited:
		return OneCharacter
	}
	return ""
}

// minEdited is the shortest plate that matches with one character wrong: shorter
// plates have too many neighbours at edit distance one.
const minEdited = 5

// compareMissed is compare for plates with one character more.
func (r *Reading) compareMissed(plate []byte) (How, float64) {
	return r.compareShifted(plate, r.n+1, func(i int) float64 {
		if i == 0 || i == r.n {
			return max(r.missed, r.hidden/2)
		}
		return r.missed
	})
}

// compareAdded is compare for plates with one character less.
func (r *Reading) compareAdded(plate []byte) (How, float64) {
	return r.compareShifted(plate, r.n, func(i int) float64 { return r.added[i] })
}

// compareShifted sums the likelihood over all places where a character can have
// been missed or added.
func (r *Reading) compareShifted(plate []byte, places int, extra func(i int) float64) (How, float64) {
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
			same = same && sameAfterFold(c, r.text[at])
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

// take adds an entry to the matches if the list's rules and its own policy allow it.
func (s *Searcher) take(e *entry.Entry, how How, p float64) {
	q, m := s.query, &s.rules
	text := s.reading.text[:s.reading.n]
	sure, allowed := false, false // sure: matches whatever its probability
	least := m.MinProbability
	switch how {
	case Exact:
		sure, allowed = len(q.Characters) == 0 || max(p, s.reading.likelihood()*(1-s.reading.hidden)) >= m.MinExact, true
		least = m.MinExact
	case Confusable:
		sure, allowed = foldsTo(e.Plate, text), true
		// A plate of a layout that is common here and not the list's is not a misread
		// one, whether it was read right or with a look-alike itself.
		foreign := (s.same.share > 0 || s.otherKind > s.all) && !sameLayout(e.Plate, text)
		if looksLike(e.Plate, text) && !foreign {
			least = min(least, m.MinLookalike)
		}
	case OneCharacter:
		if len(e.Plate) != len(text) {
			least /= otherLength
		}
		sure = e.Policy == entry.PolicyFuzzy
		allowed = m.OneCharacter && (len(e.Plate) == s.reading.n || s.byChance([]byte(e.Plate)) <= maxByChance) || sure
	case Wildcard:
		sure, allowed = globs(e.Plate, text), true
	}
	if !allowed || e.Policy == entry.PolicyExact && how != Exact {
		return
	}
	at := q.At
	if at.IsZero() {
		at = time.Now()
	}
	found := Match{List: s.list.Name, Version: s.list.Version, How: how, Probability: p, Entry: *e, Dated: s.list.Dated,
		Overdue: q.ClockSynchronised && !s.list.Expires.IsZero() && !s.list.Expires.After(at)}
	prior := 1.0
	if q.State != "" && e.State != "" && !strings.EqualFold(q.State, e.State) {
		found.StateDiffers = true
		prior = 1 - min(max(q.StateConfidence, 0), 1)
	}
	if likelihood, contradiction := q.Seen.weigh(e, prior); likelihood < 1 {
		found.Probability *= likelihood
		sure = sure && likelihood > 1-certainty
		if found.Contradiction = contradiction; contradiction != "" && m.Agree {
			return
		}
	}
	if asked := entry.Written(q.Text, entry.Normalize(q.Text)); how == Exact && asked != "" && e.Written != "" {
		found.SpellingDiffers = entry.Grouping(asked) != entry.Grouping(e.Written)
	}
	if !sure && found.Probability < least {
		return
	}
	if e.TimeBound() {
		if !q.ClockSynchronised {
			found.TimeUnsure = true
		} else if !e.ActiveAt(at) {
			return
		}
	}
	s.matches = append(s.matches, found)
}

// looksLike reports whether a plate and a text differ in [Lookalikes] only.
func looksLike(plate string, text []byte) bool {
	if len(plate) != len(text) {
		return false
	}
	for i, c := range text {
		if plate[i] != c && !Lookalikes(plate[i], c) {
			return false
		}
	}
	return true
}

// sameLayout reports whether a plate and a text of its length have letters and
// digits at the same places.
func sameLayout(plate string, text []byte) bool {
	for i, c := range text {
		if isLetter(ordinal(plate[i])) != isLetter(ordinal(c)) {
			return false
		}
	}
	return true
}

// foldsTo reports whether a plate and a text are equal after [entry.Fold].
func foldsTo(plate string, text []byte) bool {
	if len(plate) != len(text) {
		return false
	}
	for i, c := range text {
		if !sameAfterFold(plate[i], c) {
			return false
		}
	}
	return true
}
