package importer

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
	"time"

	"platewatch/hotlist/entry"
)

// ReadOptions say how a file is read.
type Options struct {
	// Source names the input in messages. Default: "input".
	Source string
	// Format is how the input is laid out. Default: [Auto].
	Format Format
	// Encoding of the input. Default: told from its first bytes.
	Encoding Encoding
	// Columns maps the file's column names to fields (see [Fields]); an empty
	// field leaves a column out without reporting it. Columns that are not
	// mapped are recognised by their names.
	Columns map[string]string
	// Dates says how 03/04/2026 is meant. Without it such a date is refused;
	// dates that can be read in one way only never need it.
	Dates DateOrder
	// Location is where dates without a time zone begin and end. Default: time.Local.
	Location *time.Location
	// Category is that of lines that name none. Default: [Other].
	Category string
}

// Fill sets defaults and refuses what cannot be, with an [ErrOptions].
func (o *Options) Fill() error {
	if o.Source == "" {
		o.Source = "input"
	}
	if o.Category == "" {
		o.Category = entry.Other
	}
	if c := entry.CategoryOf(o.Category); c != "" {
		o.Category = c
	} else {
		return entry.OptionErrorf("%q is not a category", o.Category)
	}
	if o.Format != "" && !slices.Contains(Formats(), o.Format) {
		return entry.OptionErrorf("there is no format %q; there are %s", o.Format, join(Formats()))
	}
	if o.Encoding != "" && !slices.Contains(Encodings, o.Encoding) {
		return entry.OptionErrorf("there is no encoding %q; there are %s", o.Encoding, join(Encodings))
	}
	if o.Dates != DatesUnknown && o.Dates != DayMonthYear && o.Dates != MonthDayYear {
		return entry.OptionErrorf("there is no order of dates %q; there are %s and %s", o.Dates, DayMonthYear, MonthDayYear)
	}
	for column, f := range o.Columns {
		if f != "" && f != "-" && !slices.Contains(Fields(), f) {
			return entry.OptionErrorf("column %q is mapped to the field %q, which is none of %s", column, f, join(Fields()))
		}
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	return nil
}

// DateOrder says how a date such as 03/04/2026 is meant.
type DateOrder string

// The orders. The names are those of the -dates flag.
const (
	DatesUnknown DateOrder = ""
	DayMonthYear DateOrder = "dmy"
	MonthDayYear DateOrder = "mdy"
)

// Format is how a file is laid out.
type Format string

// The formats. The names are those of the -format flag.
const (
	Auto      Format = "auto" // one of the others, told from the first line
	CSV       Format = "csv"
	TSV       Format = "tsv"
	Semicolon Format = "semicolon"
	NCIC      Format = "ncic" // the fixed-width vehicle extract
)

// layouts are the formats but [Auto]. A new format is a row here and a file
// that implements [format].
var layouts = []struct {
	name Format
	open func(*lineReader, *Options) (format, error)
	// recognise tells from a file's first line whether [Auto] takes the file for
	// this format; nil: never.
	recognise func(first []byte) bool
}{
	{CSV, openDelimited, nil},
	{TSV, openDelimited, nil},
	{Semicolon, openDelimited, nil},
	{NCIC, openNCIC, looksLikeNCIC},
}

// Formats lists the formats.
func Formats() []Format {
	names := []Format{Auto}
	for _, l := range layouts {
		names = append(names, l.name)
	}
	return names
}

// format reads one kind of file.
type format interface {
	// next reads the next line with content into e and returns the line's
	// number. io.EOF ends the input; after a *LineError reading may go on.
	next(e *entry.Entry) (line int, err error)
	// columns tells which field each column of the file goes to, and which
	// columns are left out.
	columns() (used map[string]string, extra []string)
}

// EntryReader reads the entries of a file.
type Reader struct{ format format }

// ReadEntries returns the reader of an input; o was filled (see
// [ReadOptions.Fill]). An input that is no list at all is an [ErrRefused].
func Open(r io.Reader, o Options) (*Reader, error) {
	text, err := decodeText(r, &o)
	if err != nil {
		return nil, err
	}
	f, err := openFormat(text, &o)
	if err != nil {
		return nil, err
	}
	return &Reader{f}, nil
}

// Next reads the next line with content into e and returns the line's number.
// [io.EOF] ends the input; after a [*LineError] reading may go on.
func (r *Reader) Next(e *entry.Entry) (line int, err error) { return r.format.next(e) }

// Columns tells which field each column of the file goes to, and which columns
// are left out because no field is for them.
func (r *Reader) Columns() (used map[string]string, extra []string) { return r.format.columns() }

// openFormat opens the format that was told, or the one that the first line shows.
func openFormat(text *bufio.Reader, o *Options) (format, error) {
	open := openDelimited
	// A line that is too long, or none, is told of by whoever reads it.
	first := firstLine(text)
	for _, l := range layouts {
		auto := o.Format == "" || o.Format == Auto
		if o.Format == l.name || auto && l.recognise != nil && l.recognise(first) {
			open = l.open
			break
		}
	}
	return open(newLineReader(text), o)
}

// firstLine returns the beginning of the line that an input begins with, enough
// to tell its format.
func firstLine(in *bufio.Reader) []byte {
	head, _ := in.Peek(200)
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return line
}

// join lists names for a person.
func join[S ~string](names []S) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, ", ")
}
