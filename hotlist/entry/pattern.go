package entry

import (
	"errors"
	"strconv"
	"strings"
)

// minLiterals is the least number of literal characters of a pattern: A* would
// match far too many vehicles.
const minLiterals = 3

// NormalizePattern reduces a pattern to capital letters, digits, ? and *. It
// accepts %, which databases use, for *.
func NormalizePattern(s string) (string, error) {
	var b strings.Builder
	literals := 0
	for part := range strings.FieldsFuncSeq(insertBreaks(s), func(r rune) bool { return r == '\n' }) {
		switch part {
		case "?":
			b.WriteByte('?')
		case "*", "%":
			if !strings.HasSuffix(b.String(), "*") {
				b.WriteByte('*')
			}
		default:
			text := Normalize(part)
			literals += len(text)
			b.WriteString(text)
		}
	}
	switch {
	case b.Len() > MaxPlate:
		return "", errors.New("the pattern is longer than a plate")
	case literals < minLiterals:
		return "", errors.New("the pattern has fewer than three literal characters and would match too many plates")
	}
	return b.String(), nil
}

var breaker = strings.NewReplacer("?", "\n?\n", "*", "\n*\n", "%", "\n%\n")

// insertBreaks puts each wildcard on a line of its own.
func insertBreaks(s string) string { return breaker.Replace(strings.ReplaceAll(s, "\n", " ")) }

// IsPattern reports whether a plate has wildcards.
func IsPattern(s string) bool { return strings.ContainsAny(s, "?*%") }

// Quote quotes a value from a file for a message: shortened, and with
// unprintable characters escaped.
func Quote(s string) string {
	const most = 40
	short := []rune(s[:min(len(s), 4*most)])
	if len(short) > most {
		return strconv.Quote(string(short[:most])) + "..."
	}
	return strconv.Quote(s)
}
