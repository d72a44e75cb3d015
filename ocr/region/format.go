package region

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// mask is a set of characters: A to Z, then 0 to 9, from the lowest bit.
type mask uint64

const (
	anyLetter mask = 1<<26 - 1
	anyFigure mask = (1<<10 - 1) << 26
	// stamped are the letters that most dies stamp like a figure: O like 0, I like 1.
	stamped    mask = 1<<('O'-'A') | 1<<('I'-'A')
	characters      = 36
)

// bit is a character's place in a mask; −1 if no plate can have it.
func bit(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= '0' && c <= '9':
		return 26 + int(c-'0')
	}
	return -1
}

func (m mask) has(c byte) bool {
	b := bit(c)
	return b >= 0 && m>>b&1 == 1
}

func maskOf(text string) (mask, error) {
	var m mask
	for i := range len(text) {
		b := bit(text[i])
		if b < 0 {
			return 0, fmt.Errorf("%q cannot be on a plate", text[i])
		}
		m |= 1 << b
	}
	return m, nil
}

// format is one pattern of fixed length.
type format struct {
	at    []mask // the possible characters of each place
	lists []list
	share float64 // of its section's plates
	each  float64 // probability of one text that fits, given the format
	alike mask    // letters that cannot be told from the figures of a place between any others
}

// list restricts some places of a format to words of one length.
type list struct {
	from  int
	words []string // sorted
}

// fits tells whether a text of the format's length has the format.
func (f *format) fits(text string) bool { return f.takes(text, 0) }

// looks tells whether a text fits, or may do so with a figure for a letter that is stamped
// alike.
func (f *format) looks(text string) bool { return f.takes(text, f.alike) }

// takes tells whether a text has the format, with more characters for its figures.
func (f *format) takes(text string, more mask) bool {
	for i, m := range f.at {
		if m == anyFigure {
			m |= more
		}
		if !m.has(text[i]) {
			return false
		}
	}
	for _, l := range f.lists {
		if _, ok := slices.BinarySearch(l.words, text[l.from:l.from+len(l.words[0])]); !ok {
			return false
		}
	}
	return true
}

// longest is how many characters a format may have.
const longest = 10

// add expands a pattern into formats of fixed length.
func (s *section) add(weight float64, pattern string) error {
	formats := []format{{share: weight, each: 1}}
	rest := pattern
	for rest != "" {
		var next []format // the formats so far, each followed by the element
		element, after, err := s.element(rest)
		if err != nil {
			return fmt.Errorf("pattern %s: %w", pattern, err)
		}
		if at := len(pattern) - len(rest); rest[0] == 'd' && amongAny(pattern, at) {
			element[0].alike = stamped
		}
		rest = after
		if after, ok := strings.CutPrefix(rest, "?"); ok {
			rest = after
			for i := range element {
				element[i].share /= 2
			}
			element = append(element, format{share: 0.5, each: 1})
		}
		for _, f := range formats {
			for _, e := range element {
				next = append(next, f.then(e))
			}
		}
		formats = next
	}
	for _, f := range formats {
		if len(f.at) == 0 || len(f.at) > longest {
			return fmt.Errorf("pattern %s: %d characters", pattern, len(f.at))
		}
	}
	s.formats = append(s.formats, formats...)
	return nil
}

// amongAny tells whether the place of a pattern stands between two that take letters and
// figures alike: on the plates that have the format nobody can tell an O there from a 0,
// and vanity plates of the same length have a letter there.
func amongAny(pattern string, at int) bool {
	return at > 0 && at+1 < len(pattern) && pattern[at-1] == 'x' && pattern[at+1] == 'x'
}

// then is f followed by e.
func (f format) then(e format) format {
	out := format{at: slices.Concat(f.at, e.at), lists: slices.Clone(f.lists), share: f.share * e.share, each: f.each * e.each, alike: f.alike | e.alike}
	for _, l := range e.lists {
		out.lists = append(out.lists, list{len(f.at) + l.from, l.words})
	}
	return out
}

// element parses the first element of a pattern: one format for each length that
// it may have, and the rest of the pattern.
func (s *section) element(pattern string) (out []format, after string, err error) {
	one := func(m mask) []format {
		return []format{{at: []mask{m}, share: 1, each: 1 / float64(bits.OnesCount64(uint64(m)))}}
	}
	c, after := pattern[0], pattern[1:]
	switch c {
	case 'l':
		return one(s.letters), after, nil
	case 'a':
		return one(anyLetter), after, nil
	case 'd':
		return one(anyFigure), after, nil
	case 'n':
		return one(anyFigure &^ (1 << bit('0'))), after, nil
	case 'x':
		// A place that takes letters and figures alike says nothing about whether an O or a 0
		// stands there: what the reader saw decides.
		return one(s.letters | anyFigure | stamped), after, nil
	case '[', '{':
		closing := map[byte]string{'[': "]", '{': "}"}[c]
		inside, after, ok := strings.Cut(after, closing)
		if !ok || inside == "" {
			return nil, "", fmt.Errorf("%q without %q", c, closing)
		}
		if c == '{' {
			out, err = s.words(inside)
			return out, after, err
		}
		m, err := maskOf(inside)
		return one(m), after, err
	}
	m, err := maskOf(string(c))
	return one(m), after, err
}

// words are the formats of a list, one for each length of word.
func (s *section) words(name string) ([]format, error) {
	all := s.lists[name]
	if len(all) == 0 {
		return nil, fmt.Errorf("list %s is not defined before it", name)
	}
	byLength := map[int][]string{}
	for _, w := range all {
		byLength[len(w)] = append(byLength[len(w)], w)
	}
	var out []format
	for n := 1; n <= longest; n++ {
		words := byLength[n]
		if len(words) == 0 {
			continue
		}
		slices.Sort(words)
		f := format{at: make([]mask, n), share: float64(len(words)) / float64(len(all)), each: 1 / float64(len(words))}
		for _, w := range words {
			for i := range n {
				m, err := maskOf(w[i : i+1])
				if err != nil {
					return nil, err
				}
				f.at[i] |= m
			}
		}
		if n > 1 { // for single characters the mask is enough
			f.lists = []list{{0, words}}
		}
		out = append(out, f)
	}
	return out, nil
}
