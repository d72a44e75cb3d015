package match

// Rules say how loosely a list is matched. Entries that differ by O and 0 or by I
// and 1 only always match; so does the exact text, except for MinExact.
type Rules struct {
	// Confusable: entries match whose plate differs in characters that look alike
	// (see [Confusions]), or between which the reader itself wavered.
	Confusable bool `json:"confusable"`
	// OneCharacter: entries match of which any one character was read wrong,
	// missed, or added.
	OneCharacter bool `json:"one_character"`
	// Wildcards: patterns match.
	Wildcards bool `json:"wildcards"`
	// MinProbability is the least P(the plate is the entry's), 0–1, of a match that
	// is not exact. 0: whatever the fields above allow.
	MinProbability float64 `json:"min_probability"`
	// MinLookalike is the same for entries that differ in [Lookalikes] only. Few
	// plates have such a neighbour on a list, so that a long list can be less
	// strict here.
	MinLookalike float64 `json:"min_lookalike"`
	// MinExact is the same for entries whose exact text was read: an uncertain
	// reading matches some entry of a long list by chance. A plate that was read
	// with certainty matches however rare its layout is, and so does a query of
	// text only.
	MinExact float64 `json:"min_exact"`
	// Agree: an entry whose state or colour is seen to be another does not match.
	// Otherwise such a match is less probable, and says so.
	Agree bool `json:"agree"`
}

// DefaultRules are the rules for a list of a given size. The longer the list, the
// more unlisted plates differ from some entry by one character: at a million
// entries one plate in five. The bounds come from `platewatch hotlist stats
// -simulate`: up to a million entries, fewer than one read in 20,000 is a false
// alert. At a million most false alerts are plates misread as the exact text of an
// entry, hence MinExact: of 13 alerts that it suppresses, 2 would have been right
// (at 1 listed vehicle in 3,000). Longer lists have more false alerts.
func DefaultRules(entries int) Rules {
	m := Rules{Confusable: true, OneCharacter: true, Wildcards: true}
	switch {
	case entries <= 250: // any one character, however improbable
	case entries <= 2_000:
		m.MinProbability = 0.0003
	case entries <= 10_000:
		m.MinProbability = 0.001
	case entries <= 30_000:
		m.MinProbability, m.MinLookalike = 0.02, 0.00025
	case entries <= 100_000:
		m.MinProbability, m.MinLookalike = 0.12, 0.00025
	case entries <= 200_000:
		m.MinProbability, m.MinLookalike = 0.2, 0.00025
	default:
		m.MinProbability, m.MinLookalike, m.MinExact, m.OneCharacter = 0.5, 0.001, 0.6, false
	}
	return m
}
