package importer

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"platewatch/hotlist/entry"
)

// decodeText returns the input as UTF-8 without a byte-order mark. Invalid bytes stay,
// so that the line with them is refused.
func decodeText(r io.Reader, o *Options) (*bufio.Reader, error) {
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
			return nil, fmt.Errorf("%w: %s is %s", entry.ErrRefused, o.Source, k.what)
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
		_, _ = in.Discard(3) // they were just looked at
	}
	return in, nil
}

// Encoding is the character encoding of a file.
type Encoding string

// The encodings. The names are those of the -encoding flag.
const (
	AutoEncoding Encoding = "auto" // UTF-16 if the first bytes look like it, else UTF-8
	UTF8         Encoding = "utf-8"
	UTF16        Encoding = "utf-16" // big endian unless the byte-order mark says otherwise
	Windows1252  Encoding = "windows-1252"
)

// Encodings lists the encodings.
var Encodings = []Encoding{AutoEncoding, UTF8, UTF16, Windows1252}
