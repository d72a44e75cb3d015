// Package text is what the reading of a plate consists of: its characters, each
// with alternatives. Finding, reading and voting share these types, and nothing
// here depends on how a plate is found or read.
package text

// Alphabet is all characters that a reading may have, as the reading models
// order their outputs.
const Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// Reading is the text of one plate: as one picture shows it, or as a vote over
// several frames has it.
type Reading struct {
	Text       string
	Confidence float64     // 0–1, that all of Text is right
	Characters []Character // one for each byte of Text
}

// Character is one place in a reading.
type Character struct {
	Text         string
	Confidence   float64       // 0–1
	Alternatives []Alternative // the likeliest first
}

// Alternative is another possible reading of a character.
type Alternative struct {
	Text       string
	Confidence float64 // 0–1
}
