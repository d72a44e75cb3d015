package render

import (
	"math/rand/v2"
	"strings"
)

const allLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Label makes a number that a layout could carry. In a pattern L is a letter
// of the series and D a figure; the rest stands as it is: a space, '-' a dash,
// '.' a dot, ':' two round seals, '^' a coat of arms, '/' the next row.
func Label(l *Layout, r *rand.Rand) string {
	if l.Vanity && r.Float64() < .12 {
		return vanity(r)
	}
	return fillPattern(l.Patterns[r.IntN(len(l.Patterns))], l.Letters, r)
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

// vanity is a chosen text: a short word, or letters with a figure.
func vanity(r *rand.Rand) string {
	words := [...]string{"GOFISH", "SK8R", "MTNBIKE", "DOGMOM", "LUV2SKI", "QUIET", "ZOOM", "BIRDIE", "SAILN", "TACOS", "HIKER1", "JAZZ", "XRAY", "OLDBUS", "GRANPA", "4EVER", "RUNNR", "WINDY"}
	if r.IntN(2) == 0 {
		return words[r.IntN(len(words))]
	}
	n := 3 + r.IntN(5)
	return fillPattern(strings.Repeat("L", n-1)+[]string{"L", "D"}[r.IntN(2)], "", r)
}

// Characters strips a number as it is displayed to what a reader must return:
// A to Z and 0 to 9 in reading order.
func Characters(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, text)
}
