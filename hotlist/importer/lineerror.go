package importer

import (
	"fmt"
	"strings"

	"platewatch/hotlist/entry"
)

// LineError is a line of a file that was refused.
type LineError struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1, including the header
	Column int    `json:"column"` // from 1; 0: the whole line
	Name   string `json:"name,omitempty"`
	Reason string `json:"reason"`
	// Advice is what to do about the whole file; empty: correct the line.
	Advice string `json:"-"`
}

func (e *LineError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: ", e.File, e.Line)
	if e.Column > 0 {
		fmt.Fprintf(&b, "column %d", e.Column)
		if e.Name != "" {
			fmt.Fprintf(&b, " (%s)", e.Name)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Reason)
	return b.String()
}

// Unwrap makes a LineError an [entry.ErrRefused].
func (e *LineError) Unwrap() error { return entry.ErrRefused }
