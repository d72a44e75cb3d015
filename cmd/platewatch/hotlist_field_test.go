package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"platewatch/deploy/tools/goldentest"
)

// elapsed is what differs between two imports of one file.
var elapsed = regexp.MustCompile(`, [\d.]+ MB, in \d+\w+`)

// TestFieldLists: imports of lists as offices send them: what is said of each, and
// whether it is installed. testdata/lists.golden has every message; -update writes
// it.
func TestFieldLists(t *testing.T) {
	const head = "plate,state,expires\n"
	ncic := func(record, date, plate, rest string) string {
		return fmt.Sprintf("%-10sCA0194200%-8s%-10s%s", record, date, plate, rest)
	}
	var got bytes.Buffer
	for _, c := range []struct {
		name, text string
		args       []string
		before     string // the list before
	}{
		{name: "a number with an exponent", text: head + "2.5E+07,CA,\n"},
		{name: "a number with an exponent, long form", text: head + "1.00E+10,CA,\n"},
		{name: "a number with an exponent, decimal comma", text: "plate;state\n1,23E+05;D\n"},
		{name: "a number that lost digits", text: head + "1.23457E+15,CA,\n"},
		{name: "a plate with an E", text: head + "25E6,CA,\n5E-10,CA,\n"},
		{name: "day and month", text: head + "01-Mar,CA,\n"},
		{name: "day and month in German", text: "plate;state\n01. Mrz;D\n"},
		{name: "day, month and year", text: head + "5-Sep-21,CA,\n"},
		{name: "month and year", text: head + "Jan-21,CA,\n"},
		{name: "month and year in French", text: "plate;state\navr-21;F\n"},
		{name: "a whole date", text: head + "2021-01-21,CA,\n"},
		{name: "a whole date, first of the month", text: head + "2021-03-01,CA,\n"},
		{name: "a date with strokes", text: head + "1/21/2021,CA,\n"},
		{name: "a time", text: head + "12:30,CA,\n"},
		{name: "an error of the spreadsheet", text: head + "#NAME?,CA,\n"},
		{name: "a column that was too narrow", text: head + "########,CA,\n"},
		{name: "months in capitals, as on plates", text: head + "JAN-21,CA,\n01MAR,CA,\nMAY 5,CA,\n"},
		{name: "tolerant, one of 101", text: head + "01-Mar,CA,\n" + lines(100, "AB%03d,CA,\n"), args: []string{"-tolerant"}},
		{name: "text formulas", text: head + "=\"0123\",CA,\n\"=\"\"0456\"\"\",=\"NV\",=\"2031-12-31\"\n"},
		{name: "a header in the middle", text: head + "AB123,CA,\nPlate,State,Expires\nCD456,CA,\n"},
		{name: "a header in the middle, confirmed", text: head + "AB123,CA,\nPlate,State,Expires\nCD456,CA,\n", args: []string{"-yes"}},
		{name: "PLATE as an entry", text: "a,b\nplate,state\nAB123,CA\n", args: []string{"-map", "a=plate,b=state"}},
		{name: "TEST as an entry", text: head + "AB123,CA,\nTEST,CA,\n"},
		{name: "TEST as an entry, left out", text: head + "AB123,CA,\nTEST,CA,\n", args: []string{"-skip", "TEST"}},
		{name: "the same plate on every line", text: "plate,record\nAB123,1\nAB123,2\nAB123,3\n"},
		{name: "a list that shrank", text: head + lines(10, "AB%03d,CA,\n"), before: head + lines(100, "AB%03d,CA,\n")},
		{name: "a list that shrank, confirmed", text: head + lines(10, "AB%03d,CA,\n"), before: head + lines(100, "AB%03d,CA,\n"), args: []string{"-yes"}},
		{name: "a list that shrank a little", text: head + lines(80, "AB%03d,CA,\n"), before: head + lines(100, "AB%03d,CA,\n")},
		{name: "never expires", text: head + "A1,CA,\nA2,CA,9999-12-31\nA3,CA,31.12.9999\nA4,CA,NONEXP\nA5,CA,never\nA6,CA,12/31/9999\nA7,CA,9999-12-31T23:59:59Z\n"},
		{name: "lines that end with CR", text: strings.ReplaceAll(head+"AB123,CA,\nCD456,CA,31.12.2031\n", "\n", "\r")},
		{name: "lines that end with CR, and a line break in a cell", text: "plate,note\rAB123,\"two\nlines\"\rCD456,one\r"},
		{name: "a workbook", text: "PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00\x21\x00....................[Content_Types].xml"},
		{name: "an old workbook", text: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"},
		{name: "a workbook of LibreOffice", text: "PK\x03\x04\x14\x00....................mimetypeapplication/vnd.oasis.opendocument.spreadsheet"},
		{name: "a web page with the name of a workbook", text: "<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><table>"},
		{name: "a page that asks for a login", text: "<!DOCTYPE html><title>Sign in</title>"},
		{name: "a PDF", text: "%PDF-1.7"},
		{name: "total line at the end", text: head + "AB123,CA,\nCD456,CA,\nTotal,2,\n"},
		{name: "total line that does not fit", text: head + "AB123,CA,\nCD456,CA,\nTotal records: 1.200,,\n"},
		{name: "total line in the middle", text: head + "AB123,CA,\nTotal,1,\nCD456,CA,\n"},
		{name: "NCIC, upper and lower case, short lines, total", text: strings.Join([]string{
			ncic("v123456789", "20260301", "7abc123", "ca2026pc2014fordfoc4dblu"),
			ncic("V123456780", "20260302", "XYZ789", "NV"),
			strings.TrimRight(ncic("P000000003", "20260302", "AB 12", ""), " "),
			"TOTAL RECORDS: 000003", ""}, "\r\n")},
		{name: "NCIC, total that does not fit", text: ncic("V123456780", "20260302", "XYZ789", "NV") + "\n*** 12 RECORDS ***\n"},
		{name: "NCIC, cut off", text: ncic("V123456780", "20260302", "XYZ789", "NV") + "\nV123456781CA019420020260302AB1"},
		{name: "NCIC, a line without a plate", text: ncic("V123456780", "20260302", "XYZ789", "NV") + "\nV123456781CA0194200\n"},
	} {
		s := newHotlistSession(t)
		if c.before != "" {
			s.want(0, "list l", "", c.before, "import", "-db", "$DIR/db", "-list", "l", "-reason", "r", "-")
		}
		s.file("list.csv", c.text)
		out, errs, code := s.run("", append(append([]string{"import", "-db", "$DIR/db", "-list", "l", "-reason", "r"}, c.args...), "$DIR/list.csv")...)
		entries, _, _ := s.run("", "list", "-db", "$DIR/db", "-list", "l")
		fmt.Fprintf(&got, "== %s\n", strings.Join(append([]string{c.name}, c.args...), " "))
		fmt.Fprintf(&got, "%s%sexit code %d\n", elapsed.ReplaceAllString(out, ""), errs, code)
		if code == 0 {
			for i, row := range strings.Split(entries, "\n") {
				if cells := strings.Split(row, "\t"); len(cells) == 8 && i > 0 && i < 8 {
					fmt.Fprintf(&got, "   %s\n", strings.TrimSpace(strings.Join([]string{cells[0], cells[1], cells[6]}, " ")))
				}
			}
		}
		got.WriteString("\n")
	}
	goldentest.Compare(t, filepath.Join("testdata", "lists.golden"), versionTime.ReplaceAllString(got.String(), "version TIME"))
	t.Attr("outcome", fmt.Sprintf("%d lists", strings.Count(got.String(), "== ")))
}

var versionTime = regexp.MustCompile(`version \d{8}T\d{6}Z`)

func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
