package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, written like "2s", "1m30s" or "500ms".
type Duration time.Duration

// Std returns d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

func (d Duration) String() string {
	s := time.Duration(d).String()
	// 2m0s and 1h0m0s say no more than 2m and 1h.
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// MarshalText writes d the way UnmarshalText reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [time.ParseDuration] reads.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(strings.ReplaceAll(string(b), " ", ""))
	if err != nil {
		return fmt.Errorf("%q is not a length of time", b)
	}
	*d = Duration(v)
	return nil
}

func (Duration) wants() string { return `a length of time such as "2s" or "500ms"` }

// Size is a number of bytes, written like "64MiB" or "16 kB".
type Size int64

// Units of [Size].
const (
	Byte Size = 1
	KiB       = 1024 * Byte
	MiB       = 1024 * KiB
	GiB       = 1024 * MiB
)

// sizeUnits in the order in which String tries them. The decimal ones are read
// and never written.
var sizeUnits = []struct {
	name  string
	bytes Size
}{
	{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", Byte},
	{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3},
}

func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return "0B"
}

// MarshalText writes s the way UnmarshalText reads it.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a number and a unit: B, kB, MB, GB (powers of 1000) or
// KiB, MiB, GiB (powers of 1024), in upper or lower case. There is no size
// without a unit, because nobody agrees on which one would be meant.
func (s *Size) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	n := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if n <= 0 {
		return fmt.Errorf("%q is not a size", b)
	}
	number, err := strconv.ParseFloat(text[:n], 64)
	if err != nil {
		return fmt.Errorf("%q is not a size", b)
	}
	unit := strings.TrimSpace(text[n:])
	for _, u := range sizeUnits {
		if !strings.EqualFold(u.name, unit) {
			continue
		}
		v := number * float64(u.bytes)
		if v > math.MaxInt64/2 || v != math.Trunc(v) {
			return fmt.Errorf("%q is not a whole number of bytes", b)
		}
		*s = Size(v)
		return nil
	}
	return fmt.Errorf("%q is not a size: the unit %q is none of B, kB, MB, GB, KiB, MiB, GiB", b, unit)
}

func (Size) wants() string { return `a size such as "64MiB"` }
