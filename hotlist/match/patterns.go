package match

import (
	"strings"

	"platewatch/hotlist/entry"
)

// Patterns are the patterns of a list, in memory: a pattern has no index form to
// look up. They are grouped by their first character, so that a reading is only
// compared with those that can match. The zero value is empty.
type Patterns struct {
	groups [alphabet + 1][]pattern // by first character; the last group begins with a wildcard
	n      int
}

type pattern struct {
	text   string
	least  int  // length of the shortest plate that fits
	open   bool // has a *
	listed entry.Entry
}

// Len returns the number of patterns.
func (p *Patterns) Len() int { return p.n }

// Add adds an entry whose policy is [entry.PolicyWildcard].
func (p *Patterns) Add(e entry.Entry) {
	next := pattern{text: e.Plate, least: len(e.Plate) - strings.Count(e.Plate, "*"), open: strings.Contains(e.Plate, "*"), listed: e}
	group := alphabet
	if len(e.Plate) > 0 && entry.IsPlateByte(e.Plate[0]) {
		group = ordinal(e.Plate[0])
	}
	p.groups[group] = append(p.groups[group], next)
	p.n++
}

// match calls found with each entry whose pattern the reading fits with a
// probability of at least least, or by its text.
func (p *Patterns) match(r *Reading, least float64, found func(e *entry.Entry, p float64)) {
	if p.n == 0 {
		return
	}
	var support [entry.MaxPlate]uint64 // set of the characters that each place can be
	for i := range r.n {
		for c := range alphabet {
			if float64(r.p[i][c]) >= max(least, minSupport) {
				support[i] |= 1 << c
			}
		}
		support[i] |= 1 << ordinal(r.text[i])
	}
	for c := range alphabet {
		if support[0]&(1<<c) != 0 {
			matchGroup(p.groups[c], r, &support, least, found)
		}
	}
	matchGroup(p.groups[alphabet], r, &support, least, found)
}

// minSupport is the least probability of a character that counts as an alternative.
const minSupport = 0.001

func matchGroup(group []pattern, r *Reading, support *[entry.MaxPlate]uint64, least float64, found func(*entry.Entry, float64)) {
	for i := range group {
		p := &group[i]
		if r.n < p.least || r.n > p.least && !p.open || !fits(p.text, support[:r.n]) {
			continue
		}
		likely := r.pattern(p.text)
		if likely >= least || likely > 0 && globs(p.text, r.text[:r.n]) {
			found(&p.listed, likely)
		}
	}
}

// fits reports whether a pattern fits places that can be the given characters.
func fits(pattern string, support []uint64) bool {
	at, star, mark := 0, -1, 0
	for i := 0; i < len(support); {
		switch {
		case at < len(pattern) && pattern[at] == '*':
			star, mark = at, i
			at++
		case at < len(pattern) && (pattern[at] == '?' || support[i]&(1<<ordinal(pattern[at])) != 0):
			at++
			i++
		case star >= 0:
			mark++
			at, i = star+1, mark
		default:
			return false
		}
	}
	for at < len(pattern) && pattern[at] == '*' {
		at++
	}
	return at == len(pattern)
}

// globs reports whether a pattern fits a text, with O as 0 and I as 1.
func globs(pattern string, text []byte) bool {
	var support [entry.MaxPlate]uint64
	for i, c := range text {
		for k := range alphabet {
			if sameAfterFold(c, character(k)) {
				support[i] |= 1 << k
			}
		}
	}
	return fits(pattern, support[:len(text)])
}
