package unit

import (
	"context"
	"slices"
	"time"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist/audit"
	"platewatch/uplink/message"
)

// countEvery is the interval of writing the day's counts: at most this much
// counting is lost in a power cut.
const countEvery = 5 * time.Minute

// recordHit records a hit for the audit trail, without its plate, and counts it.
func (u *Unit) recordHit(id string, matches []message.Match) {
	records := make([]audit.Record, 0, len(matches))
	for _, m := range matches {
		records = append(records, audit.Record{Kind: audit.Hit, Hit: id, List: m.List, Version: m.Version,
			Category: m.Category, How: string(m.How), Record: m.Entry.Record})
	}
	u.record(records)
	u.counting.Lock()
	defer u.counting.Unlock()
	for _, m := range matches {
		u.counted.Hits.Add(m.List, m.Category, 1)
		u.counted.How.Add(m.List, string(m.How), 1)
		u.countHit(m.List, m.Category)
	}
}

// recordDeleted appends to the audit trail that hits were deleted because their time
// on the unit was over.
func (u *Unit) recordDeleted(hits int) {
	r := audit.Record{Kind: audit.Delete, Removed: hits, Reason: "their time on the unit is over"}
	if err := u.trail.Append(context.Background(), r); err != nil {
		u.log.Error("deletion not recorded in the audit trail", "hits", hits, "error", err)
	}
}

// countChange counts a hit that was corrected or withdrawn.
func (u *Unit) countChange(withdrawn bool) {
	u.counting.Lock()
	defer u.counting.Unlock()
	if withdrawn {
		u.counted.Withdrawals++
	} else {
		u.counted.Corrections++
	}
}

// countHit counts a hit for the metrics, in a bounded number of pairs.
func (u *Unit) countHit(list, category string) {
	find := func() int {
		return slices.IndexFunc(u.hitsOf, func(n status.HitCount) bool { return n.List == list && n.Category == category })
	}
	i := find()
	if i < 0 && len(u.hitsOf) >= status.MaxHitCounts {
		list, category = "other", "other"
		i = find()
	}
	if i < 0 {
		i = len(u.hitsOf)
		u.hitsOf = append(u.hitsOf, status.HitCount{List: list, Category: category})
	}
	u.hitsOf[i].Hits++
}

// hitCounts are the hits since the start by list and category.
func (u *Unit) hitCounts() []status.HitCount {
	u.counting.Lock()
	defer u.counting.Unlock()
	return slices.Clone(u.hitsOf)
}

// keepCounts adds reads, passages and hits to the day's counts every
// [countEvery], and a last time when ctx is done.
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
		for _, c := range u.pipelines {
			c.mu.Lock()
			r, p = r+c.counts.plates, p+c.counts.passages
			c.mu.Unlock()
		}
		u.counting.Lock()
		d := u.counted
		u.counted = audit.DayCounts{}
		u.counting.Unlock()
		d.Day, d.Reads, d.Passages = u.day(), r-reads, p-passages
		reads, passages = r, p
		if err := u.trail.Count(context.WithoutCancel(ctx), d); err != nil {
			u.log.Error("day's counts not written", "error", err)
		}
		if done {
			return nil
		}
	}
}

// day is the current date in UTC, or "unknown" while the clock is not set.
func (u *Unit) day() string {
	if u.clock().State != status.ClockSynchronised {
		return "unknown"
	}
	return time.Now().UTC().Format(time.DateOnly)
}
