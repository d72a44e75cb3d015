package find

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// rank scores the candidates and keeps, best first, those that do not overlap a
// better one. A chain that is found on several maps scores higher.
func rank(found []Candidate) []Candidate {
	out := slices.Clone(found)
	for i := range out {
		var maps uint32
		for j := range found {
			if i != j && out[i].Box.Overlap(found[j].Box) > sameChain {
				maps |= 1 << found[j].source
			}
		}
		f := &out[i].Features
		f[fMaps] = min(4, float64(bits.OnesCount32(maps))) / 2
		out[i].Score = score(f)
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	kept := out[:0]
next:
	for _, c := range out {
		for _, k := range kept {
			if c.Box.Overlap(k.Box) >= sameChain {
				continue next
			}
		}
		kept = append(kept, c)
	}
	return kept
}

// sameChain is the overlap from which two candidates are the same place.
const sameChain = 0.4

// score is the logistic regression's probability.
func score(f *Features) float64 {
	s := rankBias
	for i, x := range f {
		s += rankWeights[i] * x
	}
	return 1 / (1 + math.Exp(-s))
}
