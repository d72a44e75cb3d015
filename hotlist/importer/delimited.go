package importer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"platewatch/hotlist/entry"
)

// delimited reads files whose first line names the columns and whose fields
// are separated by commas, tabs or semicolons, and may be quoted (RFC 4180).
//
// A quoted field may contain line breaks, so that a missing quote would swallow the
// lines that follow. Of a malformed record of several lines, only the first line is
// refused: reading resumes at the second.
type delimited struct {
	lines  *lineReader
	csv    *csv.Reader
	source string
	header []string
	to     []int // field of each column
	extra  []string
	values *valueParser
	frame  frame
}

func openDelimited(lines *lineReader, o *Options) (format, error) {
	d := &delimited{lines: lines, source: o.Source, values: newValueParser(o)}
	first, err := d.headerLine()
	if err != nil {
		return nil, err
	}
	comma := separator(o.Format, first)
	if sep, ok := strings.CutPrefix(strings.TrimRight(string(first), "\r\n"), "sep="); ok { // Excel's own mark
		if len(sep) != 1 || !strings.Contains(",;\t|", sep) {
			return nil, d.refuse(0, "", "the separator must be a comma, a semicolon, a tab or a bar")
		}
		comma = rune(sep[0])
		if first, err = d.headerLine(); err != nil {
			return nil, err
		}
	}
	lines.unread(first)
	lines.edit = func(line []byte) []byte { return dropFormulas(line, byte(comma)) }
	d.csv = csv.NewReader(lines)
	d.csv.Comma = comma
	d.csv.FieldsPerRecord = -1
	d.csv.ReuseRecord = true
	record, _, err := d.record()
	if err != nil {
		return nil, err
	}
	for _, name := range record {
		if err := checkText(name); err != nil {
			return nil, d.refuse(0, "", "the header: "+err.Error())
		}
		d.header = append(d.header, textFormula(strings.TrimSpace(strings.Clone(name))))
	}
	if len(d.header) > maxColumns {
		return nil, d.refuse(0, "", fmt.Sprintf("%d columns; the maximum is %d", len(d.header), maxColumns))
	}
	d.to, d.extra, err = mapColumns(d.header, o.Columns)
	if err != nil {
		return nil, d.refuse(0, "", err.Error())
	}
	return d, nil
}

const maxColumns = 256

// headerLine returns the next line that is not empty.
func (d *delimited) headerLine() ([]byte, error) {
	for {
		line, err := d.lines.readLine()
		switch {
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: %s is empty", entry.ErrRefused, d.source)
		case errors.Is(err, errLongLine):
			return nil, d.refuse(0, "", "longer than 64 KiB; this does not look like a list")
		case err != nil:
			return nil, err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
	}
}

// separator returns the separator of the format, or the one that is most frequent
// outside quotes in the header.
func separator(f Format, header []byte) rune {
	switch f {
	case CSV:
		return ','
	case TSV:
		return '\t'
	case Semicolon:
		return ';'
	}
	counts := map[byte]int{}
	quoted := false
	for _, c := range header {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte("\t;|") {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return rune(best)
}

func (d *delimited) columns() (map[string]string, []string) {
	used := make(map[string]string)
	for i, f := range d.to {
		if f != noField {
			used[d.header[i]] = fields[f].name
		}
	}
	return used, d.extra
}

// refuse returns an error about the last line read.
func (d *delimited) refuse(column int, name, reason string) *LineError {
	return &LineError{File: d.source, Line: max(d.lines.line, 1), Column: column, Name: name, Reason: reason}
}

// record reads one record and returns the number of its first line.
func (d *delimited) record() (record []string, line int, err error) {
	d.lines.mark()
	record, err = d.csv.Read()
	line = d.lines.line - max(len(d.lines.kept), 1) + 1
	bad := func(reason string) ([]string, int, error) {
		d.lines.rewind()
		return nil, line, &LineError{File: d.source, Line: line, Reason: reason}
	}
	var parse *csv.ParseError
	switch {
	case errors.Is(err, errLongLine):
		return bad("longer than 64 KiB")
	case errors.As(err, &parse) && errors.Is(parse.Err, csv.ErrBareQuote):
		return bad("a quote inside an unquoted field")
	case errors.As(err, &parse) && len(d.lines.kept) == 1:
		return bad("a quoted field is not closed, or continues after its closing quote")
	case errors.As(err, &parse), err == nil && len(d.lines.kept) > 1 && d.header != nil && len(record) != len(d.header):
		return bad("an opening quote is not closed")
	}
	return record, line, err
}

// next implements [format].
func (d *delimited) next(e *entry.Entry) (line int, err error) {
	for {
		record, line, err := d.record()
		var refused *LineError
		if errors.As(err, &refused) {
			d.frame.entry()
		}
		if err != nil {
			return line, err
		}
		if empty(record) {
			continue
		}
		if d.isHeader(record) {
			d.frame.repeated(line)
			continue
		}
		if total, is := d.isTotal(record); is {
			d.frame.end(line, total)
			continue
		}
		d.frame.entry()
		if err := d.fill(e, record, line); err != nil {
			return line, err
		}
		return line, nil
	}
}

// fill sets e to the values of a record. Fields beyond the header must be empty.
func (d *delimited) fill(e *entry.Entry, record []string, line int) error {
	bad := func(column int, reason string) *LineError {
		le := &LineError{File: d.source, Line: line, Column: column, Reason: reason}
		if column > 0 {
			le.Name = d.header[column-1]
		}
		return le
	}
	if len(record) < len(d.header) || !empty(record[len(d.header):]) {
		return bad(0, fmt.Sprintf("%d fields, but the header has %d", len(record), len(d.header)))
	}
	d.values.begin(e)
	for i, f := range d.to {
		if f == noField {
			continue
		}
		value := strings.TrimSpace(textFormula(strings.TrimSpace(record[i])))
		if value == "" {
			continue
		}
		if err := checkText(value); err != nil {
			return bad(i+1, err.Error())
		}
		if err := fields[f].set(d.values, e, value); err != nil {
			return advised(bad(i+1, err.Error()), err)
		}
	}
	if err := d.values.complete(e); err != nil {
		return bad(0, err.Error())
	}
	return nil
}

// advised gives a line's error the advice of its reason.
func advised(line *LineError, reason error) *LineError {
	var s spoiled
	if errors.As(reason, &s) {
		line.Advice = s.Hint()
	}
	return line
}

// doubts implements [format].
func (d *delimited) doubts() []Doubt { return d.frame.all() }

// isHeader tells whether a record is the header once more.
func (d *delimited) isHeader(record []string) bool {
	for i, name := range d.header {
		if i >= len(record) || !strings.EqualFold(strings.TrimSpace(record[i]), name) {
			return false
		}
	}
	return true
}

// isTotal tells whether a record is a line that ends the list: words such as "Total"
// in its first cell, and at most a number in one of the others. In a list of plates
// alone, where TOTAL could be a plate, it must name a number.
func (d *delimited) isTotal(record []string) (total *int, is bool) {
	var cells []string
	for _, cell := range record {
		if cell = strings.TrimSpace(cell); cell != "" {
			cells = append(cells, cell)
		}
	}
	if len(cells) > 2 || len(cells) == 2 && totalCount.FindString(cells[1]) != cells[1] {
		return nil, false
	}
	total, is = totalLine(strings.Join(cells, " "))
	return total, is && (total != nil || len(d.header) > 1)
}

func empty(record []string) bool {
	for _, s := range record {
		if strings.TrimSpace(s) != "" {
			return false
		}
	}
	return true
}
