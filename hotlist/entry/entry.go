// Package entry holds what all of the hotlist's packages speak of: an entry of a
// list, the list's description, plates and patterns in normal form, and the
// errors with their advice.
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

// Entry is one line of a list: a wanted plate, and why it is wanted.
type Entry struct {
	// Plate is normalised: see [Normalize]. If Policy is [PolicyWildcard] it is
	// a pattern with ? and *: see [NormalizePattern].
	Plate string `json:"plate"`
	// Written is the plate as the list's owner writes it, with spaces, hyphens and
	// diacritics; empty if that is Plate itself. BM W 555 and B MW 555 are two
	// vehicles.
	Written string `json:"written,omitempty"`
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
	// Record is the record number at the agency that made the entry.
	Record string `json:"record,omitempty"`
	Agency string `json:"agency,omitempty"`
	Note   string `json:"note,omitempty"`
	// The entry is active from Effective until before Expires; zero means no
	// bound. Whole seconds, UTC.
	Effective time.Time `json:"effective,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
	// Policy limits how a reading may differ from Plate and still match.
	Policy Policy `json:"policy,omitempty"`
}

// Policies lists the policies. Their order gives their codes in list files and
// must not change.
var Policies = []Policy{PolicyAny, PolicyExact, PolicyFuzzy, PolicyWildcard}

// Vehicle describes the vehicle that carries the plate, as far as the list does.
type Vehicle struct {
	Year   int    `json:"year,omitempty"`
	Make   string `json:"make,omitempty"`
	Model  string `json:"model,omitempty"`
	Style  string `json:"style,omitempty"`
	Colour string `json:"colour,omitempty"`
}

// Policy is how an entry asks to be matched.
type Policy string

const (
	// PolicyAny follows the list's rules.
	PolicyAny Policy = ""
	// PolicyExact matches the exact text only.
	PolicyExact Policy = "exact"
	// PolicyFuzzy allows one character to be wrong, missing or added, whatever
	// the list's rules say.
	PolicyFuzzy Policy = "fuzzy"
	// PolicyWildcard: Plate is a pattern; ? stands for one character, * for any number.
	PolicyWildcard Policy = "wildcard"
)

// ActiveAt reports whether e is in effect at now.
func (e *Entry) ActiveAt(now time.Time) bool {
	if !e.Effective.IsZero() && now.Before(e.Effective) {
		return false
	}
	return e.Expires.IsZero() || now.Before(e.Expires)
}

// TimeBound reports whether e has a beginning or an end.
func (e *Entry) TimeBound() bool { return !e.Effective.IsZero() || !e.Expires.IsZero() }

// Texts returns the text fields, in the order in which list files store them.
func (e *Entry) Texts() [13]*string {
	return [...]*string{&e.Plate, &e.State, &e.PlateType, &e.Category, &e.Handling, &e.Record, &e.Agency, &e.Note,
		&e.Vehicle.Make, &e.Vehicle.Model, &e.Vehicle.Style, &e.Vehicle.Colour, &e.Written}
}

// Validate reports what no import produces. Entries of signed lists are checked
// too: a signature proves who wrote an entry, not that it is well formed.
func (e *Entry) Validate() error {
	plate := e.Plate
	if e.Policy == PolicyWildcard {
		p, err := NormalizePattern(plate)
		if err != nil {
			return err
		}
		if p != plate || !IsPattern(plate) {
			return fmt.Errorf("%s is not a normalised pattern", Quote(plate))
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
			return fmt.Errorf("%s is too long, not UTF-8, or has control characters", Quote(*s))
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
