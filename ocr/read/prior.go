package read

import (
	"math"
	"slices"

	"platewatch/ocr/region"
)

// What the formats of the regions say of a reading, where regions were told
// ([NewReader]): half of [region.Set.Prior], bounded on both sides, beside the
// mean of what the looks say, who all look at the same pixels. So the formats
// decide between texts that the reader thinks possible, and lose against what
// is clear to see: a text that fits none of them gives way to one that fits
// only if the reader thinks that 150 times less likely at most, which is so of
// O and 0 on most plates, and of little else that was read well.
//
// Half, because the network learned of plates too, half of them in such
// patterns. It is the middle of where it matters little: with 0.4 and 0.6, or
// with bounds one higher, the number of plates read right on nine folders of
// labelled pictures, 2,200 plates, stays within a quarter of a percent; more
// lets more plates go wrong that fit no format.
const (
	priorWeight           = 0.5
	leastPrior, mostPrior = -1.5, 3.5
	// How many of the likeliest texts are completed, and to how many texts of
	// the formats each.
	completed, completions = 2, 4
)

// priorOf is the weighed and bounded log-prior of a text; 0 without regions.
func priorOf(text string, formats *region.Set) float64 {
	return min(max(priorWeight*formats.Prior(text), leastPrior), mostPrior)
}

// confidence is a text's probability: without regions the geometric mean of
// what the looks say, with them its share after the formats were weighed in.
// What is on none of the texts is taken to fit as well as the best of them
// does: another figure fits where this one does. So a format alone makes no
// reading sure.
func (p *panel) confidence(v verdict) float64 {
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

// complete takes in texts of the formats that are like the likeliest ones: at
// each place they have a character that the looks think possible there. The
// beams alone would leave them out where several places are unsure. Nothing
// is done where no text could win any more.
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
		if n := len(v.text); n < shortest || n > longest {
			continue
		}
		for _, text := range p.formats.Likeliest(p.places(v.text), completions) {
			p.weigh(text, p.looks)
		}
	}
}

// places are the characters that the looks think possible where a text has its
// own, with the mean of the logarithms of their probabilities.
func (p *panel) places(text string) [][]region.Choice {
	sum := make([][classes]float32, len(text))
	for _, o := range p.looks {
		for i, step := range o.align(text) {
			for c := 1; c < classes; c++ {
				sum[i][c] += o[step][c]
			}
		}
	}
	n := float32(len(p.looks))
	places := make([][]region.Choice, len(text))
	for i := range sum {
		for c := 1; c < classes; c++ {
			if mean := sum[i][c] / n; mean > unlisted {
				places[i] = append(places[i], region.Choice{Letter: Letters[c-1], Log: float64(mean)})
			}
		}
	}
	return places
}

// Weigh weighs a reading by the formats of the regions, as [Reader.Read] does,
// of which only the characters and their alternatives are known: one that was
// put together of two rows, or voted on. Without regions it stays as it is.
func (r *Reader) Weigh(reading Reading) Reading {
	if r.formats == nil || reading.Text == "" {
		return reading
	}
	// Tesseract rates most alternatives 0, though their order says something.
	const least = 1e-3
	places := make([][]region.Choice, len(reading.Characters))
	own := 0.0 // log probability of the text, its characters taken alone
	for i, c := range reading.Characters {
		log := math.Log(max(c.Confidence, least))
		own += log
		places[i] = append(places[i], region.Choice{Letter: c.Text[0], Log: log})
		for _, a := range c.Alternatives {
			places[i] = append(places[i], region.Choice{Letter: a.Text[0], Log: math.Log(max(a.Confidence, least))})
		}
	}
	texts := []string{reading.Text}
	for _, text := range r.formats.Likeliest(places, completions) {
		if text != reading.Text {
			texts = append(texts, text)
		}
	}
	shares := make([]float64, len(texts)) // before the formats, then after
	best, seen := 0, 0.0
	weight := func(k int) float64 { return shares[k] * math.Exp(priorOf(texts[k], r.formats)) }
	for k, text := range texts {
		log := 0.0
		for i := range places {
			at := slices.IndexFunc(places[i], func(c region.Choice) bool { return c.Letter == text[i] })
			log += places[i][at].Log
		}
		shares[k] = reading.Confidence * math.Exp(log-own)
		seen += shares[k]
		if weight(k) > weight(best) {
			best = k
		}
	}
	rest := max(0, 1-seen) // it fits as well as the best does, see [panel.confidence]
	prior := priorOf(texts[best], r.formats)
	total := rest
	for k := range texts {
		shares[k] = weight(k) / math.Exp(prior)
		total += shares[k]
	}
	out := reading
	out.Text, out.Confidence = texts[best], shares[best]/total
	out.Format, out.Prior = r.formats.Name(out.Text), r.formats.Prior(out.Text)
	out.Characters = nil
	for i, c := range reading.Characters {
		share := map[string]float64{c.Text: c.Confidence * rest / total}
		for _, a := range c.Alternatives {
			share[a.Text] += a.Confidence * rest / total
		}
		for k, text := range texts {
			share[text[i:i+1]] += shares[k] / total
		}
		out.Characters = append(out.Characters, characterOf(out.Text[i:i+1], share))
	}
	return out
}

// align returns the time step at which each character of a text is likeliest,
// on the likeliest way to spread the text over the steps.
func (o outputs) align(text string) []int {
	n := 2*len(text) + 1
	if len(text) == 0 || len(o) == 0 {
		return nil
	}
	class := func(i int) int {
		if i%2 == 0 {
			return 0
		}
		return classOf(text[i/2])
	}
	score := make([]float64, n)
	came := make([]int8, len(o)*n) // how many states further up the way came from
	for i := range score {
		score[i] = math.Inf(-1)
	}
	score[0], score[1] = float64(o[0][0]), float64(o[0][class(1)])
	for t := 1; t < len(o); t++ {
		for i := n - 1; i >= 0; i-- {
			best, from := score[i], 0
			if i > 0 && score[i-1] > best {
				best, from = score[i-1], 1
			}
			if i > 1 && i%2 == 1 && class(i) != class(i-2) && score[i-2] > best {
				best, from = score[i-2], 2
			}
			score[i], came[t*n+i] = best+float64(o[t][class(i)]), int8(from)
		}
	}
	at := n - 1
	if score[n-2] > score[n-1] {
		at = n - 2
	}
	steps := make([]int, len(text))
	best := make([]float32, len(text))
	for i := range best {
		best[i] = float32(math.Inf(-1))
	}
	for t := len(o) - 1; t >= 0; t-- {
		if at%2 == 1 {
			if p := o[t][class(at)]; p > best[at/2] {
				best[at/2], steps[at/2] = p, t
			}
		}
		at -= int(came[t*n+at])
	}
	return steps
}
