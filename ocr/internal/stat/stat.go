// Package stat has the median and the standard deviation.
package stat

import (
	"math"
	"slices"
)

// Median is the middle value; of an even number, the mean of the two in the
// middle. It sorts v, which must not be empty.
func Median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// Deviation is the standard deviation of a whole population (not of a sample).
func Deviation(v []float64) float64 {
	var mean, squares float64
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	for _, x := range v {
		squares += (x - mean) * (x - mean)
	}
	return math.Sqrt(squares / float64(len(v)))
}
