package entry

import (
	"strings"
	"unicode"
)

// Categories with a default priority of their own. A list may use any other
// word; its entries then get [defaultPriority].
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

// defaultPriority is the priority of entries whose category has none of its own.
const defaultPriority = 5

// Priorities run from MostUrgent to LeastUrgent.
const (
	MostUrgent  = 1
	LeastUrgent = 9
)

var categoryPriority = map[string]int{
	AmberAlert: 1, Violent: 1,
	Felony: 2, Wanted: 2, MissingPerson: 2, SilverAlert: 2,
	ProtectionOrder: 3, StolenVehicle: 3,
	StolenPlate:       4,
	SupervisedRelease: 6, SexOffender: 6, Immigration: 6,
}

// categoryAliases are other words for the categories above, in the form that [slug]
// gives them.
var categoryAliases = map[string]string{
	"amber": AmberAlert, "silver": SilverAlert, "stolen": StolenVehicle, "stolen_car": StolenVehicle,
	"stolen_veh": StolenVehicle, "stolen_plates": StolenPlate, "stolen_license_plate": StolenPlate,
	"stolen_licence_plate": StolenPlate, "missing": MissingPerson, "missing_persons": MissingPerson,
	"wanted_person": Wanted, "warrant": Wanted, "felony_vehicle": Felony, "violent_person": Violent,
	"protection": ProtectionOrder, "custom": Other,
}

// PriorityOf returns the default priority of a category.
func PriorityOf(category string) int {
	if p, ok := categoryPriority[category]; ok {
		return p
	}
	return defaultPriority
}

// CategoryOf returns a category in the form of the constants, aliases replaced;
// empty if value has no letter or digit.
func CategoryOf(value string) string {
	s := slug(value)
	if name, ok := categoryAliases[s]; ok {
		return name
	}
	return s
}

// slug joins words in lower case with underscores.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
