// Package ctc is what a network says of a line of characters that was trained with
// connectionist temporal classification (A. Graves et al., 2006): probabilities
// for each time step from left to right. It finds the likeliest texts, and how
// likely a given text is.
package ctc

import (
	"cmp"
	"math"
	"slices"

	"platewatch/ocr/text"
)

// Classes is how many classes a time step has: the blank and [text.Alphabet].
const Classes = 1 + len(text.Alphabet)

// Outputs are a network's log probabilities for one picture, time step by time
// step.
type Outputs [][Classes]float32

// Unlisted is the log probability of a class that an engine gives as 0.
// Tesseract lists only classes of at least 0.01; the rest is shared by many.
const Unlisted = -7.0

// New takes the logarithms of a network's probabilities: [Classes] for each time
// step, the blank's first.
func New(p []float32) Outputs {
	o := make(Outputs, len(p)/Classes)
	for t := range o {
		for c := range Classes {
			o[t][c] = Unlisted
			if v := p[t*Classes+c]; v > 0 {
				o[t][c] = float32(math.Log(float64(v)))
			}
		}
	}
	return o
}

// hypothesis is a prefix of a text with its probability so far.
type hypothesis struct {
	node         int32   // of the prefix in the tree
	blank, glyph float64 // log probabilities of ending in a blank and in the last character
	total        float64 // log of their sum
}

// prefixes is the tree of all prefixes that a search followed. Nodes are
// numbered in the order of their creation; 0 is the root, the empty text.
type prefixes []prefix

type prefix struct {
	parent         int32
	class          int32 // of the last character
	child, sibling int32 // first child, and next child of the parent; 0: none
	next           int32 // index among the step's hypotheses; −1: none
}

// text writes the text of a node.
func (b prefixes) text(node int32) string {
	var letters []byte
	for ; node != 0; node = b[node].parent {
		letters = append(letters, text.Alphabet[b[node].class-1])
	}
	slices.Reverse(letters)
	return string(letters)
}

// longer returns the node of the prefix that is one character longer.
func (b *prefixes) longer(node int32, class int32) int32 {
	for c := (*b)[node].child; c != 0; c = (*b)[c].sibling {
		if (*b)[c].class == class {
			return c
		}
	}
	c := int32(len(*b))
	*b = append(*b, prefix{parent: node, class: class, sibling: (*b)[node].child, next: -1})
	(*b)[node].child = c
	return c
}

// beamWidth is how many prefixes are followed at once.
const beamWidth = 8

// Beam returns the likeliest texts, the best first: a prefix beam search over
// connectionist temporal classification outputs (A. Hannun et al., First-pass
// large vocabulary continuous speech recognition using bi-directional
// recurrent DNNs, 2014).
func (o Outputs) Beam() []string {
	tree := make(prefixes, 1, 256)
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
			stay.blank = LogSum(stay.blank, b.total+float64(step[0]))
			for c := int32(1); c < int32(Classes); c++ {
				if step[c] <= Unlisted {
					continue
				}
				p, from := float64(step[c]), b.total
				if b.node != 0 && tree[b.node].class == c {
					stay = at(b.node)
					stay.glyph = LogSum(stay.glyph, b.glyph+p) // the same character goes on
					from = b.blank                             // twice needs a blank between
				}
				h := at(tree.longer(b.node, c))
				h.glyph = LogSum(h.glyph, from+p)
			}
		}
		for i := range next {
			h := &next[i]
			h.total = LogSum(h.blank, h.glyph)
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

// LogProbability is the log probability of a text: the sum over
// all alignments with the time steps (A. Graves et al., Connectionist
// temporal classification, 2006). The sums are probabilities, scaled at each
// step as the paper does.
func (o Outputs) LogProbability(candidate string) float64 {
	if len(o) == 0 {
		return math.Inf(-1)
	}
	// Place 2i is the blank before character i, 2i+1 that character.
	n := 2*len(candidate) + 1
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
				p = math.Exp(float64(step[Class(candidate[i/2])]))
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
				if i > 1 && i%2 == 1 && candidate[i/2] != candidate[i/2-1] {
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

// Class is the class of a character.
func Class(letter byte) int {
	if letter >= '0' && letter <= '9' {
		return 27 + int(letter-'0')
	}
	return 1 + int(letter-'A')
}

// LogSum is log(exp(a) + exp(b)).
func LogSum(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// Align returns the time step at which each character of a text is likeliest,
// on the likeliest alignment of the text with the steps (Viterbi).
func (o Outputs) Align(target string) []int {
	n := 2*len(target) + 1
	if len(target) == 0 || len(o) == 0 {
		return nil
	}
	class := func(i int) int {
		if i%2 == 0 {
			return 0
		}
		return Class(target[i/2])
	}
	score := make([]float64, n)
	came := make([]int8, len(o)*n) // how many states back the best path came from
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
	steps := make([]int, len(target))
	best := make([]float32, len(target))
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

// Extent is where the characters of a text are, from left to right, as shares of the
// width of the picture. The first and last are taken to be as wide as the others are
// apart.
func (o Outputs) Extent(target string) (from, to float64) {
	steps := o.Align(target)
	if len(steps) < 2 {
		return 0, 1
	}
	first, last, n := float64(steps[0]), float64(steps[len(steps)-1]), float64(len(o))
	half := (last - first) / float64(len(steps)-1) / 2
	return max(0, (first+0.5-half)/n), min(1, (last+0.5+half)/n)
}
