// Package match finds the entries of a list that a reading matches, and how
// probable each match is.
//
// A [Reading] holds, for each place, the probability of every character: the
// reader's own confidence and alternatives, and, for the probability that the
// reader left over, a table of [Confusions]. O and 0, and I and 1, count for each
// other, because plates and lists write them alike. The probability of an entry
// follows from Bayes' rule: the likelihood of the reading given the plate, times
// how common such plates are ([Layouts], learned from the list itself), over the
// sum for all plates of the same length. [Rules] say, for each list, which kinds
// of difference match and from which probability on.
//
// A [Searcher] knows a list by an [Index] of folded plates only. The index folds
// look-alikes together, so that one lookup finds the entries that differ in them.
// Other alternatives of the reader are looked up one by one, the most probable
// first; where the rules allow one character wrong, missed or added, all such
// changes are tried. [Patterns] are compared in memory.
package match

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"platewatch/hotlist/entry"
)

// Query is a plate that was read.
type Query struct {
	// Text is the plate, in any form: see [entry.Normalize].
	Text string
	// Characters, if any, replace Text. They tell how sure the reader is of each
	// character; without them all characters are taken as sure.
	Characters []Character
	// State is the issuing state or country as lists write it, and
	// StateConfidence its probability (0–1), before the plate was seen. The probability
	// of entries of other states is multiplied by 1 − StateConfidence, as far as Seen
	// does not tell the issuer.
	State           string
	StateConfidence float64
	// Seen is what the unit saw of the vehicle beside the number.
	Seen Seen
	// Hidden is the probability (0–1) that a character lies outside what the reader
	// saw: at the end of the picture, for example.
	Hidden float64
	// At is the time of the reading, by the unit's clock. Default: now.
	At time.Time
	// ClockSynchronised: At can be trusted. Otherwise entries match whatever
	// their time bounds, and say so: the clock of a board without a battery starts
	// in 1970.
	ClockSynchronised bool
}

// How is the way in which a reading matched an entry.
type How string

// The ways to match, strictest first.
const (
	// Exact: the reading is the entry's plate.
	Exact How = "exact"
	// Confusable: they differ only in characters that look alike, or between
	// which the reader wavered.
	Confusable How = "confusable"
	// OneCharacter: one character is wrong, missing or added.
	OneCharacter How = "one_character"
	// Wildcard: the entry is a pattern, and the reading fits it.
	Wildcard How = "wildcard"
)

func (h How) rank() int { return slices.Index([]How{Exact, Confusable, OneCharacter, Wildcard}, h) }

// Match is one entry that a plate matched.
type Match struct {
	List    string `json:"list"`
	Version string `json:"version"`
	How     How    `json:"how"`
	// Probability is P(the plate is the entry's), 0–1, given the reading and the
	// layouts of the list's plates. Listed vehicles are taken to pass as often as
	// others.
	Probability float64     `json:"probability"`
	Entry       entry.Entry `json:"entry"`
	// StateDiffers: the query names a state, and the entry another.
	StateDiffers bool `json:"state_differs,omitempty"`
	// Contradiction is what the unit saw of the vehicle that the entry says otherwise:
	// "listed: red, TX; seen: white 0.93, OK 0.88". Probability takes it in.
	Contradiction string `json:"contradiction,omitempty"`
	// SpellingDiffers: the query was written with spaces or diacritics, and the list
	// writes the plate otherwise.
	SpellingDiffers bool `json:"spelling_differs,omitempty"`
	// TimeUnsure: the entry has time bounds and the unit's clock was not
	// synchronised: the entry may have expired or not be in effect yet.
	TimeUnsure bool `json:"time_unsure,omitempty"`
	// Dated is when the list's version was made: when it was signed, or imported.
	Dated time.Time `json:"list_dated,omitzero"`
	// Overdue: the list has expired, and no newer version arrived.
	Overdue bool `json:"list_overdue,omitempty"`
}

// Compare orders matches, most urgent first; at equal priority by How, then by
// probability, then by list and entry. It is a total order, so that equal queries
// give equal answers.
func Compare(a, b Match) int {
	return cmp.Or(
		cmp.Compare(a.Entry.Priority, b.Entry.Priority),
		cmp.Compare(a.How.rank(), b.How.rank()),
		cmp.Compare(b.Probability, a.Probability),
		strings.Compare(a.List, b.List),
		strings.Compare(a.Entry.Plate, b.Entry.Plate),
		strings.Compare(a.Entry.Written, b.Entry.Written),
		strings.Compare(a.Entry.State, b.Entry.State),
		strings.Compare(a.Entry.PlateType, b.Entry.PlateType),
		strings.Compare(a.Entry.Category, b.Entry.Category),
		strings.Compare(a.Entry.Record, b.Entry.Record),
	)
}

// Character is one place of a reading.
type Character struct {
	Text       string
	Confidence float64 // P(it is Text), 0–1
	// Alternatives are other characters that it can be.
	Alternatives []Alternative
}

// Alternative is another reading of one character.
type Alternative struct {
	Text       string
	Confidence float64 // 0–1
}
