package audit

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

// DayCounts are the numbers of one day, for the yearly reports that laws require.
type DayCounts struct {
	Day      string `json:"day"` // 2006-01-02, UTC; "unknown" while the clock was not set
	Reads    uint64 `json:"reads"`
	Passages uint64 `json:"passages"`
	// Hits counts the hits by list and category, How by list and how they matched.
	Hits Tally `json:"hits,omitempty"`
	How  Tally `json:"how,omitempty"`
	// Corrections are hits whose text changed after they were sent, Withdrawals those
	// that were taken back.
	Corrections uint64 `json:"corrections,omitempty"`
	Withdrawals uint64 `json:"withdrawals,omitempty"`
}

// Tally counts by two words.
type Tally map[string]map[string]uint64

// Add adds n; it makes the tally if there is none yet.
func (t *Tally) Add(first, second string, n uint64) {
	if *t == nil {
		*t = Tally{}
	}
	if (*t)[first] == nil {
		(*t)[first] = map[string]uint64{}
	}
	(*t)[first][second] += n
}

// addAll adds all of another tally.
func (t *Tally) addAll(other Tally) {
	for first, seconds := range other {
		for second, n := range seconds {
			t.Add(first, second, n)
		}
	}
}

// Sum is the sum of all counts.
func (t Tally) Sum() (n uint64) {
	for _, seconds := range t {
		for _, k := range seconds {
			n += k
		}
	}
	return n
}

func (c *DayCounts) add(d DayCounts) {
	c.Reads += d.Reads
	c.Passages += d.Passages
	c.Corrections += d.Corrections
	c.Withdrawals += d.Withdrawals
	c.Hits.addAll(d.Hits)
	c.How.addAll(d.How)
}

// empty reports whether all counts are zero.
func (c *DayCounts) empty() bool {
	return c.Reads == 0 && c.Passages == 0 && len(c.Hits) == 0 && c.Corrections == 0 && c.Withdrawals == 0
}

// Count adds to the counts of a day. When a day begins, the counts of the previous
// one are appended to the trail.
func (t *Trail) Count(ctx context.Context, d DayCounts) error {
	if d.empty() {
		return nil
	}
	fail := func(err error) error { return &entry.Error{Op: "audit", Path: t.dir, Err: err} }
	if err := folder.Make(t.dir); err != nil {
		return fail(err)
	}
	unlock, err := folder.Lock(ctx, t.dir, folder.LockWait)
	if err != nil {
		return fail(err)
	}
	defer unlock()
	c, err := t.counted()
	if err != nil {
		c = DayCounts{} // damaged: its counts are lost
	}
	if c.Day != d.Day && !c.empty() {
		if err := t.appendLocked([]Record{{Kind: Counts, Counts: &c}}); err != nil {
			return fail(err)
		}
		c = DayCounts{}
	}
	c.Day = d.Day
	c.add(d)
	b, err := json.Marshal(c)
	if err != nil {
		return fail(err)
	}
	if err := folder.WriteSealed(filepath.Join(t.dir, "counts"), t.key, b); err != nil {
		return fail(err)
	}
	return nil
}

// counted returns the counts of the current day, which is not in the trail yet.
func (t *Trail) counted() (DayCounts, error) {
	var c DayCounts
	b, err := folder.ReadSealed(filepath.Join(t.dir, "counts"), t.key)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(b, &c)
}
