package read

import (
	"math"
	"math/rand/v2"
	"testing"

	"platewatch/ocr/text"
)

// randomOutputs makes up outputs over the blank, A and B.
func randomOutputs(r *rand.Rand, steps int) outputs {
	p := make([]float32, steps*Classes)
	for t := range steps {
		a, b, c := r.Float64(), r.Float64(), r.Float64()
		p[t*Classes], p[t*Classes+1], p[t*Classes+2] = float32(a/(a+b+c)), float32(b/(a+b+c)), float32(c/(a+b+c))
	}
	return newOutputs(p)
}

// bruteForce adds up every path of classes 0 to 2 that collapses to a text.
func bruteForce(o outputs) map[string]float64 {
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
			if got := math.Exp(o.logProbability(text)); math.Abs(got-want) > 1e-6 {
				t.Errorf("P(%q) = %g, want %g", text, got, want)
			}
			if want > sums[best] {
				best = text
			}
		}
		// The beam follows eight beginnings only: of two texts that are all but
		// equally likely it may take the other.
		if got := o.beam(); sums[got[0]] < 0.98*sums[best] {
			t.Errorf("the likeliest text is %q (%g), want %q (%g)", got[0], sums[got[0]], best, sums[best])
		}
	}
}

func TestBeamKeepsDoubles(t *testing.T) {
	p := make([]float32, 3*Classes)
	p[0*Classes+1], p[1*Classes+0], p[2*Classes+1] = 1, 1, 1 // A, blank, A
	if got := newOutputs(p).beam()[0]; got != "AA" {
		t.Errorf("read %q, want AA", got)
	}
	p[1*Classes+0], p[1*Classes+1] = 0, 1 // A, A, A: one long A
	if got := newOutputs(p).beam()[0]; got != "A" {
		t.Errorf("read %q, want A", got)
	}
}

func TestNoOutputs(t *testing.T) {
	if got := (outputs{}).beam(); len(got) != 1 || got[0] != "" {
		t.Errorf("nothing reads as %q", got)
	}
}

func TestPanel(t *testing.T) {
	sure := func(text string, p float32) outputs {
		v := make([]float32, 2*len(text)*Classes)
		for i := range len(text) {
			v[2*i*Classes+classOf(text[i])] = p
			v[2*i*Classes+classOf('8')] += (1 - p) * 0.9
			v[(2*i+1)*Classes] = 1
		}
		return newOutputs(v)
	}
	var p panel
	p.add(sure("AB123C", 0.6))
	if p.settled() {
		t.Error("a look that is not sure settles it")
	}
	p.add(sure("AB123C", 0.999))
	r, ok := p.result(lineOf(6))
	if !ok || r.Text != "AB123C" || r.Looks != 2 || len(r.Characters) != 6 {
		t.Errorf("read %+v, %v", r, ok)
	}
	for i, c := range r.Characters {
		sum := c.Confidence
		for _, a := range c.Alternatives {
			sum += a.Confidence
		}
		if sum > 1+1e-9 {
			t.Errorf("character %d adds up to %g", i, sum)
		}
	}
	var short panel
	short.add(sure("AB", 0.99))
	if r, ok := short.result(lineOf(2)); ok {
		t.Errorf("%q is read as a plate", r.Text)
	}
	var settled panel
	settled.add(sure("AB123C", 0.999))
	if !settled.settled() {
		t.Error("a sure look does not settle it")
	}
}

func BenchmarkDecode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	o := randomOutputs(r, 42)
	b.ReportAllocs()
	for b.Loop() {
		texts := o.beam()
		o.logProbability(texts[0])
	}
}
