package signed

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"

	"platewatch/hotlist/entry"
)

// Change is one line of a part: an entry that is added or replaced, or, with Remove,
// the identity (plate, state, plate type, category, record) of one that is removed.
type Change struct {
	Remove bool `json:"remove,omitempty"`
	entry.Entry
}

// ReadChanges calls f with every change in a verified part.
func ReadChanges(part []byte, f func(*Change) error) error {
	z, err := gzip.NewReader(bytes.NewReader(part))
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(make([]byte, 0, 4096), maxChange)
	for lines.Scan() {
		var c Change
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return err
		}
		if !c.Remove {
			if err := c.Entry.Validate(); err != nil {
				return err
			}
		}
		if err := f(&c); err != nil {
			return err
		}
	}
	return lines.Err()
}

// maxChange bounds a line of a part, in bytes.
const maxChange = 64 << 10

// partWriter splits changes into parts.
type partWriter struct {
	buf   bytes.Buffer
	zip   *gzip.Writer
	lines int
	emit  func(part []byte) error
}

// linesPerPart keeps parts, at about 25 compressed bytes a line, well below the
// largest messages of brokers.
const linesPerPart = 10_000

func newPartWriter(emit func([]byte) error) *partWriter {
	w := &partWriter{emit: emit}
	w.zip = gzip.NewWriter(&w.buf)
	return w
}

func (w *partWriter) add(c Change) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := w.zip.Write(append(b, '\n')); err != nil {
		return err
	}
	if w.lines++; w.lines == linesPerPart || w.buf.Len() > MaxPart/2 {
		return w.flush()
	}
	return nil
}

func (w *partWriter) flush() error {
	if w.lines == 0 {
		return nil
	}
	if err := w.zip.Close(); err != nil {
		return err
	}
	if w.buf.Len() > MaxPart {
		return fmt.Errorf("a part of %d bytes is larger than %d", w.buf.Len(), MaxPart)
	}
	err := w.emit(bytes.Clone(w.buf.Bytes()))
	w.buf.Reset()
	w.zip.Reset(&w.buf)
	w.lines = 0
	return err
}

// ReadPart reads a part and verifies its size and hash. A mismatch is an
// [entry.ErrForged].
func ReadPart(r io.Reader, p Part) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(p.Bytes)+1))
	if err != nil {
		return nil, err
	}
	if len(b) != p.Bytes || sumOf(b) != p.SHA256 {
		return nil, fmt.Errorf("%w: part %d does not have the signed hash", entry.ErrForged, p.N)
	}
	return b, nil
}

func sumOf(b []byte) entry.Digest { return sha256.Sum256(b) }
