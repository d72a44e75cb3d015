package importer

import (
	"testing"
	"time"

	"platewatch/hotlist/entry"
)

func TestDates(t *testing.T) {
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		value string
		order DateOrder
		want  time.Time // of expires
	}{
		{"2026-12-31", "", day(2027, 1, 1)},
		{"20261231", "", day(2027, 1, 1)},
		{"31.12.2026", "", day(2027, 1, 1)},
		{"1.2.2026", "", day(2026, 2, 2)},
		{"2026-12-31T15:04:05Z", "", time.Date(2026, 12, 31, 15, 4, 5, 0, time.UTC)},
		{"2026-12-31T15:04:05.999+01:00", "", time.Date(2026, 12, 31, 14, 4, 5, 0, time.UTC)},
		{"2026-12-31 15:04", "", time.Date(2026, 12, 31, 15, 4, 0, 0, time.UTC)},
		{"03/04/2026", DayMonthYear, day(2026, 4, 4)},
		{"03/04/2026", MonthDayYear, day(2026, 3, 5)},
		{"3/4/2026 1:02 PM", MonthDayYear, time.Date(2026, 3, 4, 13, 2, 0, 0, time.UTC)},
		{"3/14/2026", DayMonthYear, time.Time{}},
		{"0000-00-00", "", time.Time{}},
		{"0001-01-01", "", time.Time{}},
		{"tomorrow", "", time.Time{}},
	} {
		p := newValueParser(&Options{Dates: c.order, Location: time.UTC})
		var e entry.Entry
		err := p.expires(&e, c.value)
		if c.want.IsZero() != (err != nil) || err == nil && !e.Expires.Equal(c.want) {
			t.Errorf("%q (%s): %v, %v; want %v", c.value, c.order, e.Expires, err, c.want)
		}
	}
}
