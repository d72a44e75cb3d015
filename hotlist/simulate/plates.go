package simulate

import "math/rand/v2"

// layouts are those of passing plates, with their shares. Most US states issue three
// letters and four digits, without I, O and Q; one plate in twenty here has all
// letters. At a million entries nearly one plate in five differs from an entry by one
// character.
var layouts = []struct {
	share   float64
	pattern string // L a letter without I, O, Q; A any letter; D a digit
}{
	{0.25, "LLLDDDD"}, {0.25, "DLLLDDD"}, {0.25, "LLDDDDL"}, {0.20, "DDDDLLL"}, {0.05, "AAADDDD"},
}

const serialLetters = "ABCDEFGHJKLMNPRSTUVWXYZ"

// drawPlate returns a random plate of one of the layouts.
func drawPlate(rng *rand.Rand) string {
	x := rng.Float64()
	pattern := layouts[0].pattern
	for _, l := range layouts {
		if x -= l.share; x < 0 {
			pattern = l.pattern
			break
		}
	}
	b := []byte(pattern)
	for i, c := range b {
		switch c {
		case 'L':
			b[i] = serialLetters[rng.IntN(len(serialLetters))]
		case 'A':
			b[i] = 'A' + byte(rng.IntN(26))
		default:
			b[i] = '0' + byte(rng.IntN(10))
		}
	}
	return string(b)
}
