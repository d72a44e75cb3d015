package region

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Set is the formats of the expected regions. It is immutable, so any number of
// goroutines may use it. A nil Set has no formats.
type Set struct {
	spec    string
	formats [longest + 1][]weighed // by length, the likeliest first
	vanity  float64                // share of plates that fit no format
	shape   float64                // a plate's width over its height; 0: not known, or not the same for all
	mixed   bool                   // the sections' shapes differ
	short   int                    // fewest characters of those; 0: as many as other lettering needs
}

// weighed is a format among those of all the regions of a set.
type weighed struct {
	format
	name   string  // its section's
	region string  // for which the section was asked for
	log    float64 // log probability of each text that fits
}

// UnknownError says that no region has a name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no region %q", e.Name) }

// Hint lists the regions.
func (e *UnknownError) Hint() string {
	return "the regions are " + strings.Join(names(), ", ") + "; several are written \"br,us\""
}

// names are the names that [Parse] takes, regions of several countries or
// states first. It takes single states ("us-ca") and series ("br-mercosul") too,
// which are left out.
func names() []string {
	a := world()
	var groups, single []string
	for name := range a.groups {
		groups = append(groups, name)
	}
	for _, s := range a.sections {
		name, _, several := strings.Cut(s.name, "-")
		switch {
		case slices.Contains(groups, name) || slices.Contains(single, name):
		case several:
			groups = append(groups, name)
		default:
			single = append(single, name)
		}
	}
	slices.Sort(groups)
	slices.Sort(single)
	return append(groups, single...)
}

// Parse returns the set for a list of regions, "br,us", and nil for an empty
// list. The error is an [*UnknownError]. Every region of the list is equally
// likely. Within a region, countries are weighted by the square root of the
// number of their cars, not by that number: a unit stands in one country, and it
// is not known in which.
func Parse(spec string) (*Set, error) {
	a := world()
	var names []string
	for name := range strings.SplitSeq(spec, ",") {
		name = strings.TrimSpace(name)
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	s := &Set{spec: strings.Join(names, ",")}
	shares, regions := map[string]float64{}, map[string]string{}
	for _, name := range names {
		members := a.members(name)
		if len(members) == 0 {
			return nil, &UnknownError{name}
		}
		total := 0.0
		for _, m := range members {
			total += math.Sqrt(m.part * a.section(m.name).cars)
		}
		for _, m := range members {
			if regions[m.name] == "" {
				regions[m.name] = name
			}
			shares[m.name] += math.Sqrt(m.part*a.section(m.name).cars) / total / float64(len(names))
		}
	}
	for _, sec := range a.sections {
		if share := shares[sec.name]; share > 0 {
			s.add(sec, regions[sec.name], share)
		}
	}
	for _, f := range s.formats {
		slices.SortStableFunc(f, func(a, b weighed) int { return cmp.Compare(b.log, a.log) })
	}
	return s, nil
}

func (s *Set) add(sec *section, region string, share float64) {
	s.vanity += share * sec.vanity
	switch {
	case s.mixed || sec.shape == s.shape:
	case s.shape == 0 && !s.any():
		s.shape = sec.shape
	default:
		s.shape, s.mixed = 0, true
	}
	if sec.short > 0 && (s.short == 0 || sec.short < s.short) {
		s.short = sec.short
	}
	total := 0.0
	for _, f := range sec.formats {
		total += f.share
	}
	for _, f := range sec.formats {
		w := weighed{f, sec.name, region, math.Log(share * (1 - sec.vanity) * f.share / total * f.each)}
		same := func(o weighed) bool {
			return o.name == w.name && slices.Equal(o.at, w.at) && slices.EqualFunc(o.lists, w.lists, func(a, b list) bool {
				return a.from == b.from && slices.Equal(a.words, b.words)
			})
		}
		all := s.formats[len(f.at)]
		if i := slices.IndexFunc(all, same); i >= 0 { // a?a? expands to the same format twice
			all[i].log = math.Log(math.Exp(all[i].log) + math.Exp(w.log))
			continue
		}
		s.formats[len(f.at)] = append(all, w)
	}
}

// String is the list of regions as [Parse] takes it; "" for a nil Set.
func (s *Set) String() string {
	if s == nil {
		return ""
	}
	return s.spec
}

// free and lengths are how many characters a text without a format has at least, and
// how many lengths it may have: four to nine, all equally likely.
const free, lengths = 4, 6

// Prior is the logarithm of a text's probability by the formats, over its
// probability if all texts of letters and figures were equally likely. It is
// lowest, the logarithm of the share of vanity plates, where no format fits. It
// is zero for a nil Set. Shorter texts than plates without a format have are compared
// with those of their own length: that they are rare is another matter.
func (s *Set) Prior(text string) float64 {
	if s == nil {
		return 0
	}
	if len(text) > longest {
		return math.Log(s.vanity)
	}
	short := len(text) < free
	uniform := float64(len(text))*math.Log(characters) + math.Log(lengths)
	if short {
		uniform = float64(len(text)) * math.Log(characters)
	}
	sum, all := 0.0, 0.0
	for i := range s.formats[len(text)] {
		f := &s.formats[len(text)][i]
		if f.looks(text) {
			sum += math.Exp(f.log + uniform)
		}
		all += math.Exp(f.log) / f.each
	}
	switch {
	case !short, all == 0:
		return math.Log(sum + s.vanity)
	case s.short > 0 && len(text) >= s.short: // most plates that short are of one's choice
		return math.Log(s.vanity+sum) - math.Log(s.vanity+all)
	}
	return math.Log(sum/all + s.vanity)
}

// any tells whether the set has formats yet.
func (s *Set) any() bool {
	return slices.ContainsFunc(s.formats[:], func(f []weighed) bool { return len(f) > 0 })
}

// Shortest is how many characters a plate of the regions has at least; 0 for a nil
// Set.
func (s *Set) Shortest() int {
	if s == nil {
		return 0
	}
	for n, f := range s.formats {
		if len(f) > 0 || n > 0 && n == s.short {
			return n
		}
	}
	return 0
}

// Shape is the width over the height of a car's plate of the regions; 0 if they
// differ, or are not known.
func (s *Set) Shape() float64 {
	if s == nil {
		return 0
	}
	return s.shape
}

// Has tells whether a text, however short, can be on a plate of the regions: it has
// one of their formats, or as many characters as plates of one's choice have there.
func (s *Set) Has(text string) bool {
	if s == nil || len(text) > longest {
		return false
	}
	return s.short > 0 && len(text) >= s.short || slices.ContainsFunc(s.formats[len(text)], func(f weighed) bool { return f.fits(text) })
}

// surely is the probability of a section, among those with a format that fits,
// from which [Set.Name] gives its name.
const surely = 0.8

// Name is the section that a text belongs to, or, where several may have issued
// it, the likeliest of the expected regions. It is "" where no format fits.
func (s *Set) Name(text string) string {
	if s == nil || len(text) > longest {
		return ""
	}
	sections, regions := map[string]float64{}, map[string]float64{}
	total := 0.0
	for i := range s.formats[len(text)] {
		if f := &s.formats[len(text)][i]; f.fits(text) {
			p := math.Exp(f.log)
			total += p
			sections[f.name] += p
			regions[f.region] += p
		}
	}
	for name, p := range sections {
		if p >= surely*total {
			return name
		}
	}
	best := ""
	for name, p := range regions {
		if best == "" || p > regions[best] || p == regions[best] && name < best {
			best = name
		}
	}
	return best
}

// Choice is one possible character at a place, with its log probability.
type Choice struct {
	Letter byte
	Log    float64
}

// Likeliest returns the likeliest texts that fit a format, the best first, at
// most most of them. For every format of that length it combines the possible
// characters of each place into the text with the greatest sum of log
// probabilities, and adds that of the format.
func (s *Set) Likeliest(places [][]Choice, most int) []string {
	if s == nil || len(places) > longest {
		return nil
	}
	type candidate struct {
		text string
		log  float64
	}
	var all []candidate
	var text [longest]byte
next:
	for i := range s.formats[len(places)] {
		f := &s.formats[len(places)][i]
		log := f.log
		for at, m := range f.at {
			best := math.Inf(-1)
			for _, c := range places[at] {
				if c.Log > best && m.has(c.Letter) {
					best, text[at] = c.Log, c.Letter
				}
			}
			if math.IsInf(best, -1) {
				continue next
			}
			log += best
		}
		for _, l := range f.lists {
			add, ok := l.likeliest(text[l.from:], places[l.from:])
			if !ok {
				continue next
			}
			log += add
		}
		t := string(text[:len(places)])
		if j := slices.IndexFunc(all, func(c candidate) bool { return c.text == t }); j >= 0 {
			all[j].log = max(all[j].log, log)
			continue
		}
		all = append(all, candidate{t, log})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.log, a.log) })
	out := make([]string, 0, most)
	for _, c := range all[:min(len(all), most)] {
		out = append(out, c.text)
	}
	return out
}

// likeliest replaces the likeliest characters by the likeliest word of the list,
// unless they form one. add is the change in log probability; ok is false where
// no word is possible.
func (l *list) likeliest(text []byte, places [][]Choice) (add float64, ok bool) {
	n := len(l.words[0])
	of := func(word string) float64 {
		sum := 0.0
		for i := range n {
			at := slices.IndexFunc(places[i], func(c Choice) bool { return c.Letter == word[i] })
			if at < 0 {
				return math.Inf(-1)
			}
			sum += places[i][at].Log
		}
		return sum
	}
	now := string(text[:n])
	if _, found := slices.BinarySearch(l.words, now); found {
		return 0, true
	}
	best, word := math.Inf(-1), ""
	for _, w := range l.words {
		if v := of(w); v > best {
			best, word = v, w
		}
	}
	if word == "" {
		return 0, false
	}
	copy(text, word)
	return best - of(now), true
}
