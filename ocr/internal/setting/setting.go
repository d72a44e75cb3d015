// Package setting checks values that people write into a configuration.
package setting

import (
	"fmt"
	"strings"
	"time"
)

// Error says what is wrong with a setting. Text continues the setting's name:
// "= 5 is out of range".
type Error struct{ Text, Advice string }

func (e *Error) Error() string { return e.Text }

// Hint says what to write instead; it may be empty.
func (e *Error) Hint() string { return e.Advice }

// Int checks that a number lies within bounds.
func Int(v, low, high int) error {
	if v >= low && v <= high {
		return nil
	}
	return &Error{fmt.Sprintf("= %d is out of range", v), fmt.Sprintf("write a number from %d to %d", low, high)}
}

// Probability checks that a number is a probability, 0 to 1.
func Probability(v float64) error {
	if v >= 0 && v <= 1 {
		return nil
	}
	return &Error{fmt.Sprintf("= %v is out of range", v), "write a probability from 0 to 1"}
}

// Duration checks that a time lies within bounds.
func Duration(v, low, high time.Duration) error {
	if v >= low && v <= high {
		return nil
	}
	return &Error{fmt.Sprintf("= %q is out of range", short(v)), fmt.Sprintf("write a time from %s to %s", short(low), short(high))}
}

// short leaves out the zeros of 2m0s and 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
