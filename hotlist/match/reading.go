package match

import (
	"math"

	"platewatch/hotlist/entry"
)

// Reading is a query made ready for searches: for each place, the probability of
// every character. It is large; reuse it.
type Reading struct {
	query      Query
	confusions *Confusions
	text       [entry.MaxPlate]byte
	n          int
	p          [entry.MaxPlate][alphabet]float32
	// hesitated is the set of characters that the reader itself named.
	hesitated [entry.MaxPlate]uint64
	// missed is P(a character was missed at a given place), added P(the reading at a
	// place is not of a character, and came out as it did).
	missed float64
	added  [entry.MaxPlate]float64
	// hidden is P(a character lies outside what was seen).
	hidden float64
}

// How confidences become probabilities, measured on the votes of passages
// (hotlist/simulate/reader.tsv). A character that the reader names for a place is
// right about as often as its share of the confidences named there. The remainder
// to 1 says less: of 837 characters reported with a remainder of 1/3 to 2/3, three
// were one that the reader did not name; of 11,470 with less than 0.03, none.
const (
	unnamed      = 0.01   // share of the remainder that falls on characters the reader did not name
	leastUnnamed = 0.0001 // least probability of an unnamed character, however sure the reader is
	plainText    = 0.03   // the same for a text without confidences
	// confusedShare of the probability of unnamed characters goes to those of the
	// table of confusions, the rest to all characters equally.
	confusedShare = 0.85
	// P(one character was missed) is missedPerDoubt × the mean doubt of the plate's
	// characters (1 minus their confidence), and at least missedOfAll; below the mean
	// doubt missedRarely it falls with its square. P(a reading is not of a character
	// but, say, of a sticker) is addedOfDoubtful, less below the doubt addedOften, and
	// with the square below addedRarely. Of the votes 0.2 % have a character too few
	// and 0.64 % one too many; of 30 such single readings (of 5,171) none was among the
	// surest 5 %, and characters that were read wrong have a doubt of 0.3 in the
	// median.
	missedPerDoubt, missedOfAll, missedRarely = 0.05, 0.002, 0.005
	addedOfDoubtful, addedOften, addedRarely  = 0.005, 0.1, 0.01
	// typedDoubt is the doubt of the characters of a text without confidences.
	typedDoubt = 0.0005
	leastDoubt = 0.0001
	// certainty is the confidence from which on a state counts as certain.
	certainty = 0.9997
)

// Set fills r with a query. It returns false if the query holds no plate: no
// character or more than [entry.MaxPlate].
func (r *Reading) Set(q *Query, c *Confusions) bool {
	r.query, r.confusions = *q, c
	r.hidden = min(max(q.Hidden, 0), 1)
	var buf [4 * entry.MaxPlate]byte
	r.n = 0
	if len(q.Characters) == 0 {
		text := entry.AppendNormal(buf[:0], q.Text)
		if len(text) == 0 || len(text) > entry.MaxPlate {
			return false
		}
		for _, b := range text {
			r.added[r.n] = typedDoubt
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
				r.added[r.n] = 1 - ch.Confidence
				r.add(text[0], ch.Confidence, ch.Alternatives, leastUnnamed, c)
			}
		}
		if r.n == 0 {
			return false
		}
	}
	mean := 0.0
	for i, doubt := range r.added[:r.n] {
		if !(doubt < 1) { // NaN as well
			doubt = 1
		}
		doubt = max(doubt, leastDoubt)
		mean += doubt / float64(r.n)
		r.added[i] = addedOfDoubtful * min(1, doubt/addedOften) * min(1, doubt/addedRarely) / alphabet
	}
	rarely := min(1, mean/missedRarely)
	r.missed = max(missedPerDoubt*mean, missedOfAll) * rarely * rarely / float64(r.n+1)
	return true
}

// add appends a place. least is the least probability of an unnamed character.
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
	addTwins(p)
	r.text[r.n] = text
	r.n++
}

// addTwins gives O and 0, and I and 1, the probability of both: typefaces and lists
// write them alike, so that it cannot be known which one is meant.
func addTwins(p *[alphabet]float32) {
	zero, o := ordinal('0'), ordinal('O')
	round := p[zero] + p[o]
	p[zero], p[o] = round, round
	one, i := ordinal('1'), ordinal('I')
	stroke := p[one] + p[i]
	p[one], p[i] = stroke, stroke
}

// at returns P(place i is c).
func (r *Reading) at(i int, c byte) float64 { return float64(r.p[i][ordinal(c)]) }

// ofKind returns P(place i is a letter, L, or a digit, D).
func (r *Reading) ofKind(i int, kind byte) float64 {
	from, to := 0, 10
	if kind == 'L' {
		from, to = 10, alphabet
	}
	sum := float32(0)
	for _, p := range r.p[i][from:to] {
		sum += p
	}
	return float64(sum)
}

// likelihood returns P(the whole text was read right), whatever plates are common.
func (r *Reading) likelihood() float64 {
	p := 1.0
	for i, c := range r.text[:r.n] {
		p *= r.at(i, c)
	}
	return p
}

// pattern returns P(the plate fits a pattern), by the most probable alignment.
func (r *Reading) pattern(p string) float64 {
	// best[j] is the probability of the places so far, aligned with the first j
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
			case p[j] == '*': // covers this place, or ended before it
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
