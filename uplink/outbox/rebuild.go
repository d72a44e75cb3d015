package outbox

import (
	"errors"
	"io/fs"
	"os"
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
	hits := old.Pending()
	half, corrupt := o.path+".salvage", o.path+".corrupt"
	if err := os.Remove(half); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := old.WriteTo(half, o.unit, hits, o.opts.file(false)); err != nil {
		return err
	}
	if err := os.Rename(o.path, corrupt); err != nil {
		return err
	}
	if err := os.Rename(half, o.path); err != nil {
		return err
	}
	if err := journal.SyncFolder(o.path); err != nil {
		return err
	}
	o.damage = &Damage{At: o.now(), Reason: cause.Error(), Kept: corrupt, Salvaged: len(hits)}
	o.counts.Salvaged += uint64(len(hits))
	o.log.Error("the outbox was damaged; a fresh file holds what could be read",
		"file", o.path, "kept", corrupt, "salvaged", len(hits), "error", cause)
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
