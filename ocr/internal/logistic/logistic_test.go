package logistic

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Samples drawn from known weights give the weights back.
func TestFit(t *testing.T) {
	bias, weights := 0.5, []float64{2, -1, 0}
	r := rand.New(rand.NewPCG(1, 2))
	samples := make([]Sample, 20000)
	for i := range samples {
		x := []float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		z := bias
		for j, v := range x {
			z += weights[j] * v
		}
		samples[i] = Sample{x, r.Float64() < Probability(z), 1}
	}
	b, w := Fit(samples, 1e-3)
	if math.Abs(b-bias) > 0.1 {
		t.Errorf("the bias is %.2f, want %.2f", b, bias)
	}
	for i := range w {
		if math.Abs(w[i]-weights[i]) > 0.1 {
			t.Errorf("weight %d is %.2f, want %.2f", i, w[i], weights[i])
		}
	}
}

// A column that separates the two kinds completely keeps a finite weight.
func TestFitSeparable(t *testing.T) {
	samples := []Sample{{[]float64{1}, true, 1}, {[]float64{2}, true, 1}, {[]float64{-1}, false, 1}, {[]float64{-2}, false, 1}}
	b, w := Fit(samples, 0.1)
	if math.IsNaN(b) || math.IsInf(w[0], 0) || w[0] <= 0 || w[0] > 100 {
		t.Errorf("bias %v, weights %v", b, w)
	}
}
