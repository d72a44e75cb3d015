package hotlist

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Format is how an imported file is laid out.
type Format string

// The formats. The names are those of the -format flag.
const (
	Auto      Format = "auto" // one of the others, told from the header
	CSV       Format = "csv"
	TSV       Format = "tsv"
	Semicolon Format = "semicolon"
	NCIC      Format = "ncic" // the fixed-width vehicle extract
)

// Formats lists the formats.
var Formats = []Format{Auto, CSV, TSV, Semicolon, NCIC}

// Encoding is how an imported file writes characters.
type Encoding string

// The encodings. The names are those of the -encoding flag.
const (
	AutoEncoding Encoding = "auto" // UTF-16 if the file begins like it, or else UTF-8
	UTF8         Encoding = "utf-8"
	UTF16        Encoding = "utf-16" // big endian unless the file begins with a mark that says otherwise
	Windows1252  Encoding = "windows-1252"
)

// Encodings lists the encodings.
var Encodings = []Encoding{AutoEncoding, UTF8, UTF16, Windows1252}

// DateOrder says how a date such as 03/04/2026 is meant.
type DateOrder string

// The orders. The names are those of the -dates flag.
const (
	DatesUnknown DateOrder = ""
	DayMonthYear DateOrder = "dmy"
	MonthDayYear DateOrder = "mdy"
)

// format reads one kind of file.
type format interface {
	// next reads the next line with content into e and returns the line's
	// number. io.EOF ends the input; after a *LineError reading may go on.
	next(e *Entry) (line int, err error)
	// columns tells which field each column of the file goes to, and which
	// columns are left out.
	columns() (used map[string]string, extra []string)
}

// openFormat returns the reader for an input.
func openFormat(r io.Reader, o *ImportOptions) (format, error) {
	text, err := decodeText(r, o)
	if err != nil {
		return nil, err
	}
	lines := newLineReader(text)
	if o.Format == NCIC {
		return openNCIC(lines, o), nil
	}
	if o.Format == "" || o.Format == Auto {
		// A line that is too long, or none, is told of by whoever reads it.
		if first, err := text.Peek(ncicLeast + 1); err == nil && looksLikeNCIC(firstLine(text, first)) {
			return openNCIC(lines, o), nil
		}
	}
	return openDelimited(lines, o)
}

// firstLine returns the line that an input begins with, as far as it is needed
// to tell its format.
func firstLine(in *bufio.Reader, head []byte) []byte {
	if more, err := in.Peek(200); err == nil || err == io.EOF {
		head = more
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return line
}

// decodeText returns the input as UTF-8 without a byte order mark. Bytes that
// are not text are left as they are, for the line to be refused that has them.
func decodeText(r io.Reader, o *ImportOptions) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, maxLine)
	head, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	for _, k := range []struct{ magic, what string }{
		{"PK\x03\x04", "a zip archive or an Excel workbook; save it as CSV or unpack it"},
		{"\x1f\x8b", "compressed with gzip; unpack it"},
		{"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV"},
		{"SQLi", "an SQLite database; export the table as CSV"},
	} {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return nil, fmt.Errorf("%w: %s is %s", ErrRefused, o.Source, k.what)
		}
	}
	var enc encoding.Encoding
	switch o.Encoding {
	case "", AutoEncoding:
		switch {
		case bytes.HasPrefix(head, []byte{0xff, 0xfe}), len(head) >= 2 && head[0] != 0 && head[1] == 0:
			enc = utf.UTF16(utf.LittleEndian, utf.UseBOM)
		case bytes.HasPrefix(head, []byte{0xfe, 0xff}), len(head) >= 2 && head[0] == 0 && head[1] != 0:
			enc = utf.UTF16(utf.BigEndian, utf.UseBOM)
		}
	case UTF16:
		enc = utf.UTF16(utf.BigEndian, utf.UseBOM)
	case Windows1252:
		enc = charmap.Windows1252
	}
	if enc != nil {
		in = bufio.NewReaderSize(transform.NewReader(in, enc.NewDecoder()), maxLine)
	}
	if mark, err := in.Peek(3); err == nil && string(mark) == "\ufeff" {
		in.Discard(3)
	}
	return in, nil
}

func printable(s string) bool {
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

// join lists names for a person.
func join[S ~string](names []S) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, ", ")
}
