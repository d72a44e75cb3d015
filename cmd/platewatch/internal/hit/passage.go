package hit

import (
	"slices"

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
	return f
}
