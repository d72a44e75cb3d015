package message

import (
	"fmt"
	"strconv"
	"strings"
)

// FormatID is the id of a unit's hit: "unit-7-42".
func FormatID(unit string, number uint64) string {
	return unit + "-" + strconv.FormatUint(number, 10)
}

// ParseID returns the unit and the number of an id.
func ParseID(id string) (unit string, number uint64, err error) {
	i := strings.LastIndexByte(id, '-')
	if i < 0 {
		return "", 0, fmt.Errorf("%.80q is not an id: no number after a hyphen", id)
	}
	unit, digits := id[:i], id[i+1:]
	number, err = strconv.ParseUint(digits, 10, 64)
	// An id has one spelling: "+7" and "007" are not accepted.
	if err != nil || number == 0 || strconv.FormatUint(number, 10) != digits {
		return "", 0, fmt.Errorf("%.80q is not an id: it does not end in a number", id)
	}
	if err := ValidateName(unit); err != nil {
		return "", 0, fmt.Errorf("%.80q is not an id: %w", id, err)
	}
	return unit, number, nil
}
