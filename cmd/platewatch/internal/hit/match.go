package hit

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist/match"
	"platewatch/uplink/message"
)

// Match converts a match for the message. The policy of the entry is left out:
// it limits how the entry may match, and How says how it did.
func Match(m match.Match) message.Match {
	e := &m.Entry
	out := message.Match{
		List: m.List, Version: m.Version, ListDated: m.Dated, ListOverdue: m.Overdue, Category: e.Category, Priority: e.Priority, Covert: e.Covert, Handling: e.Handling,
		How: message.How(m.How), Probability: m.Probability, Caution: strings.Join(cautions(&m), "; "),
		Entry: message.Entry{Plate: e.Plate, Written: e.Written, State: e.State, PlateType: e.PlateType,
			Record: e.Record, Agency: e.Agency, Note: e.Note, Effective: bound(e.Effective), Expires: bound(e.Expires)},
	}
	if v := (message.Vehicle{Year: year(e.Vehicle.Year), Make: e.Vehicle.Make, Model: e.Vehicle.Model,
		Style: e.Vehicle.Style, Colour: e.Vehicle.Colour}); v != (message.Vehicle{}) {
		out.Entry.Vehicle = &v
	}
	return out
}

// Matches converts all matches of a plate, in their order.
func Matches(found []match.Match) []message.Match {
	out := make([]message.Match, 0, len(found))
	for _, m := range found {
		out = append(out, Match(m))
	}
	return out
}

// Head names a match in one line: "AB12CDE (NL)  stolen vehicle, priority 3,
// exact, list national version 7".
func Head(m *message.Match) string {
	plate := cmp.Or(m.Entry.Written, m.Entry.Plate)
	if m.Entry.State != "" {
		plate += " (" + m.Entry.State + ")"
	}
	return fmt.Sprintf("%s  %s, priority %d, %s, list %s version %s",
		plate, m.Category, m.Priority, strings.ReplaceAll(string(m.How), "_", " "), m.List, m.Version)
}

// covert tells what [message.Match.Covert] asks of a person.
const covert = "whoever stops the vehicle must not show that it was expected"

// Facts are what a person should know of a match beyond its [Head], the most
// important first.
func Facts(m *message.Match) []status.Fact {
	e := &m.Entry
	var f facts
	f.urgent("caution", m.Caution)
	if m.Covert {
		f.urgent("covert", covert)
	}
	f.urgent("handling", m.Handling)
	f.add("vehicle", listedVehicle(e.Vehicle))
	f.add("plate type", e.PlateType)
	f.add("effective", moment(e.Effective))
	f.add("expires", moment(e.Expires))
	if !m.ListDated.IsZero() {
		f.add("list of", moment(&m.ListDated))
	}
	f.add("record", e.Record)
	f.add("agency", e.Agency)
	f.add("note", e.Note)
	return f
}

// facts collects those that have a text.
type facts []status.Fact

func (f *facts) add(label, text string) {
	if text != "" {
		*f = append(*f, status.Fact{Label: label, Text: text})
	}
}

func (f *facts) urgent(label, text string) {
	if text != "" {
		*f = append(*f, status.Fact{Label: label, Text: text, Urgent: true})
	}
}

// listedVehicle describes an entry's vehicle in a few words: "2014 red Arden 1.4 TS".
func listedVehicle(v *message.Vehicle) string {
	if v == nil {
		return ""
	}
	return strings.Join(strings.Fields(strings.Join([]string{v.Year, v.Colour, v.Make, v.Model, v.Style}, " ")), " ")
}

// cautions are the reasons to doubt a match.
func cautions(m *match.Match) []string {
	var words []string
	if m.How != match.Exact {
		words = append(words, "probability that this is the listed plate: "+percent(m.Probability))
	}
	if m.StateDiffers {
		words = append(words, "the entry's state differs from that of most plates here")
	}
	if m.Contradiction != "" {
		words = append(words, m.Contradiction+": likely another vehicle")
	}
	if m.Overdue {
		words = append(words, "a newer version of the list is overdue, so the entry may no longer be current")
	}
	if m.SpellingDiffers {
		words = append(words, "the list writes "+m.Entry.Shown()+": with other spaces or letters it is another vehicle")
	} else if m.Entry.HasDiacritics() {
		words = append(words, "the list writes "+m.Entry.Shown()+": a plate with the bare letter is another vehicle")
	}
	if m.TimeUnsure {
		words = append(words, "the unit's clock is not set, so the entry may have expired or may not be in effect yet")
	}
	return words
}

// percent writes a probability (0–1) for people. Near 0 and 1 it keeps one more
// digit, and never rounds to certainty.
func percent(p float64) string {
	switch {
	case p < 0.001:
		return "less than 0.1 %"
	case p < 0.1 || p >= 0.99 && p < 0.9995:
		return fmt.Sprintf("%.1f %%", 100*p)
	case p >= 0.9995:
		return "more than 99.9 %"
	}
	return fmt.Sprintf("%.0f %%", 100*p)
}

func year(y int) string {
	if y == 0 {
		return ""
	}
	return strconv.Itoa(y)
}

// bound is an end of an entry's time; nil if it has none.
func bound(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// moment writes a bound of an entry's time in local time, to the minute.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}
