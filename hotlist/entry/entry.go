package entry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Entry is one line of a list: a plate that is wanted, and why.
type Entry struct {
	// Plate is normalised: see [Normalize]. If Policy is [PolicyWildcard] it is
	// a pattern, with ? and * in it.
	Plate string `json:"plate"`
	// State is the issuing state, province or country, in capitals, as the
	// list's owner writes it.
	State     string `json:"state,omitempty"`
	PlateType string `json:"plate_type,omitempty"`
	Category  string `json:"category"`
	// Priority runs from 1, most urgent, to 9.
	Priority int `json:"priority"`
	// Covert: whoever stops the vehicle must not show that it was expected.
	Covert bool `json:"covert,omitempty"`
	// Handling tells the officer what to do and what not.
	Handling string  `json:"handling,omitempty"`
	Vehicle  Vehicle `json:"vehicle,omitzero"`
	// Record and Agency say where the entry comes from.
	Record string `json:"record,omitempty"`
	Agency string `json:"agency,omitempty"`
	Note   string `json:"note,omitempty"`
	// Effective is the first moment at which the entry counts, Expires the
	// first at which it no longer does; zero means no bound. Whole seconds, UTC.
	Effective time.Time `json:"effective,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
	// Policy limits how a reading may differ from Plate and still match.
	Policy Policy `json:"policy,omitempty"`
}

// Policies lists the policies. The order is that of their codes in list files
// and must not change.
var Policies = []Policy{PolicyAny, PolicyExact, PolicyFuzzy, PolicyWildcard}

// Vehicle is what the list knows about the vehicle that carries the plate.
type Vehicle struct {
	Year   int    `json:"year,omitempty"`
	Make   string `json:"make,omitempty"`
	Model  string `json:"model,omitempty"`
	Style  string `json:"style,omitempty"`
	Colour string `json:"colour,omitempty"`
}

// Policy is an entry's own limit on how it may be matched.
type Policy string

const (
	// PolicyAny leaves it to the list.
	PolicyAny Policy = ""
	// PolicyExact allows no confusable characters.
	PolicyExact Policy = "exact"
	// PolicyFuzzy allows one character to be wrong, missing or added, whatever
	// the list says.
	PolicyFuzzy Policy = "fuzzy"
	// PolicyWildcard: Plate is a pattern; ? is any character, * any number of them.
	PolicyWildcard Policy = "wildcard"
)

// ActiveAt tells whether e counts at a time.
func (e *Entry) ActiveAt(now time.Time) bool {
	if !e.Effective.IsZero() && now.Before(e.Effective) {
		return false
	}
	return e.Expires.IsZero() || now.Before(e.Expires)
}

// TimeBound tells whether e counts for some time only.
func (e *Entry) TimeBound() bool { return !e.Effective.IsZero() || !e.Expires.IsZero() }

// Texts lists the text fields in the order in which they are stored.
func (e *Entry) Texts() [12]*string {
	return [...]*string{&e.Plate, &e.State, &e.PlateType, &e.Category, &e.Handling, &e.Record, &e.Agency, &e.Note,
		&e.Vehicle.Make, &e.Vehicle.Model, &e.Vehicle.Style, &e.Vehicle.Colour}
}

// Validate refuses an entry that no import makes. Entries of signed lists are
// checked like all others: a signature says who wrote it, not that it is right.
func (e *Entry) Validate() error {
	plate := e.Plate
	if e.Policy == PolicyWildcard {
		p, err := NormalizePattern(plate)
		if err != nil {
			return err
		}
		if p != plate || !IsPattern(plate) {
			return fmt.Errorf("%s is not written as a pattern is", Quote(plate))
		}
	} else if plate == "" || len(plate) > MaxPlate || !isNormal(plate) {
		return fmt.Errorf("%s is not a normalised plate", Quote(plate))
	}
	if !slices.Contains(Policies, e.Policy) {
		return fmt.Errorf("%s is not a match policy", Quote(string(e.Policy)))
	}
	if e.Category == "" || CategoryOf(e.Category) != e.Category {
		return fmt.Errorf("%s is not a category", Quote(e.Category))
	}
	if e.Priority < MostUrgent || e.Priority > LeastUrgent {
		return fmt.Errorf("%d is not a priority", e.Priority)
	}
	if e.Vehicle.Year < 0 || e.Vehicle.Year > 9999 {
		return fmt.Errorf("%d is not a year", e.Vehicle.Year)
	}
	for _, s := range e.Texts() {
		if len(*s) > maxText || !utf8.ValidString(*s) || strings.IndexFunc(*s, unicode.IsControl) >= 0 {
			return fmt.Errorf("%s is no text for a field", Quote(*s))
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
