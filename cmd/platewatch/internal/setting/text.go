package setting

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads "2s", "1m30s" or "500 ms".
func ParseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		return 0, fmt.Errorf("%q is not a length of time", text)
	}
	return d, nil
}

// FormatDuration writes what ParseDuration reads: as [time.Duration] does, but
// "2m" for "2m0s" and "1h" for "1h0m0s".
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// Numbers of bytes.
const (
	KiB = 1 << 10
	MiB = 1 << 20
	GiB = 1 << 30
)

// sizeUnits in the order in which FormatSize tries them. The decimal ones are
// read and never written.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", 1},
	{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3},
}

// FormatSize writes what ParseSize reads.
func FormatSize(bytes int64) string {
	for _, u := range sizeUnits {
		if bytes != 0 && bytes%u.bytes == 0 {
			return strconv.FormatInt(bytes/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// ParseSize reads a number and a unit: B, kB, MB, GB (powers of 1000) or KiB,
// MiB, GiB (powers of 1024), in upper or lower case. A size without a unit is an
// error, because readers do not agree on which one is meant.
func ParseSize(text string) (bytes int64, err error) {
	trimmed := strings.TrimSpace(text)
	n := strings.IndexFunc(trimmed, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if n <= 0 {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	number, err := strconv.ParseFloat(trimmed[:n], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	unit := strings.TrimSpace(trimmed[n:])
	for _, u := range sizeUnits {
		if !strings.EqualFold(u.name, unit) {
			continue
		}
		v := number * float64(u.bytes)
		if v > math.MaxInt64/2 || v != math.Trunc(v) {
			return 0, fmt.Errorf("%q is not a whole number of bytes", text)
		}
		return int64(v), nil
	}
	return 0, fmt.Errorf("%q is not a size: the unit %q is none of B, kB, MB, GB, KiB, MiB, GiB", text, unit)
}
