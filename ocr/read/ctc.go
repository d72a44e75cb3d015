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
	node         int32   // its text: the way from the root of the tree to here
	blank, glyph float64 // log probability of ending in a blank, in the last character
	total        float64 // of both
}

// beginnings is the tree of all texts that a search followed. Nodes are
// numbered as they come; 0 is the root, the empty text.
type beginnings []beginning

type beginning struct {
	parent        int32
	class         int32 // of the last character
	child, sister int32 // its first continuation, the next one of its parent; 0: none
	next          int32 // place among the step's hypotheses, −1: none
}

// text writes the text of a node.
func (b beginnings) text(node int32) string {
	var letters [maxSteps]byte
	at := len(letters)
	for ; node != 0; node = b[node].parent {
		at--
		letters[at] = Letters[b[node].class-1]
	}
	return string(letters[at:])
}

// longer returns the node that is one character longer.
func (b *beginnings) longer(node int32, class int32) int32 {
	for c := (*b)[node].child; c != 0; c = (*b)[c].sister {
		if (*b)[c].class == class {
			return c
		}
	}
	c := int32(len(*b))
	*b = append(*b, beginning{parent: node, class: class, sister: (*b)[node].child, next: -1})
	(*b)[node].child = c
	return c
}

// beamWidth is how many beginnings are followed at once.
const beamWidth = 8

// beam returns the likeliest texts, the best first: a prefix beam search over
// connectionist temporal classification outputs (A. Hannun et al., First-pass
// large vocabulary continuous speech recognition using bi-directional
// recurrent DNNs, 2014).
func (o outputs) beam() []string {
	tree := make(beginnings, 1, 256)
	tree[0].next = -1
	beams := append(make([]hypothesis, 0, beamWidth), hypothesis{glyph: math.Inf(-1)})
	var next []hypothesis
	at := func(node int32) *hypothesis {
		k := tree[node].next
		if k < 0 {
			k = int32(len(next))
			tree[node].next = k
			next = append(next, hypothesis{node: node, blank: math.Inf(-1), glyph: math.Inf(-1)})
		}
		return &next[k]
	}
	for t := range o {
		step := &o[t]
		next = next[:0]
		for _, b := range beams {
			stay := at(b.node)
			stay.blank = logSum(stay.blank, b.total+float64(step[0]))
			for c := int32(1); c < int32(classes); c++ {
				if step[c] <= unlisted {
					continue
				}
				p, from := float64(step[c]), b.total
				if b.node != 0 && tree[b.node].class == c {
					stay = at(b.node)
					stay.glyph = logSum(stay.glyph, b.glyph+p) // the same character goes on
					from = b.blank                             // twice needs a blank between
				}
				h := at(tree.longer(b.node, c))
				h.glyph = logSum(h.glyph, from+p)
			}
		}
		for i := range next {
			h := &next[i]
			h.total = logSum(h.blank, h.glyph)
			tree[h.node].next = -1
		}
		slices.SortFunc(next, func(a, b hypothesis) int {
			if c := cmp.Compare(b.total, a.total); c != 0 {
				return c
			}
			return cmp.Compare(tree.text(a.node), tree.text(b.node))
		})
		beams = append(beams[:0], next[:min(len(next), beamWidth)]...)
	}
	texts := make([]string, len(beams))
	for i, b := range beams {
		texts[i] = tree.text(b.node)
	}
	return texts
}

// logProbability is the logarithm of the probability of a text: the sum over
// all ways to spread it over the time steps (A. Graves et al., Connectionist
// temporal classification, 2006). The sums are probabilities, scaled at each
// step as the paper does.
func (o outputs) logProbability(text string) float64 {
	if len(o) == 0 {
		return math.Inf(-1)
	}
	// Place 2i is the blank before character i, 2i+1 that character.
	n := 2*len(text) + 1
	places := make([]float64, 2*n)
	alpha, next := places[:n], places[n:]
	log := 0.0
	for t := range o {
		step := &o[t]
		blank := math.Exp(float64(step[0]))
		sum := 0.0
		for i := range next {
			p := blank
			if i%2 == 1 {
				p = math.Exp(float64(step[classOf(text[i/2])]))
			}
			from := 0.0
			switch {
			case t == 0:
				if i < 2 {
					from = 1
				}
			default:
				from = alpha[i]
				if i > 0 {
					from += alpha[i-1]
				}
				if i > 1 && i%2 == 1 && text[i/2] != text[i/2-1] {
					from += alpha[i-2]
				}
			}
			next[i] = from * p
			sum += next[i]
		}
		if sum == 0 {
			return math.Inf(-1)
		}
		for i := range next {
			next[i] /= sum
		}
		log += math.Log(sum)
		alpha, next = next, alpha
	}
	end := alpha[n-1]
	if n > 1 {
		end += alpha[n-2]
	}
	return log + math.Log(end)
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
