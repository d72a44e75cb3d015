package read

import (
	"cmp"
	"math"
	"slices"
)

// classes are the network's outputs: the blank, A to Z, 0 to 9.
const classes = 1 + len(Letters)

// outputs are one look's probabilities, as logarithms, time step by time step.
type outputs [][classes]float32

// unlisted is the logarithm of what Tesseract does not list, which is below
// 0.01 and shared by many.
const unlisted = -7.0

// newOutputs takes the logarithms.
func newOutputs(p []float32) outputs {
	o := make(outputs, len(p)/classes)
	for t := range o {
		for c := range classes {
			o[t][c] = unlisted
			if v := p[t*classes+c]; v > 0 {
				o[t][c] = float32(math.Log(float64(v)))
			}
		}
	}
	return o
}

// hypothesis is a beginning of a text and how likely it is so far.
type hypothesis struct {
	text         string
	blank, glyph float64 // log probability of ending in a blank, in the last character
}

func (h hypothesis) total() float64 { return logSum(h.blank, h.glyph) }

// beamWidth is how many beginnings are followed at once.
const beamWidth = 8

// beam returns the likeliest texts, the best first: a prefix beam search over
// connectionist temporal classification outputs (A. Hannun et al., First-pass
// large vocabulary continuous speech recognition using bi-directional
// recurrent DNNs, 2014).
func (o outputs) beam() []string {
	beams := []hypothesis{{blank: 0, glyph: math.Inf(-1)}}
	for _, step := range o {
		next := make(map[string]*hypothesis, beamWidth*4)
		at := func(text string) *hypothesis {
			h := next[text]
			if h == nil {
				h = &hypothesis{text, math.Inf(-1), math.Inf(-1)}
				next[text] = h
			}
			return h
		}
		for _, b := range beams {
			stay := at(b.text)
			stay.blank = logSum(stay.blank, b.total()+float64(step[0]))
			for c := 1; c < classes; c++ {
				p := float64(step[c])
				if p <= unlisted {
					continue
				}
				letter := Letters[c-1]
				from := b.total()
				if n := len(b.text); n > 0 && b.text[n-1] == letter {
					stay.glyph = logSum(stay.glyph, b.glyph+p) // the same character goes on
					from = b.blank                             // twice needs a blank between
				}
				h := at(b.text + string(letter))
				h.glyph = logSum(h.glyph, from+p)
			}
		}
		beams = beams[:0]
		for _, h := range next {
			beams = append(beams, *h)
		}
		slices.SortFunc(beams, func(a, b hypothesis) int {
			return cmp.Or(cmp.Compare(b.total(), a.total()), cmp.Compare(a.text, b.text))
		})
		beams = beams[:min(len(beams), beamWidth)]
	}
	texts := make([]string, len(beams))
	for i, b := range beams {
		texts[i] = b.text
	}
	return texts
}

// logProbability is the logarithm of the probability of a text: the sum over
// all ways to spread it over the time steps (A. Graves et al., Connectionist
// temporal classification, 2006).
func (o outputs) logProbability(text string) float64 {
	n := 2*len(text) + 1
	class := func(i int) int {
		if i%2 == 0 {
			return 0
		}
		return classOf(text[i/2])
	}
	alpha, next := make([]float64, n), make([]float64, n)
	for i := range alpha {
		alpha[i] = math.Inf(-1)
	}
	for t, step := range o {
		for i := range next {
			sum := alpha[i]
			if t == 0 {
				sum = math.Inf(-1)
				if i < 2 {
					sum = 0
				}
			} else {
				if i > 0 {
					sum = logSum(sum, alpha[i-1])
				}
				if i > 1 && i%2 == 1 && class(i) != class(i-2) {
					sum = logSum(sum, alpha[i-2])
				}
			}
			next[i] = sum + float64(step[class(i)])
		}
		alpha, next = next, alpha
	}
	if n == 1 {
		return alpha[0]
	}
	return logSum(alpha[n-1], alpha[n-2])
}

// classOf is a character's place among the outputs.
func classOf(letter byte) int {
	if letter >= '0' && letter <= '9' {
		return 27 + int(letter-'0')
	}
	return 1 + int(letter-'A')
}

// logSum is log(exp(a) + exp(b)).
func logSum(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
