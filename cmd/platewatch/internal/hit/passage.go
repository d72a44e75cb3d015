package hit

import (
	"slices"
	"strings"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/ocr/passage"
	"platewatch/uplink/message"
)

// Message makes a hit of a passage and its matches. The caller adds what the
// passage does not know: camera, position, time, region and pictures.
func Message(p *passage.Passage, matches []message.Match) message.Hit {
	return message.Hit{
		Passage: p.Number, Text: p.Text, Confidence: p.Confidence, Characters: messageCharacters(p.Characters),
		Direction: Direction(p), Matches: slices.Clone(matches),
	}
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

// PassageFacts are what a person should know of the passage itself, beyond its
// plate, camera and time.
func PassageFacts(h *message.Hit) []status.Fact {
	var f facts
	if h.Clock != message.ClockSynchronised {
		f.urgent("clock", "not set: the time may be wrong")
	}
	f.add("direction", h.Direction)
	f.add("format", h.Region)
	if r := h.Reader; r != nil {
		f.add("reader", strings.Join(strings.Fields(r.Model+" "+r.Version+" "+r.Software), " "))
	}
	return f
}
