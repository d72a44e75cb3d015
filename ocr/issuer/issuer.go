// Package issuer tells who issued a plate: the country, or the state of the
// United States.
//
// What is known of it:
//
//   - the number: which series it can belong to, and how common these are
//     ([platewatch/ocr/region]);
//   - the lettering above and below the number of US plates: names and slogans;
//   - the country's sign in the blue band of European plates;
//   - the colours of characters and ground: red ones are Belgian, yellow grounds
//     Dutch, Luxembourgish or British.
//
// The lettering is read by a model of the project's own in Tesseract
// (ocr/train/lettering.py renders what it learns from). Words are not read and
// then looked for: for each word of the dictionary that the regions' data files
// hold, the probability of what the network saw is computed. The caller runs the
// model on the places that [Evidence.Places] yields, and gives its outputs to
// [Evidence.Look].
package issuer

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sync"

	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/region"
	"platewatch/ocr/text"
)

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
	// these two, what is told at 0.8 is wrong in 3 of 100 labelled US and in 1 of 100
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

// Evidence is what is known so far of who issued a plate. [About] begins it.
type Evidence struct {
	logs         []float64 // by authority, without the band
	words, signs float64   // the shares of authorities that have lettering, and a sign, to look for
	band         []float64 // log probability of each authority's sign, on the look on which one is likeliest
	sign, none   float64   // of those the greatest, and that of no sign
}

// About is what the number alone tells. expected are the regions that the unit was
// told.
func About(plate, expected string) *Evidence {
	shares := region.IssuerShares(plate, expected, foreign)
	e := &Evidence{logs: make([]float64, len(issuers())), sign: math.Inf(-1)}
	for k, i := range issuers() {
		e.logs[k] = seriesWeigh * math.Log(max(shares[i.Code], least))
		if len(i.Says) > 0 {
			e.words += shares[i.Code]
		}
		if len(i.Band) > 0 {
			e.signs += shares[i.Code]
		}
	}
	return e
}

const (
	// worth is the least share of authorities with something to look for that is worth a
	// look.
	worth = 0.05
	// clearly is the log probability of a sign from which the band is not looked for
	// elsewhere.
	clearly = -1.0
	// sure is the probability from which nothing more is looked at.
	sure = 0.9
)

// Places are the places of a plate that may still tell its issuer, in the order in
// which they should be looked at. It ends when the issuer is settled by what
// [Evidence.Look] was given.
func (e *Evidence) Places() iter.Seq[Place] {
	order := slices.Concat(strips, bands)
	if e.signs > e.words {
		order = slices.Concat(bands, strips)
	}
	return func(yield func(Place) bool) {
		for n, p := range order {
			if n > 0 && e.settled() {
				return
			}
			wanted := e.words > worth
			if p.inBand() {
				wanted = e.signs > worth && e.sign <= clearly
			}
			if wanted && !yield(p) {
				return
			}
		}
	}
}

// settled tells whether one authority is so likely that a further look changes nothing.
func (e *Evidence) settled() bool {
	out := e.Issuer()
	return len(out) > 0 && out[0].Confidence >= sure
}

// Look takes what the lettering model put out for a place: the probabilities of the
// blank and of [text.Alphabet] for each time step, as the reading models give them.
func (e *Evidence) Look(p Place, steps []float32) {
	if o := ctc.New(steps); p.inBand() {
		e.lookAtBand(o)
	} else if s := newStrip(o); !s.empty() {
		e.lookAtStrip(&s)
	}
}

// lookAtStrip adds what a strip says.
func (e *Evidence) lookAtStrip(s *strip) {
	for k, i := range issuers() {
		best := unseenWord
		for n, w := range i.Says {
			v := s.contains(w)
			if n > 0 {
				v += otherWord
			}
			best = max(best, v)
		}
		e.logs[k] += ctc.LogSum(math.Log((1-unlettered)/2)+best, math.Log(unlettered))
	}
}

// lookAtBand keeps the look on which a sign is likeliest.
func (e *Evidence) lookAtBand(o ctc.Outputs) {
	band := make([]float64, len(e.logs))
	for k, i := range issuers() {
		band[k] = unseenSign
		for _, s := range i.Band {
			band[k] = max(band[k], o.LogProbability(s))
		}
	}
	if most := slices.Max(band); most > e.sign {
		e.band, e.sign, e.none = band, most, o.LogProbability("")
	}
}

// Issuer returns who may have issued the plate, the likeliest first, with their
// probabilities; the remainder to 1 is unknown. It returns nothing where no
// authority is likely.
func (e *Evidence) Issuer() []text.Alternative {
	logs := slices.Clone(e.logs)
	for k, sign := range e.band {
		logs[k] += ctc.LogSum(math.Log(1-unsigned)+sign, math.Log(unsigned)+ctc.LogSum(e.none, anySign))
	}
	most := slices.Max(logs)
	total := 0.0
	for k := range logs {
		logs[k] = math.Exp(allWeigh * (logs[k] - most))
		total += logs[k]
	}
	var out []text.Alternative
	for k, i := range issuers() {
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
