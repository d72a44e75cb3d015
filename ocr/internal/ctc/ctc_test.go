package ctc

import (
	"math"
	"math/rand/v2"
	"testing"

	"platewatch/ocr/text"
)

// randomOutputs makes up outputs over the blank, A and B.
func randomOutputs(r *rand.Rand, steps int) Outputs {
	p := make([]float32, steps*Classes)
	for t := range steps {
		a, b, c := r.Float64(), r.Float64(), r.Float64()
		p[t*Classes], p[t*Classes+1], p[t*Classes+2] = float32(a/(a+b+c)), float32(b/(a+b+c)), float32(c/(a+b+c))
	}
	return New(p)
}

// bruteForce adds up every path of classes 0 to 2 that collapses to a text.
func bruteForce(o Outputs) map[string]float64 {
	sums := map[string]float64{}
	paths := int(math.Pow(3, float64(len(o))))
	for path := range paths {
		log, spelled, last := 0.0, "", 0
		for t, rest := 0, path; t < len(o); t, rest = t+1, rest/3 {
			c := rest % 3
			log += float64(o[t][c])
			if c != 0 && c != last {
				spelled += text.Alphabet[c-1 : c]
			}
			last = c
		}
		sums[spelled] += math.Exp(log)
	}
	return sums
}

func TestCTC(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		o := randomOutputs(r, 1+round%6)
		sums := bruteForce(o)
		best := ""
		for text, want := range sums {
			if got := math.Exp(o.LogProbability(text)); math.Abs(got-want) > 1e-6 {
				t.Errorf("P(%q) = %g, want %g", text, got, want)
			}
			if want > sums[best] {
				best = text
			}
		}
		// The beam keeps eight prefixes only: of two texts that are all but equally
		// likely it may take the other.
		if got := o.Beam(); sums[got[0]] < 0.98*sums[best] {
			t.Errorf("the likeliest text is %q (%g), want %q (%g)", got[0], sums[got[0]], best, sums[best])
		}
	}
}

func TestBeamKeepsDoubles(t *testing.T) {
	p := make([]float32, 3*Classes)
	p[0*Classes+1], p[1*Classes+0], p[2*Classes+1] = 1, 1, 1 // A, blank, A
	if got := New(p).Beam()[0]; got != "AA" {
		t.Errorf("read %q, want AA", got)
	}
	p[1*Classes+0], p[1*Classes+1] = 0, 1 // A, A, A: one long A
	if got := New(p).Beam()[0]; got != "A" {
		t.Errorf("read %q, want A", got)
	}
}

func TestNoOutputs(t *testing.T) {
	if got := (Outputs{}).Beam(); len(got) != 1 || got[0] != "" {
		t.Errorf("nothing reads as %q", got)
	}
}

// The characters of an alignment follow each other.
func TestAlignInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		o := randomOutputs(r, 6)
		steps := o.Align("ABA")
		for i := 1; i < 3; i++ {
			if steps[i] <= steps[i-1] {
				t.Fatalf("the steps are %v", steps)
			}
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	o := randomOutputs(r, 42)
	b.ReportAllocs()
	for b.Loop() {
		texts := o.Beam()
		o.LogProbability(texts[0])
	}
}
