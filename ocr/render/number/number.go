// Package number makes up licence numbers.
package number

import (
	"math/rand/v2"
	"strings"
)

const allLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Random returns a number as a plate displays it, by one of the patterns. In a
// pattern L is one of the letters (empty: A to Z) and D a figure; the rest
// stands as it is: a space, '-' a dash, '.' a dot, ':' two round seals, '^' a
// coat of arms, '/' the next row. With vanity, 12 % are texts that an owner
// chose.
func Random(patterns []string, letters string, vanity bool, r *rand.Rand) string {
	if vanity && r.Float64() < .12 {
		return chosen(r)
	}
	return fillPattern(patterns[r.IntN(len(patterns))], letters, r)
}

func fillPattern(p, letters string, r *rand.Rand) string {
	if letters == "" {
		letters = allLetters
	}
	var b strings.Builder
	for _, c := range p {
		switch c {
		case 'L':
			b.WriteByte(letters[r.IntN(len(letters))])
		case 'D':
			b.WriteByte('0' + byte(r.IntN(10)))
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// chosen is a text that an owner chose: a short word, or letters with a figure.
func chosen(r *rand.Rand) string {
	words := [...]string{"GOFISH", "SK8R", "MTNBIKE", "DOGMOM", "LUV2SKI", "QUIET", "ZOOM", "BIRDIE", "SAILN", "TACOS", "HIKER1", "JAZZ", "XRAY", "OLDBUS", "GRANPA", "4EVER", "RUNNR", "WINDY"}
	if r.IntN(2) == 0 {
		return words[r.IntN(len(words))]
	}
	n := 3 + r.IntN(5)
	return fillPattern(strings.Repeat("L", n-1)+[]string{"L", "D"}[r.IntN(2)], "", r)
}
