package unit

import (
	"context"
	"time"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist"
	"platewatch/uplink"
)

// countEvery is how often the day's counts are written: what a power cut takes
// of them at most.
const countEvery = 5 * time.Minute

// recordHit puts a hit into the audit trail, without its plate. The hit itself
// is in the outbox already, and goes out whether this succeeds or not.
func (u *Unit) recordHit(id string, matches []uplink.Match) {
	records := make([]hotlist.AuditRecord, 0, len(matches))
	for _, m := range matches {
		records = append(records, hotlist.AuditRecord{Kind: hotlist.AuditHit, Hit: id, List: m.List, Version: m.Version,
			Category: m.Category, How: hotlist.How(m.How), Record: m.Entry.Record})
	}
	// The frame waits for this: the bound is that of the trail's lock.
	if err := u.trail.Append(context.Background(), records...); err != nil {
		u.log.Error("a hit could not be recorded in the audit trail", "id", id, "error", err)
	}
	u.counting.Lock()
	defer u.counting.Unlock()
	if u.counted.Hits == nil {
		u.counted.Hits = map[string]map[string]uint64{}
	}
	for _, m := range matches {
		if u.counted.Hits[m.List] == nil {
			u.counted.Hits[m.List] = map[string]uint64{}
		}
		u.counted.Hits[m.List][m.Category]++
	}
}

// keepCounts adds what was read to the day's counts, and once more at the end.
func (u *Unit) keepCounts(ctx context.Context) error {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	var reads, passages uint64 // counted so far
	for {
		var done bool
		select {
		case <-ctx.Done():
			done = true
		case <-tick.C:
		}
		var r, p uint64
		for _, l := range u.lanes {
			l.mu.Lock()
			r, p = r+l.counts.plates, p+l.counts.passages
			l.mu.Unlock()
		}
		u.counting.Lock()
		d := u.counted
		u.counted = hotlist.DayCounts{}
		u.counting.Unlock()
		d.Day, d.Reads, d.Passages = u.day(), r-reads, p-passages
		reads, passages = r, p
		if err := u.trail.Count(context.WithoutCancel(ctx), d); err != nil {
			u.log.Error("the day's counts could not be written", "error", err)
		}
		if done {
			return nil
		}
	}
}

// day is today, if the clock knows it.
func (u *Unit) day() string {
	if u.clock().State != status.ClockSynchronised {
		return "unknown"
	}
	return time.Now().UTC().Format(time.DateOnly)
}
