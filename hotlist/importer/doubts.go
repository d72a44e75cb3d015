package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Doubt is a sign that a file is not the list that was meant: a person should look at
// it before it replaces the list in use.
type Doubt struct {
	Line   int    `json:"line,omitempty"` // from 1; 0: the whole file
	Reason string `json:"reason"`
}

func (d Doubt) String() string {
	if d.Line == 0 {
		return d.Reason
	}
	return fmt.Sprintf("line %d: %s", d.Line, d.Reason)
}

// frame is what a file has around its entries: headers and a total. They are no
// entries, and where they stand tells whether the file is whole.
type frame struct {
	headers int  // repeated in the middle
	header  int  // line of the first one
	total   *int // entries that the last total line names; nil: there was none, or it names none
	ended   int  // line of the last total line; 0: none
	entries int  // since the total line before; lines that were refused count too
	doubts  []Doubt
}

// repeated notes a header in the middle.
func (f *frame) repeated(line int) {
	if f.headers++; f.headers == 1 {
		f.header = line
	}
}

// entry notes a line that is an entry or was refused.
func (f *frame) entry() {
	if f.ended > 0 && f.total != nil {
		f.check()
	}
	if f.ended > 0 {
		f.doubts = append(f.doubts, Doubt{f.ended, "a total line stands in the middle: several files may have been joined"})
		f.ended = 0
	}
	f.entries++
}

// end notes a total line and the count that it names, if any.
func (f *frame) end(line int, total *int) {
	if f.ended > 0 { // two in a row, such as TOTAL and END OF FILE
		if total != nil {
			f.total = total
		}
		return
	}
	f.ended, f.total = line, total
}

// check compares the count that the total line names with the lines before it.
func (f *frame) check() {
	const around = 2 // some count the header and the total line itself
	if f.total != nil && (*f.total < f.entries || *f.total > f.entries+around) {
		f.doubts = append(f.doubts, Doubt{f.ended, fmt.Sprintf("the total line says %d, but %d stand before it: lines may be missing", *f.total, f.entries)})
	}
	f.total, f.entries = nil, 0
}

// all returns the doubts at the end of the file.
func (f *frame) all() []Doubt {
	if f.ended > 0 {
		f.check()
	}
	doubts := slices.Clone(f.doubts)
	if f.headers > 0 {
		times := ""
		if f.headers > 1 {
			times = fmt.Sprintf(" (%d times)", f.headers)
		}
		doubts = append(doubts, Doubt{f.header, "the header is repeated in the middle" + times + ": several files may have been joined"})
	}
	return doubts
}

// totalWords begin a line that ends a list; totalAfter is the other way round.
var (
	totalWords = regexp.MustCompile(`(?i)^[\s*=#-]*(?:(?:(?:grand )?totals?|trailer|summe|gesamt|record count|number of records|end of (?:file|list|data|report))\b|eof$)`)
	totalAfter = regexp.MustCompile(`(?i)^[\s*=#-]*([\d.,' ]*\d)\s+(?:records?|entries|lines|rows|plates|vehicles)\b`)
	totalCount = regexp.MustCompile(`\d+(?:[.,' ]\d{3})*`)
)

// totalLine tells whether text is a line that ends a list, and the count that it
// names, if any.
func totalLine(text string) (count *int, is bool) {
	m := totalAfter.FindStringSubmatch(text)
	if m == nil && !totalWords.MatchString(text) {
		return nil, false
	}
	digits := totalCount.FindString(text)
	if n, err := strconv.Atoi(strings.NewReplacer(".", "", ",", "", "'", "", " ", "").Replace(digits)); err == nil {
		count = &n
	}
	return count, true
}
