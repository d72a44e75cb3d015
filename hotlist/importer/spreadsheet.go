package importer

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"platewatch/hotlist/entry"
)

// A spreadsheet takes plates such as 25E6, MAR01 and 0123 for numbers and dates, and
// what was typed is lost. Such a value is refused, because the plate that it was can
// only be guessed. What real plates look like is not refused: a month must be in
// small letters, as spreadsheets write it, and a number must have a decimal point or
// the sign of its exponent.
var (
	scientific = regexp.MustCompile(`^(\d)(?:[.,](\d+))?[Ee](\+?)(\d{1,3})$`)
	dayMonth   = regexp.MustCompile(`^(\d{1,2})\.?[- /](\p{L}\p{Ll}{2,8})\.?(?:[- /](\d{2}|\d{4}))?$`)
	monthYear  = regexp.MustCompile(`^(\p{L}\p{Ll}{2,8})\.?[- /](\d{1,2}|\d{4})$`)
	numberDate = regexp.MustCompile(`^(?:\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}\.\d{1,2}\.\d{4})(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?$`)
	clock      = regexp.MustCompile(`^\d{1,2}:\d{2}(?::\d{2})?$`)
	cellError  = regexp.MustCompile(`^#(?:[A-Z][A-Z0-9/]*[!?]?|#+)$`)
)

// asText says how to get a list out of a spreadsheet as it was typed.
const asText = "take the list from its source again with that column formatted as text (in Excel: Data, From Text/CSV, type Text), and save it as CSV UTF-8"

// spoiled is a value that a spreadsheet made of another one.
type spoiled string

func (s spoiled) Error() string { return string(s) }

// Hint implements the advice of errors.
func (s spoiled) Hint() string { return asText }

// spreadsheetValue refuses what a spreadsheet made of a plate.
func spreadsheetValue(value string) error {
	made := func(what, probably string) error {
		return spoiled(fmt.Sprintf("%s is %s%s", entry.Quote(value), what, probably))
	}
	if m := scientific.FindStringSubmatch(value); m != nil && (m[2] != "" || strings.Contains(value, ",") || m[3] != "") {
		return made("a number that a spreadsheet made of a plate", probablyNumber(m[1], m[2], m[4]))
	}
	if m := dayMonth.FindStringSubmatch(value); m != nil {
		if month := monthOf(m[2]); month != "" {
			return made("a date that a spreadsheet made of a plate", fmt.Sprintf(", probably %s%s or %s%s", month, strings.TrimLeft(m[1], "0"), m[1], month))
		}
	}
	if m := monthYear.FindStringSubmatch(value); m != nil {
		if month := monthOf(m[1]); month != "" {
			return made("a date that a spreadsheet made of a plate", fmt.Sprintf(", probably %s%s or %s%s", month, m[2], m[2], month))
		}
	}
	switch {
	case numberDate.MatchString(value):
		return made("a date that a spreadsheet made of a plate", probablyDate(value))
	case clock.MatchString(value):
		return made("a time that a spreadsheet made of a plate", "")
	case cellError.MatchString(value):
		return made("an error of a spreadsheet, not a plate", "")
	}
	return nil
}

// probablyNumber names the plates that a spreadsheet shows as a number of this
// mantissa and exponent: digits, E, digits, or digits only.
func probablyNumber(whole, fraction, exponent string) string {
	digits := strings.TrimRight(whole+fraction, "0")
	var e int
	if _, err := fmt.Sscan(exponent, &e); err != nil || e < len(digits)-1 || digits == "" {
		return ""
	}
	text := fmt.Sprintf(", probably %sE%d", digits, e-len(digits)+1)
	if e < entry.MaxPlate {
		text += " or " + digits + strings.Repeat("0", e-len(digits)+1)
	}
	return text
}

// months are the names that spreadsheets give the months, as far as they begin
// plates: English, German, French, Spanish and Portuguese, without dots.
var months = [12][]string{
	{"jan", "janv", "ene", "january", "januar", "janvier"}, {"feb", "fev", "févr", "february", "februar"}, {"mar", "mrz", "mär", "mars", "march", "märz"},
	{"apr", "abr", "avr", "april", "avril"}, {"may", "mai", "mayo"}, {"jun", "juin", "june", "juni"},
	{"jul", "juil", "july", "juli"}, {"aug", "ago", "août", "august"}, {"sep", "sept", "set", "september"},
	{"oct", "okt", "out", "october", "oktober"}, {"nov", "november"}, {"dec", "dez", "déc", "dic", "december", "dezember"},
}

// monthOf is the English short name of a month in capitals, as it is typed on a
// plate, or, of another language, its own; empty if the word is not a month.
func monthOf(word string) string {
	for _, names := range months {
		for _, name := range names {
			if strings.EqualFold(name, word) {
				return entry.Normalize(string([]rune(word)[:3]))
			}
		}
	}
	return ""
}

// probablyDate names the plates that a spreadsheet takes for a date of digits: month
// and year, or day and month.
func probablyDate(value string) string {
	var year, month, day int
	if _, err := fmt.Sscanf(value, "%d-%d-%d", &year, &month, &day); err != nil || month < 1 || month > 12 {
		return ""
	}
	name := entry.Normalize(months[month-1][0])
	if day == 1 {
		return fmt.Sprintf(", probably %s%02d or %s%d", name, year%100, name, day)
	}
	return fmt.Sprintf(", probably %s%d, %d%s or %02d%s%02d", name, day, day, name, day, name, year%100)
}

// textFormula returns the text of ="0123", by which programs keep a spreadsheet from
// taking a value for a number.
func textFormula(value string) string {
	if inner, ok := strings.CutPrefix(value, `="`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok {
			return inner
		}
	}
	return value
}

// dropFormulas removes the = of fields ="0123" that are not quoted as a whole, which
// CSV does not allow. The line is changed in place and returned.
func dropFormulas(line []byte, comma byte) []byte {
	if !bytes.Contains(line, []byte(`="`)) {
		return line
	}
	out := line[:0]
	quoted, start := false, true
	for i, c := range line {
		if c == '=' && start && !quoted && i+1 < len(line) && line[i+1] == '"' {
			continue
		}
		if c == '"' {
			quoted = !quoted
		}
		start = c == comma || start && c == ' '
		out = append(out, c)
	}
	return out
}

// notText tells by the first bytes of an input that it is not text, and what to do.
func notText(head []byte) error {
	const save = "open it, format the column of the plates as text, and save it under the type CSV UTF-8"
	for _, k := range []struct{ magic, within, what string }{
		{"PK\x03\x04", "opendocument.spreadsheet", "a LibreOffice workbook (.ods); " + save},
		{"PK\x03\x04", "[Content_Types].xml", "an Excel workbook (.xlsx); " + save},
		{"PK\x03\x04", "_rels/", "an Excel workbook (.xlsx); " + save},
		{"PK\x03\x04", "", "a zip archive, or a workbook; unpack the one; the other: " + save},
		{"\xd0\xcf\x11\xe0", "", "an old Excel workbook (.xls); " + save},
		{"<?xml", "", "an XML file, perhaps a workbook; " + save},
		{"<html", "", "a web page, perhaps with the name of a workbook; " + save},
		{"<table", "", "a web page, perhaps with the name of a workbook; " + save},
		{"<!DOC", "", "a web page, perhaps one that asks for a login; download the list again as CSV"},
		{"%PDF", "", "a PDF; ask for the list as CSV"},
		{"\x1f\x8b", "", "compressed with gzip; unpack it"},
		{"SQLi", "", "an SQLite database; export the table as CSV"},
	} {
		if len(head) >= len(k.magic) && bytes.EqualFold(head[:len(k.magic)], []byte(k.magic)) && bytes.Contains(head, []byte(k.within)) {
			return errors.New(k.what)
		}
	}
	return nil
}
