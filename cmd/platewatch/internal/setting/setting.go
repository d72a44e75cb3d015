// Package setting checks the values that people write into the configuration, and
// reads and writes lengths of time and numbers of bytes as the file has them.
package setting

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Error is what is wrong with a setting. Text continues the setting's name:
// "= 5 is out of range".
type Error struct{ Text, Advice string }

func (e *Error) Error() string { return e.Text }

// Hint says what to write instead; it may be empty.
func (e *Error) Hint() string { return e.Advice }

// Problemf makes an [*Error] with the text that the format gives.
func Problemf(advice, format string, args ...any) error {
	return &Error{Text: fmt.Sprintf(format, args...), Advice: advice}
}

// Check is the outcome of a check of one setting: nil, or what is wrong.
type Check struct {
	Key string
	Err error
}

// Failed yields the checks that failed, as a Problems method returns them.
func Failed(checks ...Check) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, c := range checks {
			if c.Err != nil && !yield(c.Key, c.Err) {
				return
			}
		}
	}
}

// Int checks that a number is within bounds.
func Int(v, low, high int) error {
	if v >= low && v <= high {
		return nil
	}
	return Problemf(fmt.Sprintf("write a number from %d to %d", low, high), "= %d is out of range", v)
}

// Number checks that a number of a unit ("degrees") is within bounds.
func Number(v, low, high float64, unit string) error {
	if v >= low && v <= high { // not so for NaN
		return nil
	}
	return Problemf(fmt.Sprintf("write a number from %v to %v %s", low, high, unit), "= %v is out of range", v)
}

// Size checks that a number of bytes is within bounds.
func Size(bytes, low, high int64) error {
	if bytes >= low && bytes <= high {
		return nil
	}
	return Problemf(fmt.Sprintf("write a size from %s to %s", FormatSize(low), FormatSize(high)), "= %q is out of range", FormatSize(bytes))
}

// Duration checks that a length of time is within bounds.
func Duration(v, low, high time.Duration) error {
	if v >= low && v <= high {
		return nil
	}
	return Problemf(fmt.Sprintf("write a time from %s to %s", FormatDuration(low), FormatDuration(high)), "= %q is out of range", FormatDuration(v))
}

// OneOf checks that a word is one of a few.
func OneOf(value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	last := len(words) - 1
	return Problemf("write "+strings.Join(words[:last], ", ")+" or "+words[last], "= %q is not known", value)
}

// namePattern is what fits into an MQTT topic, a file name, a metric's label and
// a URL path without any quoting.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Name checks the name of a unit or a camera; advice is for one that is missing.
func Name(name, advice string) error {
	switch {
	case name == "":
		return Problemf(advice, "is missing")
	case !namePattern.MatchString(name):
		return Problemf(`use letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit`, "= %q is not a valid name", name)
	}
	return nil
}

// NotEmpty checks that a path is given.
func NotEmpty(path string) error {
	if path == "" {
		return Problemf("write a path, or leave the key out", "is empty")
	}
	return nil
}

// Pair checks that of two settings that need each other both are given.
func Pair(key, value, other, otherValue string) Check {
	if (value == "") == (otherValue == "") {
		return Check{}
	}
	if value == "" {
		key, other = other, key
	}
	return Check{key, Problemf("give both or neither", "is given without %s", other)}
}
