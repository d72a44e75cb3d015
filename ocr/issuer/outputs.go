package issuer

import (
	"math"
	"strings"

	"platewatch/ocr/text"
)

// classes are the blank and the characters.
const classes = 1 + len(text.Alphabet)

// unlisted is the log probability of a class that an engine gives as 0, see
// platewatch/ocr/read.
const unlisted = -7.0

// outputs are the network's log probabilities, time step by time step.
type outputs [][classes]float64

func newOutputs(p []float32) outputs {
	o := make(outputs, len(p)/classes)
	for t := range o {
		for c := range classes {
			o[t][c] = unlisted
			if v := float64(p[t*classes+c]); v > 0 {
				o[t][c] = max(unlisted, math.Log(v))
			}
		}
	}
	return o
}

// best is the likeliest class of a time step.
func (o outputs) best(t int) int {
	at := 0
	for c := range classes {
		if o[t][c] > o[t][at] {
			at = c
		}
	}
	return at
}

// begins tells whether the likeliest path has a new character at a time step.
func (o outputs) begins(t int) bool {
	c := o.best(t)
	return c != 0 && (t == 0 || o.best(t-1) != c)
}

// letters is how many characters the likeliest path has.
func (o outputs) letters() int {
	n := 0
	for t := range o {
		if o.begins(t) {
			n++
		}
	}
	return n
}

// label are the classes of a text with blanks between; ends tells whether also
// before and after.
func label(word string, ends bool) []int {
	var out []int
	for i := range len(word) {
		if i > 0 || ends {
			out = append(out, 0)
		}
		out = append(out, 1+strings.IndexByte(text.Alphabet, word[i]))
	}
	if ends {
		out = append(out, 0)
	}
	return out
}

// outside is the log probability of a character that is not explained: of one
// letter of 26, and some are likelier than others.
const outside = -2.0

// contains is the log likelihood that the picture shows a word, perhaps beside
// other characters, over that it shows none: the best way to place the word on
// the time steps, against the likeliest path, every character of which costs
// outside where the word does not explain it.
func (o outputs) contains(word string) float64 {
	l := label(word, false)
	before := make([]float64, len(o)+1) // cost of the characters before a time step
	for t := range o {
		before[t+1] = before[t]
		if o.begins(t) {
			before[t+1] += outside
		}
	}
	all := before[len(o)]
	at := make([]float64, len(l)) // best so far, ending in each element of the label
	next := make([]float64, len(l))
	for s := range at {
		at[s] = math.Inf(-1)
	}
	found := math.Inf(-1)
	for t := range o {
		top := o[t][o.best(t)]
		for s, c := range l {
			v := at[s]
			if s == 0 {
				v = max(v, before[t])
			}
			if s > 0 {
				v = max(v, at[s-1])
			}
			if s > 1 && c != 0 && c != l[s-2] {
				v = max(v, at[s-2])
			}
			next[s] = v + o[t][c] - top
		}
		at, next = next, at
		found = max(found, at[len(l)-1]+all-before[t+1])
	}
	return found - all
}

// is is the log probability that the picture shows a text and nothing else
// (connectionist temporal classification; A. Graves et al., 2006).
func (o outputs) is(word string) float64 {
	l := label(word, true)
	at := make([]float64, len(l))
	next := make([]float64, len(l))
	for s := range at {
		at[s] = math.Inf(-1)
	}
	for t := range o {
		for s, c := range l {
			v := at[s]
			if t == 0 {
				v = math.Inf(-1)
				if s < 2 {
					v = 0
				}
			} else {
				if s > 0 {
					v = logSum(v, at[s-1])
				}
				if s > 1 && c != 0 && c != l[s-2] {
					v = logSum(v, at[s-2])
				}
			}
			next[s] = v + o[t][c]
		}
		at, next = next, at
	}
	last := at[len(l)-1]
	if len(l) > 1 {
		last = logSum(last, at[len(l)-2])
	}
	return last
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
