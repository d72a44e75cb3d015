package match

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"platewatch/hotlist/entry"
)

// characters makes a reading of a text; "B:0.9:8:0.08" is a B at 0.9 that can
// be an 8, a plain character is one at 0.999.
func characters(places ...string) []Character {
	var out []Character
	for _, p := range places {
		words := strings.Split(p, ":")
		if len(words) == 1 {
			for _, c := range p {
				out = append(out, Character{Text: string(c), Confidence: 0.999})
			}
			continue
		}
		c := Character{Text: words[0]}
		fmt.Sscan(words[1], &c.Confidence)
		for i := 2; i+1 < len(words); i += 2 {
			a := Alternative{Text: words[i]}
			fmt.Sscan(words[i+1], &a.Confidence)
			c.Alternatives = append(c.Alternatives, a)
		}
		out = append(out, c)
	}
	return out
}

// entryIndex is a list of whole entries in memory.
type entryIndex struct {
	entries []entry.Entry
	at      map[string][]int // by index form
}

type entryRecord struct {
	id int
	e  *entry.Entry
}

func (r entryRecord) ID() (id RecordID)           { binary.BigEndian.PutUint32(id[:], uint32(r.id)); return id }
func (r entryRecord) Plate() ([]byte, error)      { return []byte(r.e.Plate), nil }
func (r entryRecord) Entry() (entry.Entry, error) { return *r.e, nil }

func (x *entryIndex) Lookup(folded []byte, found func(Record) error) error {
	for _, i := range x.at[string(folded)] {
		if err := found(entryRecord{i, &x.entries[i]}); err != nil {
			return err
		}
	}
	return nil
}

// listOf makes a list of entries.
func listOf(entries ...entry.Entry) List {
	x := &entryIndex{entries: entries, at: map[string][]int{}}
	l := List{Name: "l", Version: "v", Entries: len(entries), Index: x, Patterns: &Patterns{}}
	var layouts LayoutCounter
	for i, e := range entries {
		if e.Policy == entry.PolicyWildcard {
			l.Patterns.Add(e)
			continue
		}
		l.Fuzzy = l.Fuzzy || e.Policy == entry.PolicyFuzzy
		layouts.Add(e.Plate)
		folded := []byte(e.Plate)
		FoldIndex(folded)
		x.at[string(folded)] = append(x.at[string(folded)], i)
	}
	l.Layouts = layouts.layouts(len(entries))
	return l
}

// search returns what matches, in the order of [Compare].
func search(t interface{ Fatal(...any) }, l List, q Query, m Rules) []Match {
	var r Reading
	if !r.Set(&q, DefaultConfusions()) {
		return nil
	}
	found, err := NewSearcher(l).Search(nil, &r, m)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(found, Compare)
	return found
}

func TestReadersAlternativesDecide(t *testing.T) {
	list := listOf(entry.Entry{Plate: "ABC1238"}, entry.Entry{Plate: "ABC1X34"}, entry.Entry{Plate: "WBC5555"}, entry.Entry{Plate: "EXA1111", Policy: entry.PolicyExact},
		entry.Entry{Plate: "FUZ2222", Policy: entry.PolicyFuzzy}, entry.Entry{Plate: "AB?99*", Policy: entry.PolicyWildcard}, entry.Entry{Plate: "ABCD123"})
	one := Rules{Confusable: true, OneCharacter: true, Wildcards: true}
	full, default1M := one, DefaultRules(1_000_000)
	careful := one
	careful.MinProbability = 0.01
	alike := Rules{Confusable: true, MinProbability: 0.9999}
	for name, c := range map[string]struct {
		how  Rules
		read []Character
		want []string
	}{
		"surely another plate":                     {careful, characters("ABC1235"), nil},
		"look-alike, in full":                      {full, characters("ABC123B"), []string{"confusable ABC1238"}},
		"look-alike, which has a bound of its own": {alike, characters("ABC123B"), []string{"confusable ABC1238"}},
		"another confusion, which has not":         {alike, characters("MBC5555"), nil},
		"both":                                     {alike, characters("MBC555S"), nil},
		"the reader wavered":                       {default1M, characters("ABC123", "B:0.7:8:0.2"), []string{"confusable ABC1238"}},
		"no doubt about it":                        {default1M, characters("ABC123", "3:0.999"), nil},
		"a strange character, wavered":             {careful, characters("ABC1", "K:0.6:X:0.2", "34"), []string{"confusable ABC1X34"}},
		"a strange character, in full":             {full, characters("ABC1J34"), []string{"one_character ABC1X34"}},
		"a strange character, not likely":          {careful, characters("ABC1J34"), nil},
		"level off":                                {Rules{}, characters("ABC123", "B:0.7:8:0.2"), nil},
		"one missed":                               {full, characters("ABC123"), []string{"one_character ABC1238", "one_character ABCD123"}},
		"one added":                                {full, characters("ABC12238"), []string{"one_character ABC1238"}},
		"exact only":                               {full, characters("EXA111I"), nil},
		"exact":                                    {Rules{}, characters("EXA1111"), []string{"exact EXA1111"}},
		"fuzzy whatever the list says":             {Rules{}, characters("FUX2222"), []string{"one_character FUZ2222"}},
		"pattern":                                  {full, characters("ABX995"), []string{"wildcard AB?99*"}},
		"pattern, nothing for the star":            {careful, characters("ABX99"), []string{"wildcard AB?99*"}},
		"pattern, too short":                       {careful, characters("AB99"), nil},
		"pattern, wavered":                         {careful, characters("ABX", "8:0.6:9:0.3", "91"), []string{"wildcard AB?99*"}},
		"pattern switched off":                     {Rules{}, characters("ABX995"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := search(t, list, Query{Characters: c.read, ClockSynchronised: true}, c.how)
			var got []string
			for _, m := range m {
				got = append(got, string(m.How)+" "+m.Entry.Plate)
				if !(m.Probability > 0 && m.Probability <= 1) {
					t.Errorf("%s with probability %v", m.Entry.Plate, m.Probability)
				}
			}
			slices.Sort(got)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// In a long list even an entry's very text can be left out when the reader wavered,
// but not a plate of a foreign format that was read surely, nor a text that was
// typed.
func TestDoubtfulTextIsNoMatch(t *testing.T) {
	entries := []entry.Entry{{Plate: "ABC1238"}, {Plate: "A8C1234"}}
	for i := range 2000 {
		entries = append(entries, entry.Entry{Plate: fmt.Sprintf("XYZ%04d", i)})
	}
	list := listOf(entries...)
	for _, c := range []struct {
		name string
		q    Query
		want int
	}{
		{"wavered", Query{Characters: characters("ABC123", "8:0.4:3:0.38")}, 0},
		{"hardly wavered", Query{Characters: characters("ABC123", "8:0.8:3:0.1")}, 1},
		{"a strange plate, surely", Query{Characters: characters("A8C1234")}, 1},
		{"typed", Query{Text: "A8C1234"}, 1},
	} {
		if m := search(t, list, c.q, Rules{MinExact: 0.6}); len(m) != c.want {
			t.Errorf("%s: %+v", c.name, m)
		}
	}
}

func TestStateMakesLessLikely(t *testing.T) {
	list := listOf(entry.Entry{Plate: "ABC1234", State: "CA"})
	p := func(state string, confidence float64) (p float64, differs bool) {
		t.Helper()
		m := search(t, list, Query{Characters: characters("ABC1234"), State: state, StateConfidence: confidence}, Rules{})
		if len(m) != 1 {
			t.Fatal(m)
		}
		return m[0].Probability, m[0].StateDiffers
	}
	plain, _ := p("", 0)
	same, differs := p("ca", 0.9)
	if same != plain || differs {
		t.Error(same, plain, differs)
	}
	if other, differs := p("NV", 0.9); !differs || math.Abs(other-0.1*plain) > 1e-9 {
		t.Error(other, plain, differs)
	}
}

// The probabilities of all plates that a reading can stand for add up to at most one,
// where plates that are the same after folding count once.
func TestProbabilitiesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Query{Characters: genReading().Draw(t, "reading")}
		var r Reading
		if !r.Set(&q, DefaultConfusions()) {
			t.Skip()
		}
		for i := range r.n {
			sum := 0.0
			for k := range alphabet {
				if c := character(k); entry.FoldByte(c) == c {
					sum += r.at(i, c)
				}
			}
			if sum > 1.0001 || sum < 0.9 {
				t.Errorf("place %d adds up to %v", i, sum)
			}
		}
	})
}

func genReading() *rapid.Generator[[]Character] {
	letter := rapid.SampledFrom(strings.Split("A B D O 0 1 I 8 W M 3 9 X", " "))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Character {
		c := Character{Text: letter.Draw(t, "text"), Confidence: rapid.SampledFrom([]float64{0.3, 0.6, 0.9, 0.99, 1}).Draw(t, "confidence")}
		for range rapid.IntRange(0, 2).Draw(t, "alternatives") {
			c.Alternatives = append(c.Alternatives, Alternative{letter.Draw(t, "text"), rapid.Float64Range(0, 0.5).Draw(t, "p")})
		}
		return c
	}), 4, 7)
}

// The search through the index finds what a scan of the whole list finds, up
// to readings so unlikely that they are looked up only as changes of one
// character.
func TestSearchFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plate := rapid.StringMatching(`[ABDO01I8WM39X]{4,7}`)
		policy := rapid.SampledFrom([]entry.Policy{"", "", "", entry.PolicyExact, entry.PolicyFuzzy})
		var entries []entry.Entry
		for _, p := range rapid.SliceOfNDistinct(plate, 50, 120, rapid.ID[string]).Draw(t, "plates") {
			entries = append(entries, entry.Entry{Plate: p, Policy: policy.Draw(t, "policy")})
		}
		list := listOf(entries...)
		m := Rules{Confusable: rapid.Bool().Draw(t, "confusable"), OneCharacter: rapid.Bool().Draw(t, "one character"),
			MinProbability: rapid.SampledFrom([]float64{0, 0.0001, 0.01, 0.1}).Draw(t, "least"), MinExact: rapid.SampledFrom([]float64{0, 0.6}).Draw(t, "least exact")}
		for range 5 {
			q := Query{Characters: genReading().Draw(t, "reading"), ClockSynchronised: true}
			got := search(t, list, q, m)
			if d := cmp.Diff(scanAll(list, q, m, got), got, cmpopts.EquateEmpty()); d != "" {
				t.Fatal(d)
			}
		}
	})
}

// scanAll compares a reading with every entry. An entry that is too unlikely to be
// looked up, and is more than a single change away, may be in got or not.
func scanAll(l List, q Query, m Rules, got []Match) []Match {
	var r Reading
	if !r.Set(&q, DefaultConfusions()) {
		return nil
	}
	s := NewSearcher(l)
	s.reading, s.query, s.rules = &r, &q, m
	s.expect()
	for _, e := range l.Index.(*entryIndex).entries {
		how, likelihood := s.compare([]byte(e.Plate))
		if how == Confusable && likelihood < leastTried && !slices.ContainsFunc(got, func(g Match) bool { return g.Entry == e }) {
			continue
		}
		if how, p := s.judge([]byte(e.Plate)); how != "" {
			s.take(&e, how, p)
		}
	}
	slices.SortFunc(s.matches, Compare)
	return s.matches
}

func FuzzConfusions(f *testing.F) {
	f.Add(defaultConfusions)
	f.Add("0 O .5 # comment\n\nA A 1\nA B nan")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseConfusions(strings.NewReader(text))
		if err != nil {
			return
		}
		q := Query{Characters: characters("AB", "O:0.5:0:0.3")}
		var r Reading
		if !r.Set(&q, c) {
			t.Fatal("no plate")
		}
		for i := range r.n {
			for k := range alphabet {
				if p := r.at(i, character(k)); !(p >= 0 && p <= 1.001) {
					t.Fatalf("place %d is %c with probability %v", i, character(k), p)
				}
			}
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("AB?12*", "ABX129")
	f.Add("*%ab*c", "XABYC")
	f.Fuzz(func(t *testing.T, text, plate string) {
		p, err := entry.NormalizePattern(text)
		if err != nil {
			return
		}
		if again, err := entry.NormalizePattern(p); err != nil || again != p {
			t.Errorf("%q becomes %q, then %q, %v", text, p, again, err)
		}
		plate = entry.Normalize(plate)
		if len(plate) == 0 || len(plate) > entry.MaxPlate {
			return
		}
		q := Query{Text: plate}
		var r Reading
		r.Set(&q, DefaultConfusions())
		w := &Patterns{}
		w.Add(entry.Entry{Plate: p, Policy: entry.PolicyWildcard})
		matched := false
		w.match(&r, 0.5, func(*entry.Entry, float64) { matched = true })
		if globs(p, []byte(plate)) != matched && r.pattern(p) < 0.5 && globs(p, []byte(plate)) {
			t.Errorf("%s fits %s and was not found", plate, p)
		}
	})
}

func TestPatternsAreTold(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"AB?12*", "ABX12", true}, {"AB?12*", "ABX12999", true}, {"AB?12*", "AB12", false}, {"*123", "ABC123", true},
		{"*123", "ABC1234", false}, {"A*B*C", "AXXBYYC", true}, {"A*B*C", "AXXBYY", false}, {"AB0*", "ABO77", true},
		{"???ABC", "123ABC", true}, {"???ABC", "12ABC", false}, {"*1*2*3*", "123", true},
	} {
		if got := globs(c.pattern, []byte(c.text)); got != c.want {
			t.Errorf("%s and %s: %v", c.pattern, c.text, got)
		}
		q := Query{Text: c.text}
		var r Reading
		r.Set(&q, DefaultConfusions())
		if p := r.pattern(c.pattern); (p > 0.3) != c.want {
			t.Errorf("%s is %s with probability %v", c.text, c.pattern, p)
		}
	}
}
