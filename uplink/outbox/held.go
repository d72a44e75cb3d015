package outbox

import (
	"time"

	"platewatch/uplink/failure"
	"platewatch/uplink/outbox/internal/journal"
)

// Held is what a file holds of hits: in use, or in pages that were freed.
type Held struct {
	Hits   int           `json:"hits"`
	Oldest time.Duration `json:"oldest_ns"` // how old the oldest of them is, at most as far as that is known
}

// Examine looks at all bytes of a file for hits and their pictures, and says how old
// they are. It needs no lock and no key, works beside the daemon, and finds copies of
// an outbox too. db is the outbox whose side file tells ages where the clock was not
// set.
func Examine(path, db string, now time.Time) (Held, error) {
	ages := journal.ReadAges(db + agesSuffix)
	numbers := map[uint64]bool{}
	var h Held
	err := journal.Leftovers(path, func(r journal.Record) {
		numbers[r.Number] = true
		h.Oldest = max(h.Oldest, ageOf(&ages, r, now))
	})
	h.Hits = len(numbers)
	if err != nil {
		return h, &failure.Error{Op: "examine", Path: path, Err: failure.WithoutPath(err), Advice: "run this as root, or as the service's user"}
	}
	return h, nil
}

// ageOf is the age of a record by a clock that was set, or else by the side file.
func ageOf(ages *journal.Ages, r journal.Record, now time.Time) time.Duration {
	if byClock := now.Sub(time.UnixMilli(r.Accepted)); r.ClockSet && r.Accepted > 0 && byClock >= 0 {
		return byClock
	}
	m := ages.Before(r.Number)
	if m == (journal.AgeMark{}) && ages.Floor != nil {
		m = *ages.Floor
	}
	return ages.Running - m.Running
}
