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
	head, err := in.Peek(120)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if err := notText(bytes.TrimLeft(head, " \t\r\n\ufeff")); err != nil {
		return nil, fmt.Errorf("%w: %s is %w", entry.ErrRefused, o.Source, err)
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
	head, err = in.Peek(maxLine)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if endsLinesWithCR(head) {
		in = bufio.NewReaderSize(&macLines{in}, maxLine)
	}
	return in, nil
}

// endsLinesWithCR tells whether lines end with a carriage return alone, as in the
// CSV (Macintosh) of Excel: whether the first line end outside quotes is one.
func endsLinesWithCR(head []byte) bool {
	quoted := false
	for i, c := range head {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\n' && !quoted:
			return false
		case c == '\r' && !quoted && i+1 < len(head):
			return head[i+1] != '\n'
		}
	}
	return false
}

// macLines turns carriage returns into line feeds.
type macLines struct{ r io.Reader }

func (m *macLines) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
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
