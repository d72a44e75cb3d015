package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"platewatch/ocr/passage"
	"platewatch/ocr/text"
)

// tally counts the results of look-ups of plates.
type tally struct {
	plates, found, lookups int
	right                  int // look-ups of the exact text
	classes                [classes]int
	missed, added, other   int // one character too few, one too many; others, whose characters cannot be aligned
	characters, wrong      int
	outcomes               map[outcome]int
	mistakes               []string
	single                 readings
	doubtful               int // plates left out

	// How similar the frames of a passage are.
	pairs, same           int // two frames in a row that were both read, and read the same
	wrongPairs, sameWrong int // of those where the first was wrong
}

// classes of look-ups, by the passage's confidence: the characters of a look-up are
// correlated, because a plate that is hard to read has many uncertain ones.
const classes = 5

var bounds = [classes - 1]float64{0.6, 0.8, 0.95, 0.99}

func classOf(confidence float64) int {
	class := 0
	for class < classes-1 && confidence >= bounds[class] {
		class++
	}
	return class
}

// outcome is the result of reading a character; probabilities in thousandths.
type outcome struct {
	class        int
	truth, read  string
	confidence   int
	alternatives string
}

func (t *tally) add(s *Seen) error {
	f, err := s.follow()
	if err != nil {
		return err
	}
	t.plates++
	if len(f.lookups) > 0 {
		t.found++
	}
	for _, p := range f.lookups {
		t.lookUp(s, p)
	}
	for i := 1; i < len(f.frames); i++ {
		a, b := f.frames[i-1].Text, f.frames[i].Text
		if a == "" || b == "" {
			continue
		}
		t.pairs++
		if a == b { // as two frames must before a unit looks up
			t.same++
			t.single.add(f.frames[i], s.Plate)
		}
		if a != s.Plate {
			t.wrongPairs++
			if a == b {
				t.sameWrong++
			}
		}
	}
	return nil
}

func (t *tally) lookUp(s *Seen, p passage.Passage) {
	t.lookups++
	class := classOf(p.Confidence)
	if p.Text == s.Plate {
		t.right++
	} else {
		t.mistakes = append(t.mistakes, fmt.Sprintf("%s\t%s\t%s\t%.3f", s.File, s.Plate, p.Text, p.Confidence))
	}
	switch d := passage.Distance(p.Text, s.Plate); {
	case len(p.Text) == len(s.Plate):
	case d == 1 && len(p.Text) < len(s.Plate):
		t.missed++
		return
	case d == 1:
		t.added++
		return
	default:
		t.other++
		return
	}
	t.classes[class]++
	for i, c := range p.Characters {
		t.characters++
		truth := s.Plate[i : i+1]
		if c.Text != truth {
			t.wrong++
		}
		if t.outcomes == nil {
			t.outcomes = map[outcome]int{}
		}
		t.outcomes[outcome{class, truth, c.Text, thousandths(c.Confidence), alternatives(c)}]++
	}
}

func thousandths(p float64) int { return int(math.Round(1000 * p)) }

// alternatives lists the alternatives of at least a thousandth.
func alternatives(c text.Character) string {
	var b strings.Builder
	for _, a := range c.Alternatives {
		if n := thousandths(a.Confidence); n > 0 {
			fmt.Fprintf(&b, " %s:%d", a.Text, n)
		}
	}
	return strings.TrimSpace(b.String())
}

// readings are the confidences of what single frames read, where the frame before agrees.
// Look-ups with a character too few or too many are too few to tell how sure such
// readings are.
type readings struct{ all, missed, added []float64 }

func (r *readings) add(of text.Reading, plate string) {
	r.all = append(r.all, of.Confidence)
	if passage.Distance(of.Text, plate) != 1 {
		return
	}
	switch len(of.Text) - len(plate) {
	case -1:
		r.missed = append(r.missed, of.Confidence)
	case 1:
		r.added = append(r.added, of.Confidence)
	}
}

func (r *readings) merge(o *readings) {
	r.all, r.missed, r.added = append(r.all, o.all...), append(r.missed, o.missed...), append(r.added, o.added...)
}

// classes counts readings, each in the class that holds as many surer ones among the
// look-ups as there are among all readings.
func (r *readings) classes(of []float64, lookups [classes]int) (counts [classes]int) {
	total := 0
	for _, n := range lookups {
		total += n
	}
	slices.Sort(r.all)
	for _, confidence := range of {
		below, _ := slices.BinarySearch(r.all, confidence)
		rank := float64(below) / float64(len(r.all)) * float64(total)
		class := 0
		for upTo := float64(lookups[0]); class < classes-1 && rank >= upTo; upTo += float64(lookups[class]) {
			class++
		}
		counts[class]++
	}
	return counts
}

func (t *tally) merge(o *tally) {
	t.plates, t.found, t.lookups, t.right = t.plates+o.plates, t.found+o.found, t.lookups+o.lookups, t.right+o.right
	t.missed, t.added, t.other = t.missed+o.missed, t.added+o.added, t.other+o.other
	t.characters, t.wrong = t.characters+o.characters, t.wrong+o.wrong
	t.pairs, t.same = t.pairs+o.pairs, t.same+o.same
	t.wrongPairs, t.sameWrong = t.wrongPairs+o.wrongPairs, t.sameWrong+o.sameWrong
	t.doubtful += o.doubtful
	for i, n := range o.classes {
		t.classes[i] += n
	}
	if t.outcomes == nil {
		t.outcomes = map[outcome]int{}
	}
	for k, n := range o.outcomes {
		t.outcomes[k] += n
	}
	t.mistakes = append(t.mistakes, o.mistakes...)
	t.single.merge(&o.single)
}

// summary formats the result for the person who measures.
func (t *tally) summary() string {
	return fmt.Sprintf("%d plates, %d looked up %d times, %d right; one missed %d, one added %d, others %d; %d of %d characters wrong; "+
		"of two frames %d of %d alike, after a wrong one %d of %d; %d left out",
		t.plates, t.found, t.lookups, t.right, t.missed, t.added, t.other, t.wrong, t.characters,
		t.same, t.pairs, t.sameWrong, t.wrongPairs, t.doubtful)
}

// table formats the file that the simulation reads.
func (t *tally) table() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Made by ocr/passage/cmd/tallyreads; DO NOT EDIT. What the votes of passages made of %d characters on %d plates, %d of them wrong.\n",
		t.characters, t.found, t.wrong)
	b.WriteString("# Look-ups by confidence of the passage (class, how many); those with one character too few, and one too many; single\n" +
		"# readings with one too few or too many, each in the class that holds as many surer ones among the look-ups; then\n" +
		"# class, character in truth, character read, its confidence and the alternatives in thousandths, how often.\n")
	for class, n := range t.classes {
		fmt.Fprintf(&b, "plates\t%d\t%d\n", class, n)
	}
	fmt.Fprintf(&b, "missed\t%d\nadded\t%d\n", t.missed, t.added)
	for _, how := range []struct {
		name string
		of   []float64
	}{{"missed", t.single.missed}, {"added", t.single.added}} {
		for class, n := range t.single.classes(how.of, t.classes) {
			fmt.Fprintf(&b, "%s\t%d\t%d\n", how.name, class, n)
		}
	}
	for _, o := range slices.SortedFunc(maps.Keys(t.outcomes), func(a, b outcome) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.truth, b.truth), cmp.Compare(a.read, b.read),
			cmp.Compare(a.confidence, b.confidence), cmp.Compare(a.alternatives, b.alternatives))
	}) {
		fmt.Fprintf(&b, "%d\t%s\t%s\t%d\t%s\t%d\n", o.class, o.truth, o.read, o.confidence, o.alternatives, t.outcomes[o])
	}
	return b.Bytes()
}
