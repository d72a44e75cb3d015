package read

import (
	"math"
	"slices"

	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/region"
	"platewatch/ocr/text"
)

// How the formats of the expected regions ([NewReader]) weigh in: a text's
// log-prior, half of [region.Set.Prior] within bounds, is added to the mean of
// its log probabilities over the crops. It counts once, not once per crop,
// because all crops show the same pixels. The bounds amount to a factor of 150:
// a text that fits no format gives way to one that fits only if the reader
// thinks that at most 150 times less likely. That is true of O and 0 on most
// plates, and of few other characters that are clearly visible.
//
// The prior is halved because the network learned formats too: half of its
// training plates follow such patterns. The exact value matters little: with
// 0.4 and 0.6, or with bounds one higher, the number of plates read right on
// nine folders of labelled pictures, 2,200 plates, stays within a quarter of a
// percent. With more weight, more plates that fit no format are misread.
const (
	priorWeight           = 0.5
	leastPrior, mostPrior = -1.5, 3.5
	// How many of the likeliest texts are completed, and to how many texts of
	// the formats each.
	completed, completions = 2, 4
)

// priorOf is the weighted and bounded log-prior of a text; 0 without regions.
func priorOf(candidate string, formats *region.Set) float64 {
	return min(max(priorWeight*formats.Prior(candidate), leastPrior), mostPrior)
}

// confidence is a text's probability: without regions the geometric mean over
// the crops, with them its share after the formats were weighed in. Unlisted
// texts are assumed to fit the formats as well as the best listed one (another
// figure fits where this one does), so that a format alone never makes a
// reading certain.
func (p *panel) confidence(v textScore) float64 {
	if p.formats == nil {
		return p.mean(v)
	}
	best := p.texts[0].prior
	seen, total := 0.0, 0.0
	for _, o := range p.texts {
		m := p.mean(o)
		seen += m
		total += m * math.Exp(o.prior-best)
	}
	return p.mean(v) * math.Exp(v.prior-best) / (total + max(0, 1-seen))
}

// complete adds texts that fit the formats and resemble the likeliest ones: at
// each place they have a character that is possible on the crops. The beam
// search alone misses them where several places are uncertain. It does nothing
// where no further text could become the likeliest.
func (p *panel) complete() {
	texts := p.texts
	left := 1.0
	for _, v := range texts {
		left -= p.mean(v)
	}
	if left*math.Exp(mostPrior) < p.mean(texts[0])*math.Exp(texts[0].prior) {
		return
	}
	for _, v := range texts[:min(len(texts), completed)] {
		if n := len(v.text); n < p.fewest() || n > longest {
			continue
		}
		for _, fitting := range p.formats.Likeliest(p.places(v.text), completions) {
			p.weigh(fitting, p.looks)
		}
	}
}

// places are the characters that are possible at each place of a text, with the
// mean of their log probabilities over the crops.
func (p *panel) places(like string) [][]region.Choice {
	sum := make([][Classes]float32, len(like))
	for _, o := range p.looks {
		for i, step := range o.Align(like) {
			for c := 1; c < Classes; c++ {
				sum[i][c] += o[step][c]
			}
		}
	}
	n := float32(len(p.looks))
	places := make([][]region.Choice, len(like))
	for i := range sum {
		for c := 1; c < Classes; c++ {
			if mean := sum[i][c] / n; mean > ctc.Unlisted {
				places[i] = append(places[i], region.Choice{Letter: text.Alphabet[c-1], Log: float64(mean)})
			}
		}
	}
	return places
}

// Weigh weighs the formats of the regions into a result as [Reader.Read] does,
// by its characters and their alternatives alone: for results that were joined
// from two rows. Without regions it returns the result unchanged.
func (r *Reader) Weigh(result Result) Result {
	if r.formats == nil || result.Text == "" {
		return result
	}
	// Tesseract rates most alternatives 0, though their order says something.
	const least = 1e-3
	places := make([][]region.Choice, len(result.Characters))
	own := 0.0 // log probability of the text as the product of its characters
	for i, c := range result.Characters {
		log := math.Log(max(c.Confidence, least))
		own += log
		places[i] = append(places[i], region.Choice{Letter: c.Text[0], Log: log})
		for _, a := range c.Alternatives {
			places[i] = append(places[i], region.Choice{Letter: a.Text[0], Log: math.Log(max(a.Confidence, least))})
		}
	}
	texts := []string{result.Text}
	for _, fitting := range r.formats.Likeliest(places, completions) {
		if fitting != result.Text {
			texts = append(texts, fitting)
		}
	}
	shares := make([]float64, len(texts)) // before the formats, then after
	best, seen := 0, 0.0
	weight := func(k int) float64 { return shares[k] * math.Exp(priorOf(texts[k], r.formats)) }
	for k, candidate := range texts {
		log := 0.0
		for i := range places {
			at := slices.IndexFunc(places[i], func(c region.Choice) bool { return c.Letter == candidate[i] })
			log += places[i][at].Log
		}
		shares[k] = result.Confidence * math.Exp(log-own)
		seen += shares[k]
		if weight(k) > weight(best) {
			best = k
		}
	}
	rest := max(0, 1-seen) // of the unlisted texts, see [panel.confidence]
	prior := priorOf(texts[best], r.formats)
	total := rest
	for k := range texts {
		shares[k] = weight(k) / math.Exp(prior)
		total += shares[k]
	}
	out := result
	out.Text, out.Confidence = texts[best], shares[best]/total
	out.Format, out.Prior = r.formats.Name(out.Text), r.formats.Prior(out.Text)
	out.Characters = nil
	for i, c := range result.Characters {
		share := map[string]float64{c.Text: c.Confidence * rest / total}
		for _, a := range c.Alternatives {
			share[a.Text] += a.Confidence * rest / total
		}
		for k, candidate := range texts {
			share[candidate[i:i+1]] += shares[k] / total
		}
		out.Characters = append(out.Characters, characterOf(out.Text[i:i+1], share))
	}
	return out
}
