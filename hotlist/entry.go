package hotlist

import (
	"slices"
	"strings"
	"time"
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

// Categories that have a default priority of their own. A list may use any
// other word; such entries have the priority [DefaultPriority].
const (
	AmberAlert        = "amber_alert"
	SilverAlert       = "silver_alert"
	Violent           = "violent"
	Felony            = "felony"
	Wanted            = "wanted"
	MissingPerson     = "missing_person"
	ProtectionOrder   = "protection_order"
	StolenVehicle     = "stolen_vehicle"
	StolenPlate       = "stolen_plate"
	SupervisedRelease = "supervised_release"
	SexOffender       = "sex_offender"
	Immigration       = "immigration"
	Other             = "other"
)

// DefaultPriority is that of entries whose category has none of its own.
const DefaultPriority = 5

const (
	mostUrgent  = 1
	leastUrgent = 9
)

var categoryPriority = map[string]int{
	AmberAlert: 1, Violent: 1,
	Felony: 2, Wanted: 2, MissingPerson: 2, SilverAlert: 2,
	ProtectionOrder: 3, StolenVehicle: 3,
	StolenPlate:       4,
	SupervisedRelease: 6, SexOffender: 6, Immigration: 6,
}

// categoryAliases are other words for the categories above, as [slug] writes them.
var categoryAliases = map[string]string{
	"amber": AmberAlert, "silver": SilverAlert, "stolen": StolenVehicle, "stolen_car": StolenVehicle,
	"stolen_veh": StolenVehicle, "stolen_plates": StolenPlate, "stolen_license_plate": StolenPlate,
	"stolen_licence_plate": StolenPlate, "missing": MissingPerson, "missing_persons": MissingPerson,
	"wanted_person": Wanted, "warrant": Wanted, "felony_vehicle": Felony, "violent_person": Violent,
	"protection": ProtectionOrder, "custom": Other,
}

// Categories returns the names of the categories with a default priority, most
// urgent first.
func Categories() []string {
	names := make([]string, 0, len(categoryPriority))
	for name := range categoryPriority {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := categoryPriority[a] - categoryPriority[b]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names
}

func defaultPriority(category string) int {
	if p, ok := categoryPriority[category]; ok {
		return p
	}
	return DefaultPriority
}

// valid says whether e counts at now.
func (e *Entry) valid(now time.Time) bool {
	if !e.Effective.IsZero() && now.Before(e.Effective) {
		return false
	}
	return e.Expires.IsZero() || now.Before(e.Expires)
}

func (e *Entry) bounded() bool { return !e.Effective.IsZero() || !e.Expires.IsZero() }

// List describes one list as it is stored.
type List struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Entries counts the entries that can match.
	Entries int `json:"entries"`
	// Wildcards counts those of them that are patterns.
	Wildcards int `json:"wildcards,omitempty"`
	// Fuzzy counts those whose policy is [PolicyFuzzy].
	Fuzzy int `json:"fuzzy,omitempty"`
	// Categories counts the entries of each category.
	Categories map[string]int `json:"categories,omitempty"`
	// Digest stands for the entries: two versions with the same digest hold the same.
	Digest Digest `json:"digest,omitzero"`
	// Signed tells which signed version it is; nil if it was imported here.
	Signed *Signed `json:"signed,omitempty"`
	// Imported is when, by this machine's clock.
	Imported time.Time `json:"imported"`
	// Source is the name of the file it was imported from.
	Source string `json:"source,omitempty"`
	// Duplicates, Skipped and Refused count the source's lines that did not
	// become entries.
	Duplicates int `json:"duplicates"`
	Skipped    int `json:"skipped"`
	Refused    int `json:"refused"`
	// Bytes is the size of the list's file.
	Bytes int64 `json:"bytes"`
	// Fallback: this is the version before, because the newest one is damaged.
	Fallback bool `json:"fallback,omitempty"`
}
