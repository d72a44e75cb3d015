package message

import (
	"fmt"
	"strconv"
	"strings"
)

// FormatID makes the id of a unit's hit.
func FormatID(unit string, number uint64) string {
	return unit + "-" + strconv.FormatUint(number, 10)
}

// ParseID takes an id apart.
func ParseID(id string) (unit string, number uint64, err error) {
	i := strings.LastIndexByte(id, '-')
	if i < 0 {
		return "", 0, fmt.Errorf("%.80q is not an id: there is no number after a hyphen", id)
	}
	unit, digits := id[:i], id[i+1:]
	number, err = strconv.ParseUint(digits, 10, 64)
	// The formatted number must be the same again, so that one hit has one
	// spelling: "+7" and "007" are not ids.
	if err != nil || number == 0 || strconv.FormatUint(number, 10) != digits {
		return "", 0, fmt.Errorf("%.80q is not an id: it does not end in a number", id)
	}
	if err := ValidateName(unit); err != nil {
		return "", 0, fmt.Errorf("%.80q is not an id: %w", id, err)
	}
	return unit, number, nil
}
