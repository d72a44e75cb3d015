package entry

import (
	"strings"
	"unicode"
)

// maxWritten bounds [Entry.Written], in bytes.
const maxWritten = 64

// Written returns a plate as a list writes it, with single spaces; "" where it is
// the normalised plate, or too long for one.
func Written(value, plate string) string {
	w := strings.Join(strings.Fields(value), " ")
	if strings.EqualFold(w, plate) || len(w) > maxWritten {
		return ""
	}
	return strings.ToUpper(w)
}

// Grouping reduces a written plate to its letters, digits and wildcards, with a space
// where two letters, or two digits, belong to different groups: AB-12 and AB12 are
// the same plate, BM W 555 and B MW 555 are not.
func Grouping(written string) string {
	var b strings.Builder
	var last rune
	apart := false
	for _, r := range strings.ToUpper(written) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !IsPattern(string(r)) {
			apart = true
			continue
		}
		if apart && (unicode.IsLetter(last) && unicode.IsLetter(r) || unicode.IsDigit(last) && unicode.IsDigit(r)) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		last, apart = r, false
	}
	return b.String()
}

// Shown is the plate for people: as the list writes it.
func (e *Entry) Shown() string {
	if e.Written != "" {
		return e.Written
	}
	return e.Plate
}

// HasDiacritics reports whether the list writes a letter that readers and queries
// do not tell from a bare one: Ä is not A.
func (e *Entry) HasDiacritics() bool {
	return strings.ContainsFunc(e.Written, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) })
}
