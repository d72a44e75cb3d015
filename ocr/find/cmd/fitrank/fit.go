package main

import (
	"math"

	"platewatch/ocr/find"
)

const (
	terms  = len(find.Features{}) + 1 // and the bias
	ridge  = 3.0                      // pull of the weights towards zero, in candidates
	rounds = 30
)

// fit is ridge logistic regression by Newton's method. Plates weigh as much as
// everything else together: the finder must rank, not guess rates.
func fit(samples []sample) (bias float64, w find.Features) {
	plates := 0.0
	for _, s := range samples {
		if s.plate {
			plates++
		}
	}
	weightOf := map[bool]float64{true: float64(len(samples)) / 2 / plates, false: float64(len(samples)) / 2 / (float64(len(samples)) - plates)}
	var theta [terms]float64
	for range rounds {
		var gradient [terms]float64
		var hessian [terms][terms]float64
		for i := 1; i < terms; i++ {
			gradient[i] = ridge * theta[i]
			hessian[i][i] = ridge
		}
		hessian[0][0] = 1e-9
		for _, s := range samples {
			x := [terms]float64{1}
			copy(x[1:], s.features[:])
			z := 0.0
			for i, v := range x {
				z += theta[i] * v
			}
			p := 1 / (1 + math.Exp(-z))
			y := 0.0
			if s.plate {
				y = 1
			}
			k := weightOf[s.plate]
			for i, v := range x {
				if v == 0 {
					continue
				}
				gradient[i] += k * (p - y) * v
				for j := range i + 1 {
					hessian[i][j] += k * p * (1 - p) * v * x[j]
				}
			}
		}
		step := solve(hessian, gradient)
		largest := 0.0
		for i := range theta {
			theta[i] -= step[i]
			largest = max(largest, math.Abs(step[i]))
		}
		if largest < 1e-6 {
			break
		}
	}
	copy(w[:], theta[1:])
	return theta[0], w
}

// solve solves a·x = b for a symmetric positive definite a, given by its lower
// triangle, by Cholesky's decomposition.
func solve(a [terms][terms]float64, b [terms]float64) (x [terms]float64) {
	for j := range terms {
		for k := range j {
			a[j][j] -= a[j][k] * a[j][k]
		}
		a[j][j] = math.Sqrt(a[j][j])
		for i := j + 1; i < terms; i++ {
			for k := range j {
				a[i][j] -= a[i][k] * a[j][k]
			}
			a[i][j] /= a[j][j]
		}
	}
	for i := range terms {
		for k := range i {
			b[i] -= a[i][k] * b[k]
		}
		b[i] /= a[i][i]
	}
	for i := terms - 1; i >= 0; i-- {
		for k := i + 1; k < terms; k++ {
			b[i] -= a[k][i] * b[k]
		}
		b[i] /= a[i][i]
	}
	return b
}
