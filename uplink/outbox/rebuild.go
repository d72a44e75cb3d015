package outbox

import (
	"time"

	"platewatch/uplink/outbox/internal/journal"
)

// Damage reports a damaged outbox file.
type Damage struct {
	At       time.Time
	Reason   string // what was wrong
	Kept     string // where the damaged file is
	Salvaged int    // pending hits copied to the fresh file
}

// Damage is nil if the file was intact.
func (o *Outbox) Damage() *Damage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.damage
}

// rebuild replaces the damaged file by a fresh one with what is readable, and
// opens that. Called with the lock held, or before other goroutines know the
// outbox.
func (o *Outbox) rebuild(cause error) error {
	running := o.db != nil
	if running {
		// Closing a damaged database can fail; its file is abandoned anyway.
		if err := journal.Guard(o.db.Close); err != nil {
			o.log.Warn("cannot close the damaged outbox", "error", err)
		}
		o.db = nil
	}
	old, err := journal.ScanRecords(o.path)
	if err != nil {
		return err
	}
	old.Add(o.unsaved)
	kept, hits, err := old.Salvage(o.path, o.unit, o.file(false))
	if err != nil {
		return err
	}
	o.damage = &Damage{At: o.now(), Reason: cause.Error(), Kept: kept, Salvaged: hits}
	o.counts.Salvaged += uint64(hits)
	o.log.Error("the outbox was damaged; a fresh file holds what could be read",
		"file", o.path, "kept", kept, "salvaged", hits, "error", cause)
	o.lastNum = max(o.lastNum, old.LastNumber)
	o.lastSeq = max(o.lastSeq, old.LastSeq)
	clear(o.unsaved) // is in the fresh file
	o.unsavedBytes = 0
	if err := o.load(); err != nil {
		return err
	}
	if running {
		// On opening, restoreNumber leaves the gap.
		o.lastNum += damageGap
		o.given = 0
		o.raiseCeiling(o.lastNum + 1)
		o.wake()
	}
	return nil
}
