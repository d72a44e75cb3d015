// Package logistic fits logistic regressions.
package logistic

import "math"

// Sample is one observation.
type Sample struct {
	X      []float64 // features, without a constant
	Y      bool      // outcome
	Weight float64
}

const rounds = 50

// Fit returns the bias and the weights of a ridge logistic regression, by
// Newton's method. All samples must have the same number of values, at least
// one sample must be true and one false. ridge is the pull of the weights (not
// of the bias) towards zero, in samples.
func Fit(samples []Sample, ridge float64) (bias float64, weights []float64) {
	n := len(samples[0].X) + 1
	theta, x := make([]float64, n), make([]float64, n)
	x[0] = 1
	gradient, hessian := make([]float64, n), make([][]float64, n)
	for i := range hessian {
		hessian[i] = make([]float64, n)
	}
	for range rounds {
		for i := range n {
			clear(hessian[i])
			gradient[i] = ridge * theta[i]
			hessian[i][i] = ridge
		}
		gradient[0], hessian[0][0] = 0, 1e-9
		for _, s := range samples {
			copy(x[1:], s.X)
			z, y := 0.0, 0.0
			for i, v := range x {
				z += theta[i] * v
			}
			if s.Y {
				y = 1
			}
			p := Probability(z)
			for i, v := range x {
				if v == 0 {
					continue
				}
				gradient[i] += s.Weight * (p - y) * v
				for j := range i + 1 {
					hessian[i][j] += s.Weight * p * (1 - p) * v * x[j]
				}
			}
		}
		largest := 0.0
		for i, step := range solve(hessian, gradient) {
			theta[i] -= step
			largest = max(largest, math.Abs(step))
		}
		if largest < 1e-6 {
			break
		}
	}
	return theta[0], theta[1:]
}

// Probability is the logistic function.
func Probability(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// solve solves a·x = b for a symmetric positive definite a, given by its lower
// triangle, by Cholesky's decomposition. It overwrites both and returns b.
func solve(a [][]float64, b []float64) []float64 {
	for j := range a {
		for k := range j {
			a[j][j] -= a[j][k] * a[j][k]
		}
		a[j][j] = math.Sqrt(a[j][j])
		for i := j + 1; i < len(a); i++ {
			for k := range j {
				a[i][j] -= a[i][k] * a[j][k]
			}
			a[i][j] /= a[j][j]
		}
	}
	for i := range a {
		for k := range i {
			b[i] -= a[i][k] * b[k]
		}
		b[i] /= a[i][i]
	}
	for i := len(a) - 1; i >= 0; i-- {
		for k := i + 1; k < len(a); k++ {
			b[i] -= a[k][i] * b[k]
		}
		b[i] /= a[i][i]
	}
	return b
}
