package importer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"platewatch/hotlist/entry"
)

// valueParser parses the values of a file into the fields of entries. Values are
// trimmed and not empty.
type valueParser struct {
	location   *time.Location
	dates      DateOrder
	fallback   string // category of lines without one
	categories map[string]string
}

func newValueParser(o *Options) *valueParser {
	return &valueParser{location: o.Location, dates: o.Dates, fallback: o.Category, categories: map[string]string{}}
}

// begin empties e for the next line.
func (p *valueParser) begin(e *entry.Entry) { *e = entry.Entry{} }

// complete sets the fields that the line leaves out, and checks the line as a whole.
func (p *valueParser) complete(e *entry.Entry) error {
	if e.Plate == "" {
		return errors.New("no plate")
	}
	if pattern := entry.IsPattern(e.Plate); pattern != (e.Policy == entry.PolicyWildcard) {
		if !pattern {
			return errors.New("the policy is wildcard, but the plate has neither ? nor *")
		}
		if e.Policy != entry.PolicyAny {
			return fmt.Errorf("the plate is a pattern, which the policy %s never matches", e.Policy)
		}
		e.Policy = entry.PolicyWildcard
	}
	if e.Category == "" {
		e.Category = p.fallback
	}
	if e.Priority == 0 {
		e.Priority = entry.PriorityOf(e.Category)
	}
	if !e.Effective.IsZero() && !e.Expires.IsZero() && !e.Effective.Before(e.Expires) {
		return errors.New("expires before it becomes effective")
	}
	return nil
}

// text is the column of a text field of at most most bytes.
func text(of func(*entry.Entry) *string, most int, change func(string) string) column {
	set := func(_ *valueParser, e *entry.Entry, value string) error {
		value = cleanText(value)
		if len(value) > most {
			return fmt.Errorf("longer than %d bytes", most)
		}
		if change != nil {
			value = change(value)
		}
		*of(e) = strings.Clone(value)
		return nil
	}
	return column{set, func(e *entry.Entry) string { return *of(e) }}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func unlessZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// cleanText replaces control characters by spaces, so that no list can send escape
// sequences to a terminal.
func cleanText(s string) string {
	if strings.IndexFunc(s, unicode.IsControl) < 0 {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == ' ' }), " ")
}

func (p *valueParser) plate(e *entry.Entry, value string) error {
	if err := spreadsheetValue(value); err != nil {
		return err
	}
	if entry.IsPattern(value) {
		pattern, err := entry.NormalizePattern(value)
		if err != nil {
			return fmt.Errorf("%s: %w", entry.Quote(value), err)
		}
		e.Plate, e.Written = pattern, strings.Clone(entry.Written(cleanText(value), pattern))
		return nil
	}
	plate := entry.Normalize(value)
	if plate == "" {
		return fmt.Errorf("%s has no letters A-Z or digits", entry.Quote(value))
	}
	if len(plate) > entry.MaxPlate {
		return fmt.Errorf("%s is too long for a plate: %d characters, maximum %d", entry.Quote(value), len(plate), entry.MaxPlate)
	}
	e.Plate, e.Written = strings.Clone(plate), strings.Clone(entry.Written(cleanText(value), plate))
	return nil
}

func (p *valueParser) category(e *entry.Entry, value string) error {
	c, ok := p.categories[value]
	if !ok {
		c = entry.CategoryOf(value)
		if c == "" || len(c) > 40 {
			return fmt.Errorf("%s is not a category", entry.Quote(value))
		}
		if len(p.categories) < 1000 {
			p.categories[strings.Clone(value)] = c
		}
	}
	e.Category = c
	return nil
}

var priorityWords = map[string]int{"critical": 1, "urgent": 1, "high": 2, "medium": 5, "normal": 5, "low": 8}

func (p *valueParser) priority(e *entry.Entry, value string) error {
	if n, ok := priorityWords[strings.ToLower(value)]; ok {
		e.Priority = n
		return nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < entry.MostUrgent || n > entry.LeastUrgent {
		return fmt.Errorf("%s is not a priority: %d (most urgent) to %d, or critical, high, medium, low", entry.Quote(value), entry.MostUrgent, entry.LeastUrgent)
	}
	e.Priority = n
	return nil
}

func (p *valueParser) covert(e *entry.Entry, value string) error {
	switch strings.ToLower(value) {
	case "1", "y", "yes", "t", "true", "x":
		e.Covert = true
	case "0", "n", "no", "f", "false":
		e.Covert = false
	default:
		return fmt.Errorf("%s is neither yes nor no", entry.Quote(value))
	}
	return nil
}

func (p *valueParser) policy(e *entry.Entry, value string) error {
	switch strings.ToLower(value) {
	case "exact":
		e.Policy = entry.PolicyExact
	case "any", "default", "confusable":
		e.Policy = entry.PolicyAny
	case "fuzzy", "one character", "one_character":
		e.Policy = entry.PolicyFuzzy
	case "wildcard", "pattern":
		e.Policy = entry.PolicyWildcard
	default:
		return fmt.Errorf("%s is not a match policy: any, exact, fuzzy or wildcard", entry.Quote(value))
	}
	return nil
}

func (p *valueParser) year(e *entry.Entry, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 9999 {
		return fmt.Errorf("%s is not a year", entry.Quote(value))
	}
	e.Vehicle.Year = n
	return nil
}

func (p *valueParser) effective(e *entry.Entry, value string) (err error) {
	e.Effective, _, err = p.date(value)
	return err
}

// neverWords stand for no expiry, in small letters; so does any date in 9999.
var neverWords = []string{"never", "none", "nonexp", "non-exp", "no expiry", "indefinite", "permanent", "unlimited", "unbefristet"}

var in9999 = regexp.MustCompile(`^(?:9999\D?\d\d\D?\d\d|\d{1,2}[./-]\d{1,2}[./-]9999)(?:[T ].*)?$`)

// expires takes a date without a time as the last day on which the entry is active.
func (p *valueParser) expires(e *entry.Entry, value string) error {
	if in9999.MatchString(value) || slices.Contains(neverWords, strings.ToLower(value)) {
		return nil
	}
	t, day, err := p.date(value)
	if day {
		t = t.In(p.location).AddDate(0, 0, 1).UTC()
	}
	e.Expires = t
	return err
}

// dateLayouts are the unambiguous layouts. [time.Parse] also accepts fractions of a
// second in them.
var dateLayouts = []struct {
	layout string
	day    bool // has no time of day
}{
	{"2006-01-02", true}, {"20060102", true}, {"2006/01/02", true}, {"2.1.2006", true},
	{time.RFC3339, false}, {"2006-01-02T15:04:05", false}, {"2006-01-02 15:04:05", false}, {"2006-01-02 15:04:05Z07:00", false},
	{"2006-01-02 15:04", false}, {"2006-01-02T15:04", false}, {"2.1.2006 15:04:05", false}, {"2.1.2006 15:04", false},
}

// date parses a date, or a date with a time.
func (p *valueParser) date(value string) (t time.Time, day bool, err error) {
	for _, l := range dateLayouts {
		if t, err := time.ParseInLocation(l.layout, value, p.location); err == nil {
			return bounded(t, l.day, value)
		}
	}
	if strings.Count(value, "/") == 2 {
		date, clock, hasClock := strings.Cut(value, " ")
		layout := ""
		switch p.dates {
		case DayMonthYear:
			layout = "2/1/2006"
		case MonthDayYear:
			layout = "1/2/2006"
		default:
			return t, false, fmt.Errorf("%s is ambiguous; say with -dates dmy or -dates mdy whether day or month comes first", entry.Quote(value))
		}
		if !hasClock {
			if t, err := time.ParseInLocation(layout, date, p.location); err == nil {
				return bounded(t, true, value)
			}
		}
		for _, c := range []string{"15:04:05", "15:04", "3:04:05 PM", "3:04 PM"} {
			if t, err := time.ParseInLocation(layout+" "+c, date+" "+clock, p.location); hasClock && err == nil {
				return bounded(t, false, value)
			}
		}
	}
	return t, false, fmt.Errorf("%s is not a date; write 2026-12-31 or 2026-12-31T15:04:05Z", entry.Quote(value))
}

// bounded returns t in whole seconds, and refuses years that cannot be stored: year 1
// is Go's zero time, which means no bound.
func bounded(t time.Time, day bool, value string) (time.Time, bool, error) {
	t = t.UTC().Truncate(time.Second)
	if t.Year() < 1900 || t.Year() > 9998 {
		return time.Time{}, false, fmt.Errorf("%s is out of range (years 1900 to 9998)", entry.Quote(value))
	}
	return t, day, nil
}

// checkText refuses values that are not text.
func checkText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("not UTF-8; name the file's encoding, for example -encoding windows-1252")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return errors.New("contains a zero byte")
	}
	return nil
}

// ParseEntry returns the entry with the given values by field name (see [Fields]), as
// an import with default options reads them.
func ParseEntry(values map[string]string) (entry.Entry, error) {
	var o Options
	if err := o.Fill(); err != nil {
		return entry.Entry{}, err
	}
	p := newValueParser(&o)
	var e entry.Entry
	p.begin(&e)
	for _, f := range fields {
		value := values[f.name]
		if value == "" {
			continue
		}
		err := checkText(value)
		if err == nil {
			err = f.set(p, &e, value)
		}
		if err != nil {
			return entry.Entry{}, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return e, p.complete(&e)
}
