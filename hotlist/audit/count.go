package audit

import (
	"context"
	"encoding/json"
	"path/filepath"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

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
	c, err := t.Counted()
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
