package importer

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"platewatch/hotlist/entry"
)

// field is a field of an entry that a column can be mapped to.
type field struct {
	name    string   // as in -map
	aliases []string // names of columns that are recognised, as columnKey writes them
	column
}

// column converts a field from and to the text of a file.
type column struct {
	set func(p *valueParser, e *entry.Entry, value string) error
	get func(e *entry.Entry) string // as set reads it; empty: not set
}

// fields lists the fields. The aliases are those of NCIC extracts, UK and German
// police exports, and spreadsheets of towing companies.
var fields = []field{
	{"plate", []string{"plateno", "platenumber", "platenum", "platetext", "licenseplate", "licenceplate", "licenseplatenumber",
		"licenceplatenumber", "license", "licence", "licenseno", "licenceno", "lic", "licno", "lpn", "lp", "lpr", "vrm", "vrn", "regno",
		"reg", "regnumber", "registration", "registrationnumber", "registrationmark", "numberplate", "tag", "tagno", "tagnumber",
		"kennzeichen", "placa", "matricula", "immatriculation", "plaque", "kenteken", "targa"}, column{(*valueParser).plate, (*entry.Entry).Shown}},
	{"state", []string{"st", "platestate", "licensestate", "licstate", "lis", "issuingstate", "stateofissue", "issuer", "jurisdiction",
		"province", "country", "issuingcountry", "nationality", "land", "region", "uf"},
		text(func(e *entry.Entry) *string { return &e.State }, 40, strings.ToUpper)},
	{"plate_type", []string{"type", "lit", "licensetype", "licenseplatetype"},
		text(func(e *entry.Entry) *string { return &e.PlateType }, 40, nil)},
	{"category", []string{"cat", "class", "alert", "alerttype", "hittype", "reason", "offense", "offence", "listtype", "kategorie",
		"categoria"}, column{(*valueParser).category, func(e *entry.Entry) string { return e.Category }}},
	{"priority", []string{"prio", "urgency", "severity", "rank"}, column{(*valueParser).priority, func(e *entry.Entry) string { return strconv.Itoa(e.Priority) }}},
	{"covert", []string{"silent", "discreet"}, column{(*valueParser).covert, func(e *entry.Entry) string { return yes(e.Covert) }}},
	{"effective", []string{"effectivefrom", "effectivedate", "from", "validfrom", "start", "startdate", "startson"},
		column{(*valueParser).effective, func(e *entry.Entry) string { return moment(e.Effective) }}},
	{"expires", []string{"expiry", "expirydate", "expiration", "expirationdate", "expireson", "until", "validuntil", "validto", "to",
		"end", "enddate"}, column{(*valueParser).expires, func(e *entry.Entry) string { return moment(e.Expires) }}},
	{"vehicle_year", []string{"year", "vyr", "modelyear"}, column{(*valueParser).year, func(e *entry.Entry) string { return unlessZero(e.Vehicle.Year) }}},
	{"vehicle_make", []string{"make", "vma", "manufacturer", "brand", "marke", "marca"},
		text(func(e *entry.Entry) *string { return &e.Vehicle.Make }, 100, entry.MakeName)},
	{"vehicle_model", []string{"model", "vmo", "modell", "modelo"},
		text(func(e *entry.Entry) *string { return &e.Vehicle.Model }, 100, nil)},
	{"vehicle_style", []string{"style", "vst", "body", "bodystyle", "bodytype"},
		text(func(e *entry.Entry) *string { return &e.Vehicle.Style }, 100, nil)},
	{"vehicle_colour", []string{"colour", "color", "vehiclecolor", "vco", "farbe", "cor"},
		text(func(e *entry.Entry) *string { return &e.Vehicle.Colour }, 100, nil)},
	{"record", []string{"recordnumber", "recordno", "nic", "nicnumber", "id", "case", "caseno", "casenumber", "reference", "refno"},
		text(func(e *entry.Entry) *string { return &e.Record }, 100, nil)},
	{"agency", []string{"ori", "originatingagency", "originator", "owner", "department", "dienststelle"},
		text(func(e *entry.Entry) *string { return &e.Agency }, 100, nil)},
	{"handling", []string{"handlinginstruction", "handlinginstructions", "instruction", "instructions", "action", "caution"},
		text(func(e *entry.Entry) *string { return &e.Handling }, 2000, nil)},
	{"policy", []string{"match", "matchpolicy", "matching"}, column{(*valueParser).policy, func(e *entry.Entry) string { return string(e.Policy) }}},
	{"note", []string{"notes", "comment", "comments", "remark", "remarks", "description", "misc", "bemerkung"},
		text(func(e *entry.Entry) *string { return &e.Note }, 2000, nil)},
}

// Fields returns the names that a column can be mapped to.
func Fields() []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// Row returns an entry's values in the order of [Fields], as an import reads them
// back.
func Row(e *entry.Entry) []string {
	row := make([]string, len(fields))
	for i, f := range fields {
		row[i] = f.get(e)
	}
	return row
}

// columnKey reduces a column's name to its letters and digits in lower case.
func columnKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

var fieldsByAlias = sync.OnceValue(func() map[string]int {
	m := make(map[string]int)
	for i, f := range fields {
		m[columnKey(f.name)] = i
		for _, a := range f.aliases {
			if _, taken := m[a]; taken {
				panic("hotlist: two fields have the alias " + a)
			}
			m[a] = i
		}
	}
	return m
})

const noField = -1

// mapColumns returns the field of each column: an index into fields, or noField.
// Columns in chosen (by name, or number from 1) take precedence over recognised ones.
func mapColumns(header []string, chosen map[string]string) (to []int, extra []string, err error) {
	to = make([]int, len(header))
	for i := range to {
		to[i] = noField
	}
	byField := make(map[int]int) // column of each field
	decided := make([]bool, len(header))
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		col := findColumn(header, name)
		if col < 0 {
			return nil, nil, fmt.Errorf("there is no column %q; the columns are %s", name, quoteAll(header))
		}
		if decided[col] {
			return nil, nil, fmt.Errorf("column %q is mapped twice", header[col])
		}
		decided[col] = true
		want := chosen[name]
		if want == "" || want == "-" {
			continue
		}
		f := slices.IndexFunc(fields, func(f field) bool { return f.name == want })
		if other, taken := byField[f]; taken {
			return nil, nil, fmt.Errorf("columns %q and %q are both mapped to %s", header[other], header[col], want)
		}
		byField[f], to[col] = col, f
	}
	for col, name := range header {
		if decided[col] {
			continue
		}
		f, ok := fieldsByAlias()[columnKey(name)]
		if !ok {
			extra = append(extra, name)
			continue
		}
		if other, taken := byField[f]; taken {
			if decided[other] {
				extra = append(extra, name)
				continue
			}
			return nil, nil, fmt.Errorf("columns %q and %q both look like %s; say with -map which one it is",
				header[other], name, fields[f].name)
		}
		byField[f], to[col] = col, f
	}
	if _, ok := byField[0]; !ok {
		return nil, nil, fmt.Errorf("none of the columns %s looks like the plate; name it with -map COLUMN=plate", quoteAll(header))
	}
	return to, extra, nil
}

// findColumn finds a column by its name, or by its number if no name fits.
func findColumn(header []string, name string) int {
	if i := slices.Index(header, name); i >= 0 {
		return i
	}
	key := columnKey(name)
	if i := slices.IndexFunc(header, func(h string) bool { return columnKey(h) == key }); key != "" && i >= 0 {
		return i
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= len(header) {
		return n - 1
	}
	return -1
}

// quoteAll names columns in a message, at most twelve.
func quoteAll(names []string) string {
	const most = 12
	var b strings.Builder
	for i, n := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(entry.Quote(n))
	}
	return b.String()
}
