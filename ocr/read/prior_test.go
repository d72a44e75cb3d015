package read

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/region"
	"platewatch/ocr/text"
)

// alternatives are outputs that see one of some characters at each place, as
// likely as their shares say: {'O': 0.6, '0': 0.38}.
func alternatives(places ...map[byte]float32) ctc.Outputs {
	v := make([]float32, (2*len(places)+1)*Classes)
	v[0] = 1
	for i, shares := range places {
		for letter, p := range shares {
			v[(2*i+1)*Classes+ctc.Class(letter)] = p
		}
		v[(2*i+2)*Classes] = 1
	}
	return ctc.New(v)
}

// clearly are outputs that see a text with probability p at each place, and
// what is left over for the look-alikes of a figure or letter.
func clearly(text string, p float32) ctc.Outputs {
	alike := map[byte]byte{'O': '0', '0': 'O', 'I': '1', '1': 'I', 'B': '8', '8': 'B', 'S': '5', '5': 'S', 'Z': '2', '2': 'Z', 'G': '6', '6': 'G', 'A': '4', '4': 'A'}
	var places []map[byte]float32
	for i := range len(text) {
		at := map[byte]float32{text[i]: p}
		if other := alike[text[i]]; other != 0 {
			at[other] = 1 - p
		}
		places = append(places, at)
	}
	return alternatives(places...)
}

func formatsOf(t testing.TB, spec string) *region.Set {
	t.Helper()
	s, err := region.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// readAs is what a panel reads of three looks with the same outputs.
func readAs(t *testing.T, spec string, o ctc.Outputs) Result {
	t.Helper()
	p := panel{formats: formatsOf(t, spec)}
	for range 3 {
		p.add(o)
	}
	r, ok := p.result(lineOf(7))
	if !ok {
		t.Fatalf("nothing was read")
	}
	return r
}

// A format settles what is unsure, by position.
func TestPriorSettles(t *testing.T) {
	at := func(pairs ...string) ctc.Outputs { // the first of each with 0.52, the others share the rest
		var places []map[byte]float32
		for _, letters := range pairs {
			m := map[byte]float32{letters[0]: 1}
			if n := len(letters); n > 1 {
				m[letters[0]] = 0.52
				for i := 1; i < n; i++ {
					m[letters[i]] = 0.48 / float32(n-1)
				}
			}
			places = append(places, m)
		}
		return alternatives(places...)
	}
	for _, test := range []struct {
		name, spec string
		looks      ctc.Outputs
		want       string
		format     string
	}{
		{"O and 0", "br", at("A", "Y", "0O", "9", "O0", "3", "4"), "AYO9034", "br-old"},
		{"I and 1", "us-ca", at("I1", "A", "B", "C", "1", "2", "I1"), "1ABC121", "us-ca"},
		{"6 and G, 5 and S", "br", at("A", "B", "G6", "G6", "S5", "3", "4"), "ABG6534", "br-old"},
		{"D and 0", "br", at("P", "J", "H", "D0", "9", "5", "7"), "PJH0957", "br-old"},
		{"every place unsure", "br", at("0O", "1I", "8B", "OD0", "LI1", "ZS2", "GC6"), "OIB0126", "br-old"},
		{"the fifth is a letter", "br", at("A", "B", "C", "1", "0O", "2", "3"), "ABC1023", "br-old"},
		{"a town's code", "hr", at("2Z", "6G", "1", "2", "3", "4", "A", "8B"), "ZG1234AB", "hr"},
		{"as read, without a region", "", at("A", "Y", "0O", "9", "O0", "3", "4"), "AY09O34", ""},
	} {
		r := readAs(t, test.spec, test.looks)
		if r.Text != test.want || r.Format != test.format {
			t.Errorf("%s: read %s of %q, want %s of %q", test.name, r.Text, r.Format, test.want, test.format)
		}
		if (r.Prior > 0) != (test.spec != "") {
			t.Errorf("%s: prior %g", test.name, r.Prior)
		}
	}
}

// A plate that was read clearly stays what it is, whatever the formats say.
func TestPriorForcesNothing(t *testing.T) {
	for _, test := range []struct{ name, spec, text string }{
		{"a vanity plate", "us", "B0BSG16"},
		{"a vanity plate of letters", "eu", "GOBOSS"},
		{"a foreign plate", "br", "AB123CD"},
		{"a foreign plate of the length", "br", "SB12GOO"},
		{"a format that was not told", "nl", "1234OIB"},
		{"O where the series has none", "us-tx", "OIO1234"},
	} {
		if r := readAs(t, test.spec, clearly(test.text, 0.995)); r.Text != test.text || r.Confidence < 0.5 || r.Format != "" {
			t.Errorf("%s: %s became %s (%.2f) of %q", test.name, test.text, r.Text, r.Confidence, r.Format)
		}
	}
}

// Where a state's plates have any letters and figures, the reader decides between O and 0:
// a vanity plate stays what it is.
func TestPriorLeavesStampedAlike(t *testing.T) {
	sure := func(c byte) map[byte]float32 { return map[byte]float32{c: 1} }
	for _, test := range []struct {
		seen map[byte]float32
		want string
	}{
		{map[byte]float32{'O': 0.6, '0': 0.4}, "H8ROAD"},
		{map[byte]float32{'O': 0.4, '0': 0.6}, "H8R0AD"},
	} {
		if r := readAs(t, "us", alternatives(sure('H'), sure('8'), sure('R'), test.seen, sure('A'), sure('D'))); r.Text != test.want {
			t.Errorf("%s became %s of %q", test.want, r.Text, r.Format)
		}
	}
}

// Confidences stay probabilities, and a format alone makes nothing sure.
func TestPriorConfidence(t *testing.T) {
	half := map[byte]float32{'0': 0.5, 'O': 0.48}
	o := alternatives(map[byte]float32{'A': 1}, map[byte]float32{'B': 1}, half, map[byte]float32{'1': 1}, map[byte]float32{'2': 1}, map[byte]float32{'3': 1}, map[byte]float32{'4': 1})
	with, without := readAs(t, "br", o), readAs(t, "", o)
	if with.Text != "ABO1234" || with.Confidence < 0.9 || without.Confidence > 0.55 {
		t.Errorf("%s with %.2f; without a region %s with %.2f", with.Text, with.Confidence, without.Text, without.Confidence)
	}
	c := with.Characters[2]
	if c.Text != "O" || c.Confidence < 0.9 || len(c.Alternatives) == 0 || c.Alternatives[0].Text != "0" || c.Alternatives[0].Confidence > 0.1 {
		t.Errorf("the third character is %+v", c)
	}
	// Two figures, of which the format does not tell one from the other.
	o = alternatives(map[byte]float32{'A': 1}, map[byte]float32{'B': 1}, map[byte]float32{'C': 1}, map[byte]float32{'3': 0.5, '8': 0.3}, map[byte]float32{'2': 1}, map[byte]float32{'3': 1}, map[byte]float32{'4': 1})
	if r := readAs(t, "br", o); r.Confidence > 0.55 || r.Characters[3].Alternatives[0].Text != "8" {
		t.Errorf("the format makes %s sure: %.2f, %+v", r.Text, r.Confidence, r.Characters[3])
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		places := make([]map[byte]float32, 4+random.IntN(5))
		for i := range places {
			places[i] = map[byte]float32{}
			left := float32(1)
			for range 3 {
				p := left * random.Float32()
				left -= p
				places[i][text.Alphabet[random.IntN(len(text.Alphabet))]] = p
			}
		}
		r := readAs(t, "eu", alternatives(places...))
		if !(r.Confidence > 0 && r.Confidence <= 1+1e-9) {
			t.Errorf("%s has confidence %g", r.Text, r.Confidence)
		}
		for i, c := range r.Characters {
			sum := c.Confidence
			for _, a := range c.Alternatives {
				sum += a.Confidence
			}
			if sum > 1+1e-9 || c.Confidence < r.Confidence-1e-9 {
				t.Errorf("%s (%.3f): character %d has %.3f and adds up to %.3f", r.Text, r.Confidence, i, c.Confidence, sum)
			}
		}
	}
}

// A reading of which only the characters are known is weighed alike.
func TestWeigh(t *testing.T) {
	character := func(read string, p float64, other string, q float64) text.Character {
		return text.Character{Text: read, Confidence: p, Alternatives: []text.Alternative{{Text: other, Confidence: q}}}
	}
	unsure := Result{Reading: text.Reading{Text: "AB01234", Confidence: 0.45, Characters: []text.Character{
		character("A", 0.98, "4", 0.01), character("B", 0.9, "8", 0.05), character("0", 0.5, "O", 0.45), character("1", 0.9, "I", 0.05),
		character("2", 0.95, "Z", 0.03), character("3", 0.99, "8", 0.005), character("4", 0.99, "A", 0.005)}}}
	br := &Reader{formats: formatsOf(t, "br")}
	r := br.Weigh(unsure)
	if r.Text != "ABO1234" || r.Format != "br-old" || r.Prior <= 0 || r.Confidence < 0.4 || r.Confidence > 0.95 {
		t.Errorf("%s of %q, %.2f, prior %.1f", r.Text, r.Format, r.Confidence, r.Prior)
	}
	for i, c := range r.Characters {
		sum := c.Confidence
		for _, a := range c.Alternatives {
			sum += a.Confidence
		}
		if c.Text != r.Text[i:i+1] || sum > 1+1e-9 || c.Confidence < r.Confidence-1e-9 || len(c.Alternatives) == 0 {
			t.Errorf("character %d of %s is %+v", i, r.Text, c)
		}
	}
	if got := (&Reader{}).Weigh(unsure); !reflect.DeepEqual(got, unsure) {
		t.Errorf("without a region it became %+v", got)
	}
	vanity := Result{Reading: text.Reading{Text: "GOBOSS", Confidence: 0.97}}
	for _, c := range vanity.Text {
		vanity.Characters = append(vanity.Characters, character(string(c), 0.995, "0", 0.002))
	}
	if got := br.Weigh(vanity); got.Text != vanity.Text || got.Format != "" || got.Confidence < 0.9 {
		t.Errorf("%s became %s (%.2f) of %q", vanity.Text, got.Text, got.Confidence, got.Format)
	}
	if got := br.Weigh(Result{}); got.Text != "" {
		t.Errorf("nothing became %q", got.Text)
	}
}

// The alignment finds the time step of each character, doubles too.
func TestAlign(t *testing.T) {
	for _, text := range []string{"A", "AB12", "AA11BB", "B"} {
		o := clearly(text, 0.9)
		steps := o.Align(text)
		for i := range len(text) {
			if steps[i] != 2*i+1 {
				t.Errorf("%s is at %v", text, steps)
				break
			}
		}
	}
	if got := (ctc.Outputs{}).Align("AB"); got != nil {
		t.Errorf("nothing is aligned as %v", got)
	}
	if got := clearly("AB", 0.9).Align("ABCDEFGHIJ"); len(got) != 10 { // no way is long enough
		t.Errorf("a text that is too long is aligned as %v", got)
	}
}

func BenchmarkPanel(b *testing.B) {
	o := alternatives(map[byte]float32{'A': 0.7, '4': 0.3}, map[byte]float32{'B': 0.6, '8': 0.4}, map[byte]float32{'C': 1}, map[byte]float32{'0': 0.5, 'O': 0.3, 'D': 0.2},
		map[byte]float32{'2': 1}, map[byte]float32{'I': 0.5, '1': 0.5}, map[byte]float32{'4': 1})
	for _, spec := range []string{"", "br", "eu"} {
		s := formatsOf(b, spec)
		b.Run("region="+spec, func(b *testing.B) {
			for b.Loop() {
				p := panel{formats: s}
				p.add(o)
			}
		})
	}
}
