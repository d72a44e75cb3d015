package read

import (
	"cmp"
	"math"
	"slices"

	"platewatch/ocr/rectify"
)

// ballot collects the readings of one plate.
type ballot struct{ votes []vote }

type vote struct {
	text    string
	symbols []symbol
	line    rectify.Line
	weight  float64
}

const (
	shortest = 3  // characters: less is no plate
	longest  = 12 // and more is lettering
	// A reading with as many characters as the line has letters is likelier
	// whole than one without.
	otherLength = 0.6
	// How many alternatives a character keeps.
	maxAlternatives = 5
)

// cast adds what one look read.
func (b *ballot) cast(symbols []symbol, l rectify.Line) {
	v := vote{symbols: symbols, line: l}
	v.text, v.weight = spell(symbols)
	// The square root: neighbouring characters fail together, so the product
	// is too severe.
	v.weight = math.Sqrt(v.weight)
	switch n := len(symbols); {
	case n < shortest || n > longest:
		v.weight *= 0.05
	case n != len(l.Letters):
		v.weight *= otherLength
	}
	b.votes = append(b.votes, v)
}

// spell is the likeliest text of one look, and the product of its characters'
// confidences, none of which counts as less than 0.01.
func spell(symbols []symbol) (text string, probability float64) {
	probability = 1
	for _, s := range symbols {
		text += s.choices[0].Text
		probability *= max(s.choices[0].Confidence, 0.01)
	}
	return text, probability
}

// settled tells whether two looks agree on a text that is likely whole.
func (b *ballot) settled() bool {
	last := b.votes[len(b.votes)-1]
	if len(last.symbols) < shortest {
		return false
	}
	for _, v := range b.votes[:len(b.votes)-1] {
		if v.text == last.text && v.weight+last.weight > 1 {
			return true
		}
	}
	return false
}

// count gives the text with the greatest weight. Its confidence is that weight
// as a share of what all looks could have given.
func (b *ballot) count() (Reading, bool) {
	weights := map[string]float64{}
	var best vote
	for _, v := range b.votes {
		weights[v.text] += v.weight
	}
	for _, v := range b.votes {
		switch c := cmp.Compare(weights[v.text], weights[best.text]); {
		case best.text == "" || c > 0, c == 0 && v.weight > best.weight:
			best = v
		}
	}
	if n := len(best.symbols); n < shortest || n > longest {
		return Reading{}, false
	}
	r := Reading{
		Text: best.text, Line: best.line, Looks: len(b.votes),
		Confidence: min(1, weights[best.text]/float64(len(b.votes))),
	}
	for i := range best.symbols {
		r.Characters = append(r.Characters, b.character(i, best.text))
	}
	return r, true
}

// character merges what the looks of the winner's length say about place i.
func (b *ballot) character(i int, winner string) Character {
	weights := map[string]float64{}
	total := 0.0
	for _, v := range b.votes {
		if len(v.symbols) != len(winner) {
			continue
		}
		given := 0.0
		for rank, c := range v.symbols[i].choices {
			// Tesseract ranks alternatives well and rates most of them 0: give
			// the later ones at least a little of what the first left over.
			w := max(c.Confidence, 0.02/float64(rank+1)) * v.weight
			weights[c.Text] += w
			given += w
		}
		total += max(v.weight, given)
	}
	for text := range weights {
		weights[text] /= total
	}
	return characterOf(winner[i:i+1], weights)
}

// characterOf makes a character of the shares that each text has at its place.
func characterOf(text string, shares map[string]float64) Character {
	c := Character{Text: text, Confidence: shares[text]}
	for other, share := range shares {
		if other != text {
			c.Alternatives = append(c.Alternatives, Alternative{other, share})
		}
	}
	slices.SortFunc(c.Alternatives, func(a, b Alternative) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Text, b.Text))
	})
	c.Alternatives = c.Alternatives[:min(len(c.Alternatives), maxAlternatives)]
	return c
}
