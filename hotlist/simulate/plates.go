package simulate

import "math/rand/v2"

// mix says which plates are listed and which pass.
type mix struct {
	name            string
	listed, passing []share
}

// share is a layout with its share of the plates.
type share struct {
	share   float64
	pattern string // L a letter without I, O, Q; A any letter; D a digit
}

// mixes are those that are simulated beside that of the table: lists and traffic of
// other formats than each other's, as beside a border.
var mixes = []mix{
	{"entries shorter", []share{{1, "LLDDDD"}}, []share{{1, "LLDDDDD"}}},
	{"entries longer", []share{{1, "LLDDDDD"}}, []share{{1, "LLDDDD"}}},
	{"neighbours", []share{{1, "LLLDDDD"}}, []share{{0.2, "LLLDDDD"}, {0.2, "DLLLDDD"}, {0.2, "LLLDDDL"}, {0.2, "LLDDDDD"}, {0.2, "LLLDDD"}}},
	{"list of many", []share{{0.4, "LLLDDDD"}, {0.2, "LLDDDDD"}, {0.2, "LLLDDDL"}, {0.2, "DDDLLL"}}, []share{{0.5, "LLDDDD"}, {0.3, "LLLDDDD"}, {0.2, "LLLDDDDD"}}},
}

// layouts are those of passing plates, with their shares. Most US states issue three
// letters and four digits, without I, O and Q; one plate in twenty here has all
// letters. At a million entries nearly one plate in five differs from an entry by one
// character.
var layouts = []share{
	{0.25, "LLLDDDD"}, {0.25, "DLLLDDD"}, {0.25, "LLDDDDL"}, {0.20, "DDDDLLL"}, {0.05, "AAADDDD"},
}

const serialLetters = "ABCDEFGHJKLMNPRSTUVWXYZ"

// drawPlate returns a random plate of one of some layouts.
func drawPlate(rng *rand.Rand, layouts []share) string {
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
