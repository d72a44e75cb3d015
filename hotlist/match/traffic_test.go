package match

import (
	"fmt"
	"testing"

	"platewatch/hotlist/entry"
)

// surely is a reading of a text with the same confidence throughout.
func surely(text string, confidence float64) []Character {
	var out []Character
	for _, c := range text {
		out = append(out, Character{Text: string(c), Confidence: confidence})
	}
	return out
}

// A plate that was read surely, or typed, has no hidden character and none too
// many: a listed plate with one character less or more is another vehicle.
func TestSurelyReadPlateIsNoLongerOrShorterOne(t *testing.T) {
	for _, pair := range [][2]string{{"KR4827", "KR482"}, {"KR482", "KR4827"}, {"PP587AO", "PP587A"}, {"PP587A", "PP587AO"}} {
		for _, size := range []int{1, 10, 100, 1000, 10_000} {
			entries := []entry.Entry{{Plate: pair[1]}}
			for i := 1; i < size; i++ {
				p := fmt.Sprintf("%c%c%03d", 'A'+i%26, 'A'+i/26%26, (7919*i)%1000)
				if len(pair[1]) == 6 {
					p = fmt.Sprintf("%c%c%04d", 'A'+i%26, 'A'+i/26%26, (7919*i)%10_000)
				}
				if p != pair[0] && p != pair[1] {
					entries = append(entries, entry.Entry{Plate: p})
				}
			}
			list := listOf(entries...)
			for name, q := range map[string]Query{
				"0.9995": {Characters: surely(pair[0], 0.9995)}, "1": {Characters: surely(pair[0], 1)}, "typed": {Text: pair[0]},
			} {
				for _, m := range search(t, list, q, Rules{Confusable: true, OneCharacter: true}) {
					if m.Entry.Plate == pair[1] && m.Probability > 0.2 {
						t.Errorf("%s, %s, against %s among %d: %.3f", pair[0], name, pair[1], size, m.Probability)
					}
				}
			}
		}
	}
}

// A doubtful character may not be there at all, and one that was hardly read may hide
// another.
func TestDoubtfulPlateMayBeLongerOrShorter(t *testing.T) {
	list := listOf(entry.Entry{Plate: "KR48271"}, entry.Entry{Plate: "KR4827"})
	p := func(cs []Character, plate string) float64 {
		for _, m := range search(t, list, Query{Characters: cs}, Rules{Confusable: true, OneCharacter: true}) {
			if m.Entry.Plate == plate {
				return m.Probability
			}
		}
		return 0
	}
	doubted := surely("KR48275", 0.9995)
	doubted[6].Confidence = 0.5
	if a, b := p(doubted, "KR4827"), p(surely("KR48275", 0.9995), "KR4827"); a < 100*b {
		t.Errorf("one too many: doubted %g, sure %g", a, b)
	}
	if a, b := p(surely("KR4821", 0.8), "KR48271"), p(surely("KR4821", 0.9995), "KR48271"); a < 100*b {
		t.Errorf("one too few: doubted %g, sure %g", a, b)
	}
}

// Where plates of another format are common, they are not taken for listed ones
// with a character more or less, nor with a look-alike in another place's stead.
func TestTrafficIsLearned(t *testing.T) {
	var entries []entry.Entry
	for i := range 10_000 {
		entries = append(entries, entry.Entry{Plate: fmt.Sprintf("%c%c%c%04d", 'A'+i%26, 'A'+i/26%26, 'A'+i/676, (7919*i)%10_000)})
	}
	list := listOf(entries...)
	list.Traffic = &Traffic{}
	doubted := Query{Characters: surely("AAA00001", 0.9)}
	if m := search(t, list, doubted, DefaultRules(len(entries))); len(m) == 0 {
		t.Fatal("before any traffic AAA00001 matches nothing")
	}
	var r Reading
	for i := range 1000 {
		r.Set(&Query{Text: fmt.Sprintf("XYZ%05d", i)}, DefaultConfusions())
		list.Traffic.Add(&r)
	}
	if m := search(t, list, doubted, DefaultRules(len(entries))); len(m) != 0 {
		t.Errorf("after a thousand plates of its format: %+v", m)
	}
	if m := search(t, list, Query{Characters: surely("AAA0000", 0.9)}, DefaultRules(len(entries))); len(m) == 0 || m[0].How != Exact {
		t.Errorf("the list's own plates: %+v", m)
	}
	for i := range 2 * maxTraffic {
		text := fmt.Sprintf("%010b", i)
		b := []byte(text)
		for k := range b {
			b[k] += byte('A'-'0') * (b[k] - '0') // 1 becomes a letter
		}
		r.Set(&Query{Text: string(b)}, DefaultConfusions())
		list.Traffic.Add(&r)
	}
	if n := len(list.Traffic.counts); n > maxTraffic {
		t.Errorf("%d layouts are counted", n)
	}
}

// Where the list's format does not pass, and one with a character more or less does,
// a doubtful reading of the list's format is most often such a plate, misread. It
// still matches, as read exactly; its probability says the doubt.
func TestMisreadPlatesOfTheTraffic(t *testing.T) {
	var entries []entry.Entry
	for i := range 10_000 {
		entries = append(entries, entry.Entry{Plate: fmt.Sprintf("%c%c%04d", 'A'+i%26, 'A'+i/26%26, (7919*i)%10_000)})
	}
	list := listOf(entries...)
	p := func(confidence float64) float64 {
		m := search(t, list, Query{Characters: surely("AA0000", confidence)}, DefaultRules(len(entries)))
		if len(m) == 0 || m[0].How != Exact {
			t.Fatalf("the exact text at %v: %+v", confidence, m)
		}
		return m[0].Probability
	}
	before := p(0.9)
	for text, most := range map[string]float64{"AA%05d": 0.6, "AB%03d": 0.9} {
		list.Traffic = &Traffic{}
		var r Reading
		for i := range 20_000 {
			r.Set(&Query{Text: fmt.Sprintf(text, i%1000)}, DefaultConfusions())
			list.Traffic.Add(&r)
		}
		if doubted, sure := p(0.9), p(0.9995); before < 0.99 || doubted > most || sure < 0.9 || sure < doubted {
			t.Errorf("%s passes: before %.3f, doubted %.3f, sure %.3f", text, before, doubted, sure)
		}
	}
}

// A plate of another format that is common here is not taken for a listed one that
// looks alike, nor when a look-alike was read in its place itself.
func TestLookalikesOfTheTraffic(t *testing.T) {
	var entries []entry.Entry
	for i := range 10_000 {
		entries = append(entries, entry.Entry{Plate: fmt.Sprintf("%c%c%c%04d", 'A'+i%26, 'A'+i/26%26, 'A'+i/676, (7919*i)%10_000)})
	}
	entries = append(entries, entry.Entry{Plate: "UCB5625"})
	list := listOf(entries...)
	rules := DefaultRules(1_000_000)
	traffic := &Traffic{}
	var r Reading
	for i := range 20_000 {
		text := fmt.Sprintf("ABC%04d", i%10_000)
		if i%4 == 0 {
			text = fmt.Sprintf("AB%05d", i)
		}
		r.Set(&Query{Text: text}, DefaultConfusions())
		traffic.Add(&r)
	}
	for text, passes := range map[string]bool{"UC85625": true, "UC856Z5": true, "UCB56Z5": false} {
		cs := surely(text, 0.9)
		for i, twin := range map[int]string{2: "B", 5: "2"} {
			if cs[i].Text != twin {
				cs[i].Alternatives = []Alternative{{Text: twin, Confidence: 0.09}}
			}
		}
		list.Traffic = nil
		if m := search(t, list, Query{Characters: cs}, rules); len(m) != 1 {
			t.Errorf("%s before any traffic: %+v", text, m)
		}
		list.Traffic = traffic
		if m := search(t, list, Query{Characters: cs}, rules); (len(m) == 0) != passes {
			t.Errorf("%s, a plate of the traffic %v: %+v", text, passes, m)
		}
	}
}

// A character that the view may hide makes a match of what is visible less
// probable, and one of a longer plate more.
func TestHiddenCharacters(t *testing.T) {
	list := listOf(entry.Entry{Plate: "PP587A"}, entry.Entry{Plate: "PP587AO"})
	p := func(hidden float64) (short, long float64) {
		for _, m := range search(t, list, Query{Characters: surely("PP587A", 0.9995), Hidden: hidden}, Rules{Confusable: true, OneCharacter: true}) {
			if m.Entry.Plate == "PP587A" {
				short = m.Probability
			} else {
				long = m.Probability
			}
		}
		return short, long
	}
	short, long := p(0)
	cutShort, cutLong := p(0.7)
	if cutShort > 0.3 || short < 0.9 || cutLong < 10*long {
		t.Errorf("in full view %g and %g, cut off %g and %g", short, long, cutShort, cutLong)
	}
}
