// Package issuer tells who issued a plate: the country, or the state of the
// United States.
//
// What is known of it:
//
//   - the number: which series it can belong to, and how common these are
//     ([platewatch/ocr/region]);
//   - the lettering above and below the number of US plates: names and slogans;
//   - the country's sign in the blue band of European plates.
//
// The lettering is read by a model of the project's own in Tesseract
// (ocr/train/lettering.py renders what it learns from). Words are not read and
// then looked for: for each word of the dictionary that the regions' data files
// hold, the probability of what the network saw is computed. The caller runs the
// model on the places that [Places] names, and gives its outputs to [Of].
package issuer

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"platewatch/ocr/region"
	"platewatch/ocr/text"
)

// Looks are the outputs of the lettering model by [Place]: probabilities of the
// blank and of [text.Alphabet] for each time step, as the reading models give
// them. nil: not looked at.
type Looks [places][]float32

const (
	// foreign is how much authorities outside the expected regions weigh beside
	// those inside.
	foreign = 0.02
	// The shares of plates of an authority that show nothing of its dictionary:
	// hidden by a frame, too small, a special design; and of those with a band
	// whose sign cannot be read.
	unlettered, unsigned = 0.3, 0.15
	// anySign bounds what a band that shows something else costs, as a log
	// probability.
	anySign = -15.0
	// otherWord is what a slogan weighs beside a name: some are used by several.
	otherWord = -1.0
	// least is the smallest share that an authority has of a text: no list of
	// formats is complete.
	least = 1e-5
	// The series weigh a little less than they would if the lists of formats and
	// the numbers of cars were exact, and everything together less than if the
	// strips and the band were independent of each other and always cut well. With
	// these two, what is told at 0.8 is wrong in 4 of 100 labelled US and in 1 of 100
	// labelled European plates; without them in 9 and 9.
	seriesWeigh, allWeigh = 0.75, 0.68
	// unseen is the evidence of an authority without anything to be looked for.
	unseenWord, unseenSign = -30.0, -40.0
	// few is the share below which an authority is left out of the result.
	few = 0.01
	// leastSure: what is less likely is unknown.
	leastSure = 0.2
)

var issuers = sync.OnceValue(region.Issuers)

// Places are the places of a plate that may tell its issuer, in the order in which
// they should be looked at: those where the authorities that its text can be of
// have something. Those of the band that follow a look which is [Enough] can be
// left out.
func Places(plate, expected string) []Place {
	const worth = 0.05 // share of such authorities
	words, signs := 0.0, 0.0
	shares := region.IssuerShares(plate, expected, foreign)
	for _, i := range issuers() {
		if len(i.Says) > 0 {
			words += shares[i.Code]
		}
		if len(i.Band) > 0 {
			signs += shares[i.Code]
		}
	}
	var out []Place
	if words > worth {
		out = append(out, Above, Below)
	}
	if signs > worth {
		out = append(out, Band, BandFurther, BandNearer)
	}
	return out
}

// Of returns who may have issued a plate, the likeliest first, with their
// probabilities; the remainder to 1 is unknown. expected are the regions that the
// unit was told. It returns nothing where no authority is likely.
func Of(plate, expected string, looks Looks) []text.Alternative {
	shares := region.IssuerShares(plate, expected, foreign)
	all := issuers()
	logs := make([]float64, len(all))
	for k, i := range all {
		logs[k] = seriesWeigh * math.Log(max(shares[i.Code], least))
	}
	for _, p := range []Place{Above, Below} {
		if o := newOutputs(looks[p]); len(o) > 0 {
			addWords(logs, all, o)
		}
	}
	if o := clearest(looks, all); len(o) > 0 {
		addSigns(logs, all, o)
	}
	most := slices.Max(logs)
	total := 0.0
	for k := range logs {
		logs[k] = math.Exp(allWeigh * (logs[k] - most))
		total += logs[k]
	}
	var out []text.Alternative
	for k, i := range all {
		if p := logs[k] / total; p >= few {
			out = append(out, text.Alternative{Text: i.Code, Confidence: p})
		}
	}
	slices.SortStableFunc(out, func(a, b text.Alternative) int { return cmp.Compare(b.Confidence, a.Confidence) })
	if len(out) == 0 || out[0].Confidence < leastSure {
		return nil
	}
	return out
}

// addWords adds, to the log probability of each authority, what a strip says.
func addWords(logs []float64, all []region.Issuer, o outputs) {
	if o.letters() == 0 {
		return
	}
	for k, i := range all {
		best := unseenWord
		for n, w := range i.Says {
			v := o.contains(w)
			if n > 0 {
				v += otherWord
			}
			best = max(best, v)
		}
		logs[k] += logSum(math.Log((1-unlettered)/2)+best, math.Log(unlettered))
	}
}

// clearest is the look at the band on which a sign is likeliest.
func clearest(looks Looks, all []region.Issuer) outputs {
	var best outputs
	most := math.Inf(-1)
	for _, p := range []Place{Band, BandFurther, BandNearer} {
		if o := newOutputs(looks[p]); len(o) > 0 {
			if v := o.sign(all); v > most {
				best, most = o, v
			}
		}
	}
	return best
}

// sign is the log probability of the likeliest sign.
func (o outputs) sign(all []region.Issuer) float64 {
	best := unseenSign
	for _, i := range all {
		for _, s := range i.Band {
			best = max(best, o.is(s))
		}
	}
	return best
}

// Enough tells whether a look at the band is clear, so that it need not be looked
// for at other places.
func Enough(steps []float32) bool {
	const plain = -1.0 // log probability
	return newOutputs(steps).sign(issuers()) > plain
}

// addSigns adds what a band says.
func addSigns(logs []float64, all []region.Issuer, o outputs) {
	none := logSum(o.is(""), anySign) + math.Log(unsigned)
	for k, i := range all {
		best := unseenSign
		for _, s := range i.Band {
			best = max(best, o.is(s))
		}
		logs[k] += logSum(math.Log(1-unsigned)+best, none)
	}
}
