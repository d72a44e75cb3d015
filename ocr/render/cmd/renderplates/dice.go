package main

import (
	"math"
	"math/rand/v2"
)

// dice is the source of random numbers. Each picture has its own, so that it does
// not depend on the pictures drawn before.
type dice struct{ *rand.Rand }

func newDice(seed, number uint64) dice {
	return dice{rand.New(rand.NewPCG(seed*0x9e3779b97f4a7c15+1, number))}
}

// in is uniform between lo and hi.
func (d dice) in(lo, hi float64) float64 { return lo + (hi-lo)*d.Float64() }

// one returns true with probability p.
func (d dice) one(p float64) bool { return d.Float64() < p }

// bell is normal with mean 0.
func (d dice) bell(sigma float64) float64 { return d.NormFloat64() * sigma }

// angle is uniform in the full circle, radians.
func (d dice) angle() float64 { return d.in(0, 2*math.Pi) }

// pick returns one of the values.
func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	figures = "0123456789"
)

// unsure are letters and figures that are drawn more often than others. In photographs
// the reader took one Q in six for an O, and 9, M, W and Y for what they resemble, but
// hardly ever the other way round: what it cannot see it has to expect.
const (
	unsureLetters = "QQMWY"
	unsureFigures = "9"
)

// fill replaces L by a letter and D by a figure.
func (d dice) fill(pattern string) string {
	b := []byte(pattern)
	for i, c := range b {
		switch c {
		case 'L':
			b[i] = pick(d, []byte(letters+unsureLetters)...)
		case 'D':
			b[i] = pick(d, []byte(figures+unsureFigures)...)
		}
	}
	return string(b)
}
