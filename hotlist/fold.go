package hotlist

// The index folds more than [Fold] does, so that one look-up finds all entries
// that differ from a reading in look-alikes; which of them match is decided by
// their probability. The classes are part of the file format: other pairs of
// the table of confusions are looked up one by one.
var indexClasses = []string{"0OQD", "1IL", "2Z", "39", "5S", "6G", "8B", "MW"}

// alphabet counts the characters of plates, A-Z and 0-9.
const alphabet = 36

// ordinal numbers the characters: 0-9, then A-Z.
func ordinal(c byte) int {
	if c <= '9' {
		return int(c - '0')
	}
	return int(c-'A') + 10
}

func character(ordinal int) byte {
	if ordinal < 10 {
		return '0' + byte(ordinal)
	}
	return 'A' + byte(ordinal-10)
}

var (
	indexClass = makeIndexClass()
	// classLeaders holds one character of each class.
	classLeaders = makeClassLeaders()
)

func makeIndexClass() (class [128]byte) {
	for i := range alphabet {
		class[character(i)] = character(i)
	}
	for _, c := range []byte("?*") {
		class[c] = c
	}
	for _, members := range indexClasses {
		for _, c := range []byte(members) {
			class[c] = members[0]
		}
	}
	return class
}

func makeClassLeaders() []byte {
	var leaders []byte
	for i := range alphabet {
		if c := character(i); indexClass[c] == c {
			leaders = append(leaders, c)
		}
	}
	return leaders
}

// indexFold folds a normalised plate in place.
func indexFold(b []byte) {
	for i, c := range b {
		b[i] = indexClass[c&127]
	}
}

// twins tells whether two characters fold to the same in [Fold].
func twins(a, b byte) bool { return foldByte(a) == foldByte(b) }
