package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"platewatch/hotlist/entry"
)

// fixedColumn is a field of the fixed-width vehicle extract that state police
// distribute: bytes from (inclusive) to to (exclusive).
type fixedColumn struct {
	name     string
	from, to int // to 0: end of the line
}

var ncicColumns = []fixedColumn{
	{"record", 0, 10}, {"agency", 10, 19}, {"date", 19, 27}, {"plate", 27, 37}, {"state", 37, 39}, {"plate_year", 39, 43},
	{"plate_type", 43, 45}, {"vehicle_year", 45, 49}, {"vehicle_make", 49, 53}, {"vehicle_model", 53, 56}, {"vehicle_style", 56, 58},
	{"vehicle_colour", 58, 0},
}

// ncicFiles are the NCIC files, by the first letter of a record number.
var ncicFiles = map[byte]string{
	'V': entry.StolenVehicle, 'P': entry.StolenPlate, 'F': entry.Felony, 'W': entry.Wanted, 'A': entry.AmberAlert, 'M': entry.MissingPerson, 'C': entry.SupervisedRelease,
	'H': entry.ProtectionOrder, 'L': entry.Violent, 'R': "canadian", 'X': entry.SexOffender, 'N': entry.Immigration, 'T': "terrorist", 'G': "gang",
	'U': "unidentified_person", 'E': "foreign_fugitive", 'K': "protective_interest", 'S': entry.SilverAlert,
}

// ncic reads the fixed-width extract. It has no header; columns are counted in
// bytes, and the text is ASCII.
type ncic struct {
	lines  *lineReader
	source string
	values *valueParser
	frame  frame
}

const (
	ncicPlate = 27 // column of the plate, from 0
	ncicState = 37
)

func openNCIC(lines *lineReader, o *Options) (format, error) {
	return &ncic{lines: lines, source: o.Source, values: newValueParser(o)}, nil
}

// looksLikeNCIC reports whether a first line is one of the extract: record number,
// date and state are at their places.
func looksLikeNCIC(line []byte) bool {
	line = bytes.ToUpper(bytes.TrimRight(line, "\r\n"))
	if len(line) <= ncicPlate || bytes.ContainsAny(line, ",;\t|\"") || ncicFiles[line[0]] == "" {
		return false
	}
	for _, c := range line[1:10] {
		if !entry.IsPlateByte(c) && c != ' ' {
			return false
		}
	}
	for _, c := range line[19:27] {
		if (c < '0' || c > '9') && c != ' ' {
			return false
		}
	}
	state := bytes.TrimSpace(line[min(ncicState, len(line)):min(ncicState+2, len(line))])
	if len(state) == 0 { // left out: then there must be a date
		return len(bytes.TrimSpace(line[19:27])) > 0
	}
	return len(state) == 2 && !bytes.ContainsFunc(state, func(r rune) bool { return r < 'A' || r > 'Z' })
}

// columns implements [format].
func (n *ncic) columns() (map[string]string, []string) {
	used := map[string]string{}
	var extra []string
	for _, c := range ncicColumns {
		switch c.name {
		case "plate_year":
			extra = append(extra, c.name)
		case "date":
			used[c.name] = "effective"
		default:
			used[c.name] = c.name
		}
	}
	used["record (first letter)"] = "category"
	return used, extra
}

// next implements [format].
func (n *ncic) next(e *entry.Entry) (line int, err error) {
	for {
		n.lines.mark()
		b, err := n.lines.readLine()
		switch {
		case errors.Is(err, errLongLine):
			n.frame.entry()
			return n.lines.line, &LineError{File: n.source, Line: n.lines.line, Reason: "longer than 64 KiB"}
		case errors.Is(err, io.EOF):
			return n.lines.line, io.EOF
		case err != nil:
			return n.lines.line, err
		}
		text := strings.TrimRight(string(b), "\r\n \x1a")
		if text == "" {
			continue
		}
		if total, is := totalLine(text); is {
			n.frame.end(n.lines.line, total)
			continue
		}
		n.frame.entry()
		whole := bytes.HasSuffix(b, []byte("\n"))
		return n.lines.line, n.fill(e, text, whole)
	}
}

// doubts implements [format].
func (n *ncic) doubts() []Doubt { return n.frame.all() }

// fill sets e to the values of a line. Blanks at the end of a line may be left out,
// so that it can end anywhere after the plate has begun; a last line without a line
// end (whole is false) must reach beyond the plate, because the file may be cut off
// in the middle of it.
func (n *ncic) fill(e *entry.Entry, line string, whole bool) error {
	bad := func(column int, name, reason string) error {
		return &LineError{File: n.source, Line: n.lines.line, Column: column, Name: name, Reason: reason}
	}
	if err := checkText(line); err != nil {
		return bad(0, "", err.Error())
	}
	if len(line) <= ncicPlate {
		return bad(0, "", fmt.Sprintf("%d characters; the plate begins at the %dth", len(line), ncicPlate+1))
	}
	if len(line) < ncicState && !whole {
		return bad(0, "", "the file ends within this line's plate: it may be cut off")
	}
	n.values.begin(e)
	for i, c := range ncicColumns {
		if c.from >= len(line) {
			break
		}
		to := len(line)
		if c.to > 0 {
			to = min(c.to, to)
		}
		value := strings.TrimSpace(line[c.from:to])
		if value == "" {
			continue
		}
		if err := n.set(e, c.name, value); err != nil {
			return bad(i+1, c.name, err.Error())
		}
	}
	e.Category = ncicFiles[strings.ToUpper(line[:1])[0]]
	if e.Category == "" {
		return bad(1, "record", fmt.Sprintf("%s is not a file of NCIC", entry.Quote(line[:1])))
	}
	if err := n.values.complete(e); err != nil {
		return bad(0, "", err.Error())
	}
	return nil
}

func (n *ncic) set(e *entry.Entry, name, value string) error {
	switch name {
	case "plate_year":
		return nil
	case "date": // of the theft or the warrant
		t, err := time.ParseInLocation("20060102", value, n.values.location)
		if strings.Trim(value, "0") == "" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s is not a date (YYYYMMDD)", entry.Quote(value))
		}
		e.Effective, _, err = bounded(t, true, value)
		return err
	case "vehicle_year":
		if strings.Trim(value, "0") == "" {
			return nil
		}
	}
	for i := range fields {
		if fields[i].name == name {
			return fields[i].set(n.values, e, value)
		}
	}
	panic("hotlist: there is no field " + name)
}
