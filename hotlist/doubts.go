package hotlist

import (
	"fmt"
	"slices"
	"strings"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
)

// noPlates are words that stand in the column of the plate only by mistake: names of
// the column, and what people write to try an export. A vehicle may have such a
// plate, so they are asked about and not skipped.
var noPlates = []string{"PLATE", "PLATES", "PLATENO", "PLATENUMBER", "LICENSEPLATE", "LICENCEPLATE", "LICENSE", "LICENCE", "NUMBERPLATE",
	"REGISTRATION", "KENNZEICHEN", "MATRICULA", "PLACA", "TEST", "TEST1", "TEST12", "TEST123", "TEST1234", "TESTING", "TESTPLATE", "SAMPLE", "EXAMPLE", "DUMMY", "TOTAL"}

const (
	// A list of that many entries is not expected to lose more than a third of
	// them at once: an export that ended early does.
	shrinkLeast = 10
	shrinkShare = 3
	// sameLeast is how many lines with one and the same plate are a wrong column
	// and not a list of one vehicle.
	sameLeast   = 3
	maxExamples = 3
)

// content is what the lines of an import have in common.
type content struct {
	entries  int
	plate    string // of the first line
	differ   bool   // some other line has another plate
	words    []importer.Doubt
	wordsAll int
}

// add notes a line's entry.
func (c *content) add(e *entry.Entry, line int) {
	if c.entries++; c.entries == 1 {
		c.plate = strings.Clone(e.Plate)
	}
	c.differ = c.differ || e.Plate != c.plate
	if slices.Contains(noPlates, e.Plate) {
		if c.wordsAll++; len(c.words) < maxExamples {
			c.words = append(c.words, importer.Doubt{Line: line, Reason: fmt.Sprintf("%s is hardly a plate; leave it out with -skip %s", entry.Quote(e.Shown()), e.Plate)})
		}
	}
}

// doubts returns what is odd about a list beside what its file shows.
func (c *content) doubts(before, now entry.List) []importer.Doubt {
	doubts := slices.Clone(c.words)
	if more := c.wordsAll - len(c.words); more > 0 {
		doubts = append(doubts, importer.Doubt{Reason: fmt.Sprintf("%d more lines have such words", more)})
	}
	if c.entries >= sameLeast && !c.differ {
		doubts = append(doubts, importer.Doubt{Reason: fmt.Sprintf("all %d lines have the same plate, %s: another column may be meant (-map)", c.entries, c.plate)})
	}
	if lost := before.Entries - now.Entries; before.Entries >= shrinkLeast && lost*shrinkShare > before.Entries {
		doubts = append(doubts, importer.Doubt{Reason: fmt.Sprintf("the list shrinks from %d entries to %d: the file may be cut off, or another one", before.Entries, now.Entries)})
	}
	return doubts
}

// confirm asks whether a list with doubts is wanted.
func (im *rebuild) confirm() error {
	im.report.Doubts = append(im.report.Doubts, im.content.doubts(im.report.Previous, im.report.List)...)
	if len(im.report.Doubts) == 0 || im.o.Confirm == nil {
		return nil
	}
	if err := im.o.Confirm(im.report.Doubts); err != nil {
		return &entry.Error{Op: "import", Path: im.o.Source, Err: fmt.Errorf("%w: %w", entry.ErrRefused, err),
			Advice: "correct the file, or import it as it is with -yes; the list in use is unchanged"}
	}
	return nil
}
