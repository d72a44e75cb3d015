// Package importer reads the entries of a file: CSV, TSV and semicolon-separated
// text with a header, or the fixed-width NCIC extract, in several encodings.
//
// A new format is one file that implements format, and one row in formats.
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

// Options say how a file is read.
type Options struct {
	// Source names the input in messages. Default: "input".
	Source string
	// Format of the input. Default: [Auto].
	Format Format
	// Encoding of the input. Default: [AutoEncoding].
	Encoding Encoding
	// Columns maps columns of the file, by name or number from 1, to fields (see
	// [Fields]). An empty field ignores the column. Other columns are recognised by
	// their names.
	Columns map[string]string
	// Dates is the order of day and month in dates such as 03/04/2026, which are
	// refused without it. Unambiguous dates do not need it.
	Dates DateOrder
	// Location is the time zone of dates that name none. Default: [time.Local].
	Location *time.Location
	// Category of lines that name none. Default: [entry.Other].
	Category string
}

// Fill sets defaults and checks the options. Errors wrap [entry.ErrOptions].
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
		return entry.OptionErrorf("there is no format %q; the formats are %s", o.Format, join(Formats()))
	}
	if o.Encoding != "" && !slices.Contains(Encodings, o.Encoding) {
		return entry.OptionErrorf("there is no encoding %q; the encodings are %s", o.Encoding, join(Encodings))
	}
	if o.Dates != DatesUnknown && o.Dates != DayMonthYear && o.Dates != MonthDayYear {
		return entry.OptionErrorf("there is no order of dates %q; the orders are %s and %s", o.Dates, DayMonthYear, MonthDayYear)
	}
	for column, f := range o.Columns {
		if f != "" && f != "-" && !slices.Contains(Fields(), f) {
			return entry.OptionErrorf("column %q is mapped to the unknown field %q; the fields are %s", column, f, join(Fields()))
		}
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	return nil
}

// DateOrder is the order of day and month in dates such as 03/04/2026.
type DateOrder string

// The orders. The names are those of the -dates flag.
const (
	DatesUnknown DateOrder = ""
	DayMonthYear DateOrder = "dmy"
	MonthDayYear DateOrder = "mdy"
)

// Format is the layout of a file.
type Format string

// The formats. The names are those of the -format flag.
const (
	Auto      Format = "auto" // recognised by the first line
	CSV       Format = "csv"
	TSV       Format = "tsv"
	Semicolon Format = "semicolon"
	NCIC      Format = "ncic" // the fixed-width vehicle extract
)

// formats are all formats except [Auto].
var formats = []struct {
	name Format
	open func(*lineReader, *Options) (format, error)
	// recognise reports whether a file with this first line has the format, for
	// [Auto]; nil: never.
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
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// format reads one kind of file.
type format interface {
	// next reads the next line that is not empty into e and returns its number.
	// io.EOF ends the input; after a *LineError reading may continue.
	next(e *entry.Entry) (line int, err error)
	// columns returns the field of each column, and the columns that are ignored.
	columns() (used map[string]string, extra []string)
	// doubts returns what is odd about the file, once it was read to its end.
	doubts() []Doubt
}

// Reader reads the entries of a file.
type Reader struct{ format format }

// Open returns a reader of r, with options that [Options.Fill] has checked. An input
// that is not a list is an [entry.ErrRefused].
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

// Next reads the next line that is not empty into e and returns its number. [io.EOF]
// ends the input; after a [*LineError] reading may continue.
func (r *Reader) Next(e *entry.Entry) (line int, err error) { return r.format.next(e) }

// Columns returns the field of each column, and the columns that are ignored because
// no field fits.
func (r *Reader) Columns() (used map[string]string, extra []string) { return r.format.columns() }

// Doubts returns what is odd about the file, once [Reader.Next] has returned [io.EOF].
func (r *Reader) Doubts() []Doubt { return r.format.doubts() }

// openFormat opens the format of the options, or the one that the first line shows.
func openFormat(text *bufio.Reader, o *Options) (format, error) {
	open := openDelimited
	auto := o.Format == "" || o.Format == Auto
	first := firstLine(text)
	for _, f := range formats {
		if o.Format == f.name || auto && f.recognise != nil && f.recognise(first) {
			open = f.open
			break
		}
	}
	return open(newLineReader(text), o)
}

// firstLine returns the beginning of the first line, enough to recognise a format.
// The reader of the line reports errors.
func firstLine(in *bufio.Reader) []byte {
	head, _ := in.Peek(200)
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return line
}

// join lists names in a message.
func join[S ~string](names []S) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, ", ")
}
