package read

import (
	"cmp"
	"math"
	"slices"

	"platewatch/ocr/rectify"
	"platewatch/ocr/text"
)

// ballot collects the readings of one plate by a model that reads lines.
type ballot struct{ votes []vote }

type vote struct {
	text       string
	characters [][]text.Alternative
	line       rectify.Line
	weight     float64
}

// Longest is how many characters a text has at most; longer ones are other lettering.
const Longest = 12

const (
	shortest = 3 // characters of a plate, unless shorter ones are expected
	longest  = Longest
	// otherLength is the weight of a reading whose length differs from the
	// number of letters on the line: it is less likely to be complete.
	otherLength = 0.6
	// maxAlternatives bounds the alternatives of a character.
	maxAlternatives = 5
)

// cast adds the reading of one crop.
func (b *ballot) cast(characters [][]text.Alternative, l rectify.Line) {
	v := vote{characters: characters, line: l}
	v.text, v.weight = spell(characters)
	// The square root, because errors of neighbouring characters are
	// correlated: the product is too low.
	v.weight = math.Sqrt(v.weight)
	switch n := len(characters); {
	case n < shortest || n > longest:
		v.weight *= 0.05
	case n != len(l.Letters):
		v.weight *= otherLength
	}
	b.votes = append(b.votes, v)
}

// spell is the likeliest text of one crop, and the product of its characters'
// confidences, none of which counts as less than 0.01.
func spell(characters [][]text.Alternative) (likeliest string, probability float64) {
	probability = 1
	for _, c := range characters {
		likeliest += c[0].Text
		probability *= max(c[0].Confidence, 0.01)
	}
	return likeliest, probability
}

// settled tells whether two crops agree on a text that is likely complete.
func (b *ballot) settled() bool {
	last := b.votes[len(b.votes)-1]
	if len(last.characters) < shortest {
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
// as a share of what all crops could have given.
func (b *ballot) count() (Result, bool) {
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
	if n := len(best.characters); n < shortest || n > longest {
		return Result{}, false
	}
	r := Result{
		Reading: text.Reading{Text: best.text, Confidence: min(1, weights[best.text]/float64(len(b.votes)))},
		Line:    best.line, Looks: len(b.votes),
	}
	for i := range best.characters {
		r.Characters = append(r.Characters, b.character(i, best.text))
	}
	return r, true
}

// character merges what the crops with a text of the winner's length read at
// place i.
func (b *ballot) character(i int, winner string) text.Character {
	weights := map[string]float64{}
	total := 0.0
	for _, v := range b.votes {
		if len(v.characters) != len(winner) {
			continue
		}
		given := 0.0
		for rank, c := range v.characters[i] {
			// Tesseract ranks alternatives well and rates most of them 0: the
			// later ones get at least a little of what the first left over.
			w := max(c.Confidence, 0.02/float64(rank+1)) * v.weight
			weights[c.Text] += w
			given += w
		}
		total += max(v.weight, given)
	}
	for c := range weights {
		weights[c] /= total
	}
	return characterOf(winner[i:i+1], weights)
}

// characterOf is the character that reads chosen, with the other readings of its
// place as alternatives. shares are the confidences of all of them.
func characterOf(chosen string, shares map[string]float64) text.Character {
	c := text.Character{Text: chosen, Confidence: shares[chosen]}
	for other, share := range shares {
		if other != chosen {
			c.Alternatives = append(c.Alternatives, text.Alternative{Text: other, Confidence: share})
		}
	}
	slices.SortFunc(c.Alternatives, func(a, b text.Alternative) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Text, b.Text))
	})
	c.Alternatives = c.Alternatives[:min(len(c.Alternatives), maxAlternatives)]
	return c
}
