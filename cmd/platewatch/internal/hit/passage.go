package hit

import (
	"fmt"
	"slices"
	"strings"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist/match"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
	"platewatch/ocr/vehicle"
	"platewatch/uplink/message"
)

// Message makes a hit of a passage and its matches. The caller adds what the
// passage does not know: camera, position, time, region and pictures.
func Message(p *passage.Passage, matches []message.Match) message.Hit {
	h := message.Hit{
		Passage: p.Number, Text: p.Text, Confidence: p.Confidence, Characters: messageCharacters(p.Characters),
		Direction: Direction(p), Matches: slices.Clone(matches),
	}
	if a, ok := vehicle.Likeliest(p.Vehicle.Issuer); ok {
		h.Issuer = &message.Issuer{Code: a.Text, Confidence: a.Confidence}
	}
	if a, ok := vehicle.Likeliest(p.Vehicle.Colour); ok {
		h.Colour = &message.Colour{Name: a.Text, Confidence: a.Confidence}
	}
	return h
}

// Seen is what was seen of a passage's vehicle beside the number, for the match.
func Seen(s vehicle.Seen) match.Seen {
	of := func(d []text.Alternative) []match.Alternative {
		var out []match.Alternative
		for _, a := range d {
			out = append(out, match.Alternative{Text: a.Text, Confidence: a.Confidence})
		}
		return out
	}
	return match.Seen{Issuer: of(s.Issuer), Colour: of(s.Colour)}
}

// Withdrawal makes the message that takes a passage's hit back. Of the matches that
// the hit had, only their urgency counts; nothing else of plate and entry is in it.
// The caller adds camera and time.
func Withdrawal(p *passage.Passage, matches []message.Match) message.Hit {
	h := message.Hit{Passage: p.Number, Withdrawn: true}
	if len(matches) > 0 {
		had := message.Hit{Matches: matches}
		h.Matches = []message.Match{{Priority: had.Urgency()}}
	}
	return h
}

// Withdrawn is what people read in place of a hit that was taken back.
const Withdrawn = "withdrawn: after more frames the plate reads differently and is on no list"

// Parked is the direction of a hit whose vehicle does not move.
const Parked = "parked"

// Direction is where the vehicle of a passage goes, as messages say it; empty
// while it is not known.
func Direction(p *passage.Passage) string {
	switch {
	case p.Parked:
		return Parked
	case p.Direction == passage.Unknown:
		return ""
	}
	return p.Direction.String()
}

// issuerName is an issuer's code as people write it: "TX (US)", "DE".
func issuerName(code string) string {
	country, state, ok := strings.Cut(strings.ToUpper(code), "-")
	if ok {
		return state + " (" + country + ")"
	}
	return country
}

// PassageFacts are what a person should know of the passage itself, beyond its
// plate, camera and time.
func PassageFacts(h *message.Hit) []status.Fact {
	var f facts
	if h.Clock != message.ClockSynchronised {
		f.urgent("clock", "not set: the time may be wrong")
	}
	f.add("direction", h.Direction)
	f.add("format", h.Region)
	if i := h.Issuer; i != nil {
		f.add("seen issuer", fmt.Sprintf("%s, %s sure", issuerName(i.Code), percent(i.Confidence)))
	}
	if c := h.Colour; c != nil {
		f.add("seen colour", fmt.Sprintf("%s, %s sure", c.Name, percent(c.Confidence)))
	}
	if r := h.Reader; r != nil {
		f.add("reader", strings.Join(strings.Fields(r.Model+" "+r.Version+" "+r.Software), " "))
	}
	return f
}
