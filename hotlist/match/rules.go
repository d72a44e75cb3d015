package match

// Matching says how loosely a list is matched. Matches that differ by O and 0 or
// by I and 1 alone always count, and so do exact ones, but for MinExact.
type Rules struct {
	// Confusable lets an entry match whose plate differs in characters that
	// look alike (see [Confusions]), or between which the reader itself wavered.
	Confusable bool `json:"confusable"`
	// OneCharacter lets an entry match of which any one character was read
	// wrong, was missed, or was added.
	OneCharacter bool `json:"one_character"`
	// Wildcards lets entries match that are patterns.
	Wildcards bool `json:"wildcards"`
	// MinProbability is the least P(this is the entry's plate), 0–1, for a
	// match that is not exact. 0 means whatever the levels allow.
	MinProbability float64 `json:"min_probability"`
	// MinLookalike is the same for an entry whose plate differs only in
	// [Lookalikes]. Few plates have a listed neighbour of that kind, so that a
	// long list can be less strict with them than with all that the reader
	// confuses now and then.
	MinLookalike float64 `json:"min_lookalike"`
	// MinExact is the same for an entry whose very text was read: of what a
	// reader wavered over, a long list has some plate by chance. A plate that was
	// read surely counts however strange it is, and so does a text without
	// characters.
	MinExact float64 `json:"min_exact"`
}

// DefaultMatching is how a list of a given size is matched unless it is told
// otherwise. The longer the list, the more plates of vehicles that nobody looks
// for lie one character beside an entry: with a million entries one read in
// five. The bounds come from `platewatch hotlist stats -simulate`: false alerts
// stay below one in 20,000 reads up to a million entries. Most of them are then
// plates that were misread into the very text of an entry, which is why even
// those need a least probability there: of thirteen such alerts that it leaves
// out, two would be right, where one vehicle in 3,000 is listed. Longer lists
// have more of them.
func DefaultRules(entries int) Rules {
	m := Rules{Confusable: true, OneCharacter: true, Wildcards: true}
	switch {
	case entries <= 250: // edit distance one in full
	case entries <= 2_000:
		m.MinProbability = 0.0003
	case entries <= 10_000:
		m.MinProbability = 0.001
	case entries <= 30_000:
		m.MinProbability, m.MinLookalike = 0.02, 0.0005
	case entries <= 100_000:
		m.MinProbability, m.MinLookalike = 0.12, 0.0005
	case entries <= 200_000:
		m.MinProbability, m.MinLookalike = 0.2, 0.0005
	default:
		m.MinProbability, m.MinLookalike, m.MinExact, m.OneCharacter = 0.5, 0.001, 0.6, false
	}
	return m
}
