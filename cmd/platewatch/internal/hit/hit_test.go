package hit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/match"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
	"platewatch/uplink/message"
)

// A hit states no direction while none is known; a vehicle that does not move is
// parked, wherever it came from.
func TestDirection(t *testing.T) {
	for want, p := range map[string]passage.Passage{
		"":        {},
		"towards": {Direction: passage.Towards},
		"right":   {Direction: passage.Right},
		"parked":  {Direction: passage.Towards, Parked: true},
	} {
		if got := Direction(&p); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for p, want := range map[float64]string{
		0: "less than 0.1 %", 0.0009: "less than 0.1 %", 0.012: "1.2 %", 0.62: "62 %", 0.9894: "99 %", 0.993: "99.3 %", 1: "more than 99.9 %",
	} {
		if got := percent(p); got != want {
			t.Errorf("%v: %q, want %q", p, got, want)
		}
	}
}

// The reasons to doubt a match, one after the other.
func TestCaution(t *testing.T) {
	m := match.Match{How: match.Exact, Probability: 0.5}
	if got := Match(m).Caution; got != "" {
		t.Errorf("an exact match: %q", got)
	}
	m.How, m.StateDiffers, m.TimeUnsure = match.OneCharacter, true, true
	want := "probability that this is the listed plate: 50 %; the entry's state differs from that of most plates here; " +
		"the unit's clock is not set, so the entry may have expired or may not be in effect yet"
	if got := Match(m).Caution; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// Matches on further lists are named after the most urgent match.
func TestPageTellsAllMatches(t *testing.T) {
	h := message.Hit{Clock: message.ClockSynchronised, Matches: []message.Match{
		{List: "a", Entry: message.Entry{Plate: "A1"}, Handling: "wait"},
		{List: "b", Entry: message.Entry{Plate: "A1"}, Covert: true},
	}}
	var labels []string
	for _, f := range Page("u-1", &h, 0, false).Facts {
		labels = append(labels, f.Label)
	}
	if diff := cmp.Diff([]string{"handling", "also matches", "covert"}, labels); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReading(t *testing.T) {
	got := Reading([]text.Character{{Text: "A", Confidence: 0.9, Alternatives: []text.Alternative{{Text: "4", Confidence: 0.1}}}, {Text: "B", Confidence: 1}})
	want := []match.Character{{Text: "A", Confidence: 0.9, Alternatives: []match.Alternative{{Text: "4", Confidence: 0.1}}}, {Text: "B", Confidence: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
