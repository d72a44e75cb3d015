package failure

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Add notes a problem: key is relative to the settings, the text continues it
// ("= 3 is out of range"), and advice says what to write instead.
type Add func(key, advice, format string, args ...any)

// Problems runs find and yields what it adds.
func Problems(find func(add Add)) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		going := true
		find(func(key, advice, format string, args ...any) {
			going = going && yield(key, &Error{Err: fmt.Errorf(format, args...), Advice: advice})
		})
	}
}

// Whole wants a number from low to high.
func (add Add) Whole(key string, v, low, high int) {
	if v < low || v > high {
		add(key, fmt.Sprintf("write a number from %d to %d", low, high), "= %d is out of range", v)
	}
}

// Duration wants a length of time from low to high.
func (add Add) Duration(key string, v, low, high time.Duration) {
	if v < low || v > high {
		add(key, fmt.Sprintf("write a time from %s to %s", duration(low), duration(high)), "= %q is out of range", duration(v))
	}
}

// Size wants a number of bytes from low to high.
func (add Add) Size(key string, v, low, high int64) {
	if v < low || v > high {
		add(key, fmt.Sprintf("write a size from %s to %s", size(low), size(high)), "= %q is out of range", size(v))
	}
}

// OneOf wants one of two words.
func (add Add) OneOf(key, v, one, other string) {
	if !slices.Contains([]string{one, other}, v) {
		add(key, fmt.Sprintf("write %s or %s", one, other), "= %q is not known", v)
	}
}

// duration is [time.Duration.String] without minutes and seconds that are zero.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// size is a number of bytes in the largest unit that divides it.
func size(bytes int64) string {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		if n := int64(1) << (10 * (3 - i)); bytes != 0 && bytes%n == 0 {
			return strconv.FormatInt(bytes/n, 10) + unit
		}
	}
	return strconv.FormatInt(bytes, 10) + "B"
}
