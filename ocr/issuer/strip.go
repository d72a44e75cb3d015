package issuer

import (
	"math"

	"platewatch/ocr/internal/ctc"
)

// outside is the log probability of a character that is not explained: of one
// letter of 26, and some are likelier than others.
const outside = -2.0

// strip is what the network saw of a strip, with what all words need of it.
type strip struct {
	outputs ctc.Outputs
	top     []float64 // log probability of the likeliest class, by time step
	before  []float64 // what the likeliest path's characters before a time step cost, and at the end all
}

func newStrip(o ctc.Outputs) strip {
	s := strip{outputs: o, top: make([]float64, len(o)), before: make([]float64, len(o)+1)}
	last := 0
	for t := range o {
		best := 0
		for c := range ctc.Classes {
			if o[t][c] > o[t][best] {
				best = c
			}
		}
		s.top[t], s.before[t+1] = float64(o[t][best]), s.before[t]
		if best != 0 && best != last {
			s.before[t+1] += outside
		}
		last = best
	}
	return s
}

// empty tells whether the likeliest path has no character.
func (s *strip) empty() bool { return s.before[len(s.before)-1] == 0 }

// contains is the log likelihood that the picture shows a word, perhaps beside
// other characters, over that it shows none: the best way to place the word on
// the time steps, against the likeliest path, every character of which costs
// outside where the word does not explain it.
func (s *strip) contains(word string) float64 {
	n := 2*len(word) - 1 // the characters with blanks between
	class := func(i int) int {
		if i%2 == 1 {
			return 0
		}
		return ctc.Class(word[i/2])
	}
	all := s.before[len(s.outputs)]
	at := make([]float64, n) // best so far, ending in each element of the label
	next := make([]float64, n)
	for i := range at {
		at[i] = math.Inf(-1)
	}
	found := math.Inf(-1)
	for t, step := range s.outputs {
		for i := range n {
			c := class(i)
			v := at[i]
			if i == 0 {
				v = max(v, s.before[t])
			}
			if i > 0 {
				v = max(v, at[i-1])
			}
			if i > 1 && c != 0 && c != class(i-2) {
				v = max(v, at[i-2])
			}
			next[i] = v + float64(step[c]) - s.top[t]
		}
		at, next = next, at
		found = max(found, at[n-1]+all-s.before[t+1])
	}
	return found - all
}
