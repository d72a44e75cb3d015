package hit

import (
	"platewatch/hotlist/match"
	"platewatch/ocr/text"
	"platewatch/uplink/message"
)

// Reading converts the reader's characters for a [match.Query].
func Reading(cs []text.Character) []match.Character {
	return Characters(cs, func(char string, confidence float64) match.Alternative {
		return match.Alternative{Text: char, Confidence: confidence}
	}, func(char string, confidence float64, alternatives []match.Alternative) match.Character {
		return match.Character{Text: char, Confidence: confidence, Alternatives: alternatives}
	})
}

// messageCharacters converts the reader's characters for the message.
func messageCharacters(cs []text.Character) []message.Character {
	return Characters(cs, func(char string, confidence float64) message.Alternative {
		return message.Alternative{Text: char, Confidence: confidence}
	}, func(char string, confidence float64, alternatives []message.Alternative) message.Character {
		return message.Character{Text: char, Confidence: confidence, Alternatives: alternatives}
	})
}

// Characters converts the reader's characters to another type. The rooms do not
// import each other, so each has a type of its own; this is the only loop that
// copies between them. A character without alternatives gets a nil slice.
func Characters[C, A any](cs []text.Character, alternative func(char string, confidence float64) A,
	character func(char string, confidence float64, alternatives []A) C) []C {
	out := make([]C, 0, len(cs))
	for _, c := range cs {
		var as []A
		for _, a := range c.Alternatives {
			as = append(as, alternative(a.Text, a.Confidence))
		}
		out = append(out, character(c.Text, c.Confidence, as))
	}
	return out
}
