package hotlist

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// change is one line of a part: an entry that is added or replaced, or one that
// is taken away.
type change struct {
	Remove bool `json:"remove,omitempty"`
	Entry
}

// validEntry refuses an entry that no import makes. Entries of signed lists are
// checked like all others: a signature says who wrote it, not that it is right.
func validEntry(e *Entry) error {
	plate := e.Plate
	if e.Policy == PolicyWildcard {
		p, err := normalizePattern(plate)
		if err != nil {
			return err
		}
		if p != plate || !hasWildcards(plate) {
			return fmt.Errorf("%s is not written as a pattern is", quote(plate))
		}
	} else if plate == "" || len(plate) > MaxPlate || !isNormal(plate) {
		return fmt.Errorf("%s is not a normalised plate", quote(plate))
	}
	if policyCodes[policyCode(e.Policy)] != e.Policy {
		return fmt.Errorf("%s is not a match policy", quote(string(e.Policy)))
	}
	if e.Category == "" || category(e.Category) != e.Category {
		return fmt.Errorf("%s is not a category", quote(e.Category))
	}
	if e.Priority < mostUrgent || e.Priority > leastUrgent {
		return fmt.Errorf("%d is not a priority", e.Priority)
	}
	if e.Vehicle.Year < 0 || e.Vehicle.Year > 9999 {
		return fmt.Errorf("%d is not a year", e.Vehicle.Year)
	}
	for _, s := range e.strings() {
		if len(*s) > maxText || !utf8.ValidString(*s) || strings.IndexFunc(*s, unicode.IsControl) >= 0 {
			return fmt.Errorf("%s is no text for a field", quote(*s))
		}
	}
	e.Effective, e.Expires = e.Effective.UTC(), e.Expires.UTC()
	if e.Effective.Nanosecond() != 0 || e.Expires.Nanosecond() != 0 {
		return errors.New("a time has fractions of a second")
	}
	if !e.Effective.IsZero() && !e.Expires.IsZero() && !e.Effective.Before(e.Expires) {
		return errors.New("it expires before it becomes effective")
	}
	return nil
}

// maxText bounds each text of an entry, in bytes.
const maxText = 2000

// readChanges calls f with every change in a part, which was verified already.
func readChanges(part []byte, f func(*change) error) error {
	z, err := gzip.NewReader(bytes.NewReader(part))
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		var c change
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return err
		}
		if !c.Remove {
			if err := validEntry(&c.Entry); err != nil {
				return err
			}
		}
		if err := f(&c); err != nil {
			return err
		}
	}
	return lines.Err()
}

// partWriter cuts changes into parts.
type partWriter struct {
	buf   bytes.Buffer
	zip   *gzip.Writer
	lines int
	emit  func(part []byte) error
}

// linesPerPart keeps parts, at about 25 bytes a line once compressed, well
// below what brokers take.
const linesPerPart = 10_000

func newPartWriter(emit func([]byte) error) *partWriter {
	w := &partWriter{emit: emit}
	w.zip = gzip.NewWriter(&w.buf)
	return w
}

func (w *partWriter) add(c change) error {
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

// readPart reads a part and compares it with what the manifest says of it.
func readPart(r io.Reader, p Part) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(p.Bytes)+1))
	if err != nil {
		return nil, err
	}
	if len(b) != p.Bytes || sumOf(b) != p.SHA256 {
		return nil, fmt.Errorf("%w: part %d is not the one that was signed", ErrForged, p.N)
	}
	return b, nil
}
