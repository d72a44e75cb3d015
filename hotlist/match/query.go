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
	// Text is the plate; it is normalised before it is looked up.
	Text string
	// Characters, if any, are what the reader says of each character. They
	// replace Text, and make the probabilities of matches mean something.
	Characters []Character
	// State is the issuing state or country as lists write it, if the reading
	// or the unit knows it, and StateConfidence (0–1) how surely. Entries of
	// another state become less likely by as much.
	State           string
	StateConfidence float64
	// At is when the plate was read, by the unit's clock. Default: now.
	At time.Time
	// ClockSynchronised: At can be trusted. If it cannot, entries match
	// whatever their time bounds, and say so: a board without a battery starts
	// in 1970, and must not let a wanted car pass for that.
	ClockSynchronised bool
}

// How tells in which way a reading matched an entry.
type How string

// The ways to match, strictest first.
const (
	// Exact: the reading is the entry's plate.
	Exact How = "exact"
	// Confusable: it differs only in characters that look alike, or between
	// which the reader wavered.
	Confusable How = "confusable"
	// OneCharacter: one character is wrong, missing or added.
	OneCharacter How = "one_character"
	// Wildcard: the entry is a pattern that the reading fits.
	Wildcard How = "wildcard"
)

func (h How) rank() int { return slices.Index([]How{Exact, Confusable, OneCharacter, Wildcard}, h) }

// Match is one entry that a plate matched.
type Match struct {
	List    string `json:"list"`
	Version string `json:"version"`
	How     How    `json:"how"`
	// Probability (0–1) that the plate is the entry's, given what the reader saw
	// and which plates there are, as far as the list teaches it. A listed vehicle
	// counts as likely to pass as any other.
	Probability float64     `json:"probability"`
	Entry       entry.Entry `json:"entry"`
	// StateDiffers: the plate's state is known, and the entry names another.
	StateDiffers bool `json:"state_differs,omitempty"`
	// TimeUnsure: the entry has time bounds and the unit's clock was not
	// synchronised, so that it may have expired or not be effective yet.
	TimeUnsure bool `json:"time_unsure,omitempty"`
}

// Compare is a total order, so that equal queries give equal answers.
func Compare(a, b Match) int {
	return cmp.Or(
		cmp.Compare(a.Entry.Priority, b.Entry.Priority),
		cmp.Compare(a.How.rank(), b.How.rank()),
		cmp.Compare(b.Probability, a.Probability),
		strings.Compare(a.List, b.List),
		strings.Compare(a.Entry.Plate, b.Entry.Plate),
		strings.Compare(a.Entry.State, b.Entry.State),
		strings.Compare(a.Entry.PlateType, b.Entry.PlateType),
		strings.Compare(a.Entry.Category, b.Entry.Category),
		strings.Compare(a.Entry.Record, b.Entry.Record),
	)
}

// Character is one place of a reading.
type Character struct {
	Text       string
	Confidence float64 // 0–1, that it is Text
	// Alternatives are other characters that it can be, with the probability of each.
	Alternatives []Alternative
}

// Alternative is another reading of one character.
type Alternative struct {
	Text       string
	Confidence float64 // 0–1
}
