// Package vehicle is what pictures show of a vehicle beside the number of its
// plate, and the vote over several of them.
package vehicle

import (
	"cmp"
	"slices"

	"platewatch/ocr/text"
)

// Seen are two distributions, each with the likeliest first. The remainder to 1
// is unknown; an empty one is unknown altogether.
type Seen struct {
	// Issuer is who issued the plate: ISO 3166-1 alpha-2 in lower case ("de"), or a
	// state of the United States ("us-tx").
	Issuer []text.Alternative
	// Colour is that of the vehicle's body, by the names of platewatch/ocr/colour.
	Colour []text.Alternative
}

// Likeliest is the first of a distribution, if there is one.
func Likeliest(d []text.Alternative) (text.Alternative, bool) {
	if len(d) == 0 {
		return text.Alternative{}, false
	}
	return d[0], true
}

// Vote is the mean over the views of one vehicle: they show the same plate and
// the same body, so that what misleads in one is likely to mislead in the others,
// and nothing may become surer by being seen again. The zero value has no views.
type Vote struct {
	views          int
	issuer, colour map[string]float64
}

// Views is how many pictures have voted.
func (v *Vote) Views() int { return v.views }

// Add lets a picture vote.
func (v *Vote) Add(s Seen) {
	if v.issuer == nil {
		v.issuer, v.colour = map[string]float64{}, map[string]float64{}
	}
	v.views++
	for _, a := range s.Issuer {
		v.issuer[a.Text] += a.Confidence
	}
	for _, a := range s.Colour {
		v.colour[a.Text] += a.Confidence
	}
}

// Seen is the result of the vote.
func (v *Vote) Seen() Seen {
	mean := func(sums map[string]float64) []text.Alternative {
		var out []text.Alternative
		for name, sum := range sums {
			out = append(out, text.Alternative{Text: name, Confidence: sum / float64(v.views)})
		}
		slices.SortFunc(out, func(a, b text.Alternative) int {
			return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Text, b.Text))
		})
		return out
	}
	return Seen{Issuer: mean(v.issuer), Colour: mean(v.colour)}
}
