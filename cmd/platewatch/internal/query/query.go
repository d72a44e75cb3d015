// Package query asks the hotlist what the reader saw: hotlist and ocr know
// nothing of each other.
package query

import (
	"platewatch/hotlist"
	"platewatch/ocr/read"
)

// Characters is what the reader says of each character, for a [hotlist.Query].
func Characters(cs []read.Character) []hotlist.Character {
	out := make([]hotlist.Character, 0, len(cs))
	for _, c := range cs {
		n := hotlist.Character{Text: c.Text, Confidence: c.Confidence}
		for _, a := range c.Alternatives {
			n.Alternatives = append(n.Alternatives, hotlist.Alternative{Text: a.Text, Confidence: a.Confidence})
		}
		out = append(out, n)
	}
	return out
}
