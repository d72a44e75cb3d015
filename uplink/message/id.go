package message

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Origin is what ids begin with: the unit's name and, after "~", the identity of the
// installation that made the hit. Two units of one name, such as a copied card, make
// different ids. Hits of before version 0.4 have no installation.
func Origin(unit, installation string) string {
	if installation == "" {
		return unit
	}
	return unit + "~" + installation
}

// installationPattern is how an installation is written.
var installationPattern = regexp.MustCompile(`^[a-z2-7]{8}$`)

// FormatID is the id of an origin's hit: "unit-7~k3f9xq2b-42".
func FormatID(origin string, number uint64) string {
	return origin + "-" + strconv.FormatUint(number, 10)
}

// ParseID returns the unit and the number of an id.
func ParseID(id string) (unit string, number uint64, err error) {
	i := strings.LastIndexByte(id, '-')
	if i < 0 {
		return "", 0, fmt.Errorf("%.80q is not an id: no number after a hyphen", id)
	}
	origin, digits := id[:i], id[i+1:]
	number, err = strconv.ParseUint(digits, 10, 64)
	// An id has one spelling: "+7" and "007" are not accepted.
	if err != nil || number == 0 || strconv.FormatUint(number, 10) != digits {
		return "", 0, fmt.Errorf("%.80q is not an id: it does not end in a number", id)
	}
	unit, installation, installed := strings.Cut(origin, "~")
	if installed && !installationPattern.MatchString(installation) {
		return "", 0, fmt.Errorf("%.80q is not an id: no installation after \"~\"", id)
	}
	if err := ValidateName(unit); err != nil {
		return "", 0, fmt.Errorf("%.80q is not an id: %w", id, err)
	}
	return unit, number, nil
}

// Installation returns the installation in a valid id; "" if it has none.
func Installation(id string) string {
	_, rest, _ := strings.Cut(id, "~")
	installation, _, _ := strings.Cut(rest, "-")
	return installation
}
