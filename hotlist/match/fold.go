package match

import (
	"platewatch/hotlist/entry"
)

// indexClasses are the characters that the index folds together. It folds more
// than [entry.Fold] does, so that one lookup finds all entries that differ from a
// reading in look-alikes; their probability decides which of them match. The
// classes are part of the file format. Other pairs of [Confusions] are looked up
// one by one.
var indexClasses = []string{"0OQD", "1IL", "2Z", "39", "5S", "6G", "8B", "MW"}

// shapes are characters of the same shape except for a stroke or a corner: every
// reader confuses them, in every typeface. The index folds each of them.
var shapes = []string{"0OQD", "1IL", "8B", "5S", "2Z", "6G"}

// Lookalikes reports whether two characters differ and have the same shape: O, 0,
// Q and D; I, 1 and L; B and 8; S and 5; Z and 2; G and 6.
func Lookalikes(a, b byte) bool {
	return a != b && entry.IsPlateByte(a) && entry.IsPlateByte(b) && shapeOf[a] == shapeOf[b]
}

var shapeOf = makeClass(shapes)

// alphabet is the number of characters of plates, A-Z and 0-9.
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
	indexClass = makeClass(indexClasses)
	// classLeaders holds one character of each class.
	classLeaders = makeClassLeaders()
	// classMembers holds the ordinals of each class, by its leader.
	classMembers = makeClassMembers()
)

// makeClass maps each character to the first one of its class.
func makeClass(classes []string) (class [128]byte) {
	for i := range alphabet {
		class[character(i)] = character(i)
	}
	for _, c := range []byte("?*") {
		class[c] = c
	}
	for _, members := range classes {
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

func makeClassMembers() (members [128][]int) {
	for i := range alphabet {
		leader := indexClass[character(i)]
		members[leader] = append(members[leader], i)
	}
	return members
}

// FoldIndex turns a normalised plate into its index form, in place: each
// character becomes the first one of its class.
func FoldIndex(b []byte) {
	for i, c := range b {
		b[i] = indexClass[c&127]
	}
}

// sameAfterFold reports whether [entry.Fold] makes two characters equal.
func sameAfterFold(a, b byte) bool { return entry.FoldByte(a) == entry.FoldByte(b) }
