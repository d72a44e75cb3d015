package match

import (
	"math"

	"platewatch/hotlist/entry"
)

// Reading is what a reader saw: for each place the probability of every
// character, given what it reported. It is large: reuse it.
type Reading struct {
	query      Query
	confusions *Confusions
	text       [entry.MaxPlate]byte
	n          int
	p          [entry.MaxPlate][alphabet]float32
	// hesitated are the characters that the reader itself named.
	hesitated [entry.MaxPlate]uint64
	// doubt is, for each place, the probability that it is not the character read.
	doubt [entry.MaxPlate]float64
	// missed is the probability that a character was missed at a given place,
	// and added, times a place's doubt, that the one read there is none and
	// happens to look as it does.
	missed float64
	added  float64
}

// How a reader's confidences are to be taken, measured on what the votes of
// passages got wrong (hotlist/simulate/reader.tsv). Of what the reader names
// for a place, each is right about as often as its confidence is to their sum:
// one at half the confidence of the character read in a third of the cases. What
// it leaves over says less: of 837 characters reported with a third to two
// thirds left over, three were one that the reader did not name; of 11,470
// reported with less than three hundredths, none.
const (
	unnamed      = 0.01   // of what is left over, the probability that it is an unnamed character, when all is left over
	leastUnnamed = 0.0001 // however sure the reader is
	plainText    = 0.03   // the same in a text without characters' confidences
	missedOfAll  = 0.002
	addedOfAll   = 0.0064
	// confusedShare of the probability of unnamed characters goes to look-alikes
	// by the table, the rest to all characters alike.
	confusedShare = 0.85
	// certainty is that of a state which is taken for sure.
	certainty = 0.9997
)

// Set fills r with a query. It returns false if that is no plate.
func (r *Reading) Set(q *Query, c *Confusions) bool {
	r.query, r.confusions = *q, c
	var buf [4 * entry.MaxPlate]byte
	r.n = 0
	if len(q.Characters) == 0 {
		text := entry.AppendNormal(buf[:0], q.Text)
		if len(text) == 0 || len(text) > entry.MaxPlate {
			return false
		}
		for _, b := range text {
			r.add(b, 1, nil, plainText, c)
		}
	} else {
		for i := range q.Characters {
			ch := &q.Characters[i]
			text := entry.AppendNormal(buf[:0], ch.Text)
			if len(text) > 1 || len(text) == 1 && r.n == entry.MaxPlate {
				return false
			}
			if len(text) == 1 {
				r.add(text[0], ch.Confidence, ch.Alternatives, leastUnnamed, c)
			}
		}
		if r.n == 0 {
			return false
		}
	}
	var doubts float64
	for i := range r.n {
		doubts += r.doubt[i]
	}
	r.missed = missedOfAll / float64(r.n+1)
	r.added = addedOfAll / (doubts * alphabet)
	return true
}

// add appends a place. least is the least probability of a character that the
// reader did not name.
func (r *Reading) add(text byte, confidence float64, alternatives []Alternative, least float64, c *Confusions) {
	p := &r.p[r.n]
	*p = [alphabet]float32{}
	if !(confidence > 0.01) { // NaN as well
		confidence = 0.01
	}
	confidence = min(confidence, 1)
	top := ordinal(text)
	p[top] = float32(confidence)
	r.hesitated[r.n] = 1 << top
	for i := range alternatives {
		a := &alternatives[i]
		if len(a.Text) != 1 || !(a.Confidence > 0) {
			continue
		}
		var buf [4]byte
		t := entry.AppendNormal(buf[:0], a.Text)
		if len(t) != 1 || t[0] == text {
			continue
		}
		k := ordinal(t[0])
		if a.Confidence >= minSupport {
			r.hesitated[r.n] |= 1 << k
		}
		p[k] += float32(min(a.Confidence, 1))
	}
	named := float32(0)
	for _, x := range p {
		named += x
	}
	rest := max(least, unnamed*max(0, 1-float64(named)))
	for k := range p {
		p[k] *= float32(1-rest) / named
	}
	confused := 0.0
	if c.sums[top] > 0 {
		confused = confusedShare
		for k, w := range c.weight[top] {
			p[k] += float32(rest*confused) * w / c.sums[top]
		}
	}
	even := float32(rest * (1 - confused) / (alphabet - 1))
	for k := range p {
		if k != top {
			p[k] += even
		}
	}
	r.doubt[r.n] = 1 - float64(p[top])
	addTwins(p)
	r.text[r.n] = text
	r.n++
}

// addTwins gives characters that plates' typefaces and lists write alike the
// probability of all of them: which is meant cannot be told.
func addTwins(p *[alphabet]float32) {
	zero, o := ordinal('0'), ordinal('O')
	round := p[zero] + p[o]
	p[zero], p[o] = round, round
	one, i := ordinal('1'), ordinal('I')
	stroke := p[one] + p[i]
	p[one], p[i] = stroke, stroke
}

// at is the probability that place i is c.
func (r *Reading) at(i int, c byte) float64 { return float64(r.p[i][ordinal(c)]) }

// likelihood is the probability that all of the text was read right, whatever
// plates there are.
func (r *Reading) likelihood() float64 {
	p := 1.0
	for i, c := range r.text[:r.n] {
		p *= r.at(i, c)
	}
	return p
}

// pattern is the probability that the plate fits a pattern: of the likeliest
// way to lay it over the places.
func (r *Reading) pattern(p string) float64 {
	// best[j] is the probability of the places so far with the first j
	// characters of the pattern.
	var best [entry.MaxPlate + 1]float64
	best[0] = 1
	for j := 0; j < len(p) && p[j] == '*'; j++ {
		best[j+1] = 1
	}
	for i := range r.n {
		var next [entry.MaxPlate + 1]float64
		for j := range len(p) {
			switch {
			case p[j] == '*': // takes this place, or ends before it
				next[j+1] = math.Max(best[j+1], math.Max(best[j], next[j]))
			case p[j] == '?':
				next[j+1] = best[j]
			default:
				next[j+1] = best[j] * r.at(i, p[j])
			}
		}
		best = next
	}
	return best[len(p)]
}
