package source

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Check is what is wrong with one setting; Err is nil if nothing is.
type Check struct {
	Key string
	Err error
}

// Failed yields the checks that failed.
func Failed(checks ...Check) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, c := range checks {
			if c.Err != nil && !yield(c.Key, c.Err) {
				return
			}
		}
	}
}

// OneOf checks a setting that is one of a few words; empty is always allowed.
func OneOf(value string, words ...string) error {
	if value == "" || slices.Contains(words, value) {
		return nil
	}
	return Problem("write "+Alternatives(words), "= %q is not known", value)
}

// Alternatives joins words: "a, b or c".
func Alternatives(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// TimeInRange checks a length of time.
func TimeInRange(v, least, most time.Duration) error {
	if v >= least && v <= most {
		return nil
	}
	return Problem(fmt.Sprintf("write a time from %s to %s", timeText(least), timeText(most)), "= %q is out of range", timeText(v))
}

// timeText writes a length of time as the configuration file does: "1m" and not
// "1m0s".
func timeText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// CheckAddress checks a network camera's source. No text of the problem holds
// a password.
func (c Config) CheckAddress(example string, schemes ...string) error {
	advice := "write " + example
	u, err := parseAddress(c.Source)
	switch {
	case err != nil: // the parser's own text repeats the address with its password
		return Problem(advice+"; a password with special characters belongs in credentials_file", "is not a well-formed address (%s)", Redact(c.Source))
	case !slices.Contains(schemes, u.Scheme):
		return Problem(advice, "= %q does not begin with %s", Redact(c.Source), Alternatives(withSlashes(schemes)))
	case u.Hostname() == "":
		return Problem(advice, "= %q names no host", Redact(c.Source))
	case isZoneless(u.Hostname()):
		return Problem(fmt.Sprintf("write %s://[%s%%eth0]/…, with the interface to the camera; `ip link` lists them", u.Scheme, u.Hostname()),
			"= %q has a link-local address without an interface", Redact(c.Source))
	}
	if _, has := u.User.Password(); has && c.CredentialsFile != "" {
		return Problem("remove it there", "holds a password (%s) beside credentials_file", Redact(c.Source))
	}
	return nil
}

func withSlashes(schemes []string) []string {
	var out []string
	for _, s := range schemes {
		out = append(out, s+"://")
	}
	return out
}

// HasScheme tells whether a source is an address with one of the schemes.
func HasScheme(source string, schemes ...string) bool {
	scheme, _, found := strings.Cut(source, "://")
	return found && slices.Contains(schemes, scheme)
}

// GivenKeys yields the keys of the settings that are not empty.
func (c Config) GivenKeys() iter.Seq[string] {
	return func(yield func(string) bool) { givenKeys(reflect.ValueOf(c), yield) }
}

func givenKeys(v reflect.Value, yield func(string) bool) bool {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch key := f.Tag.Get("toml"); {
		case f.Anonymous:
			if !givenKeys(v.Field(i), yield) {
				return false
			}
		case key != "" && key != "-" && !v.Field(i).IsZero():
			if !yield(key) {
				return false
			}
		}
	}
	return true
}
