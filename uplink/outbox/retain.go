package outbox

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"platewatch/uplink/outbox/internal/journal"
)

// A hit may stay on the unit for [Settings.Retention], whatever the clock says.
//
// In the run that accepted it, its age is exact. Of hits of earlier runs it is, by a
// clock that was set then and is now. Else it is bounded: once a minute a mark notes
// which numbers were given out, for how long the outbox ran so far, and the time that
// has certainly passed. A hit is at least as old as the time for which the outbox ran
// since the mark before it; and once the clock is set, it counts as accepted at the
// earliest time that is possible, so that time without power is not forgotten. What
// cannot be known is the time without power while the clock was never set.

// agesSuffix names the side file, see [journal.Ages].
const agesSuffix = ".ages"

// markEvery is how exact ages of earlier runs are.
const markEvery = time.Minute

// retention is the outbox's own work for [Settings.Retention].
type retention struct {
	ages    journal.Ages
	elapsed func() time.Duration // of this run, by the monotonic clock
	base    time.Duration        // of journal.Ages.Running when this run began
	saved   time.Duration        // Running when it was last written
	looked  time.Duration        // Running when the quarantine was last looked at
	parked  uint64               // the smallest number in quarantine; 0: none
	deleted int                  // hits that were deleted and not told yet
}

// beginAges reads the side file.
func (o *Outbox) beginAges() {
	o.keepFor.ages = journal.ReadAges(o.path + agesSuffix)
	began := time.Now()
	o.keepFor.elapsed, o.keepFor.base = func() time.Duration { return time.Since(began) }, o.keepFor.ages.Running
	if len(o.index) > 0 && o.keepFor.ages.Floor == nil { // of a version without the side file
		o.keepFor.ages.Floor = &journal.AgeMark{Running: o.keepFor.base}
	}
}

// tickAges brings the ages up to date, and writes them once a minute while there is
// something whose age matters.
func (o *Outbox) tickAges() {
	k := &o.keepFor
	now := o.now()
	k.ages.Running = k.running()
	if o.opts.ClockSet() {
		k.ages.Certain, k.ages.CertainAt = now.UnixMilli(), k.ages.Running
		for i := range k.ages.Marks {
			k.learn(&k.ages.Marks[i])
		}
		if k.ages.Floor != nil {
			k.learn(k.ages.Floor)
		}
	}
	mark := journal.AgeMark{Number: o.lastNum, Running: k.ages.Running, Least: k.ages.Least()}
	last := len(k.ages.Marks) - 1
	switch {
	case last < 0:
		k.ages.Marks = append(k.ages.Marks, mark)
	case k.ages.Marks[last].Number == o.lastNum:
		k.ages.Marks[last] = mark // nothing came since
	case k.ages.Running-k.ages.Marks[last].Running >= max(markEvery, o.opts.Retention/1000):
		k.ages.Marks = append(k.ages.Marks, mark)
	}
	if k.ages.Floor == nil && (o.lastNum > k.ages.Scrubbed || len(o.index) > 0 || len(o.quarantined) > 0) {
		floor := k.ages.Before(k.ages.Scrubbed + 1)
		for _, s := range o.index {
			if m := k.ages.Before(s.number); m.Running < floor.Running {
				floor = m
			}
		}
		k.ages.Floor = &floor
	}
	if k.ages.Running-k.saved < markEvery || k.ages.Floor == nil && k.ages.Kept == nil {
		return
	}
	o.pruneMarks()
	k.saved = k.ages.Running
	if err := k.ages.Save(o.path + agesSuffix); err != nil {
		o.log.Warn("the ages of hits cannot be written", "file", o.path+agesSuffix, "error", err)
	}
}

// running is for how long the outbox ran, in all.
func (k *retention) running() time.Duration {
	if k.elapsed == nil {
		return k.base // it is being opened
	}
	return k.base + k.elapsed()
}

// learn raises the bound of a mark of this run, now that the time is known.
func (k *retention) learn(m *journal.AgeMark) {
	if m.Running > k.base {
		m.Least = max(m.Least, k.ages.Certain-(k.ages.Running-m.Running).Milliseconds())
	}
}

// pruneMarks drops marks that no hit needs.
func (o *Outbox) pruneMarks() {
	oldest := o.lastNum + 1
	for _, s := range o.index {
		oldest = min(oldest, s.number)
	}
	if o.keepFor.parked > 0 {
		oldest = min(oldest, o.keepFor.parked)
	}
	marks := o.keepFor.ages.Marks
	for len(marks) > 1 && marks[1].Number < oldest {
		marks = marks[1:]
	}
	o.keepFor.ages.Marks = slices.Clone(marks)
}

// since is how long ago a mark was, at most as far as that is known.
func (o *Outbox) since(m journal.AgeMark) time.Duration {
	age := o.keepFor.ages.Running - m.Running
	if m.Least > 0 && o.opts.ClockSet() {
		age = max(age, time.Duration(o.now().UnixMilli()-m.Least)*time.Millisecond)
	}
	return age
}

// heldFor is how long a hit is held, at most as far as that is known.
func (o *Outbox) heldFor(s slot) time.Duration {
	if s.thisRun {
		return o.keepFor.running() - s.ran
	}
	if age, sure := o.age(s); sure {
		return age
	}
	return o.since(o.keepFor.ages.Before(s.number))
}

// retain deletes what was held for longer than [Settings.Retention]: hits in
// quarantine, the damaged file that was kept, and what freed pages still hold.
// Pending hits are expired by [Outbox.expire]. It is called with the lock held.
func (o *Outbox) retain() {
	k := &o.keepFor
	o.tickAges()
	o.retainQuarantine()
	o.retainDamaged()
	if k.ages.Floor == nil || o.since(*k.ages.Floor) <= o.opts.Retention || o.db == nil || o.readOnly || o.disk != nil {
		return
	}
	// What is older is deleted by now; the freed pages are next.
	if pages, err := o.scrub(); err != nil {
		o.log.Error("what was deleted cannot be overwritten; retrying", "file", o.path, "error", err)
		return
	} else if pages > 0 {
		o.log.Info("what was deleted is overwritten", "file", o.path, "pages", pages)
	}
	k.ages.Floor, k.ages.Scrubbed = nil, o.lastNum
	oldest := uint64(0)
	for _, s := range o.index {
		if oldest == 0 || s.number < oldest {
			oldest = s.number
		}
	}
	if oldest > 0 {
		floor := k.ages.Before(oldest)
		k.ages.Floor = &floor
	}
	o.pruneMarks()
	if err := k.ages.Save(o.path + agesSuffix); err != nil {
		o.log.Warn("the ages of hits cannot be written", "file", o.path+agesSuffix, "error", err)
	}
}

func (o *Outbox) scrub() (pages int, err error) {
	err = journal.Guard(func() error { pages, err = journal.Scrub(o.db, o.path); return err })
	return pages, err
}

// retainQuarantine deletes hits in quarantine.
func (o *Outbox) retainQuarantine() {
	k := &o.keepFor
	if len(o.quarantined) == 0 || k.ages.Running-k.looked < markEvery && k.parked > 0 {
		return
	}
	k.looked, k.parked = k.ages.Running, 0
	var old []uint64
	for _, seq := range o.quarantined {
		r, err := o.sealedRecord(journal.KindHit, journal.BucketQuarantine, seq)
		if err != nil {
			continue // a rebuild finds it
		}
		if o.since(o.keepFor.ages.Before(r.Number)) > o.opts.Retention {
			old = append(old, seq)
		} else if k.parked == 0 || r.Number < k.parked {
			k.parked = r.Number
		}
	}
	if len(old) == 0 {
		return
	}
	c := journal.Changes{}
	c.Remove(journal.BucketQuarantine, old...)
	if err := o.keep(c); err != nil {
		o.log.Error("cannot delete hits in quarantine; retrying", "hits", len(old), "error", err)
		return
	}
	o.quarantined = slices.DeleteFunc(o.quarantined, func(seq uint64) bool { return slices.Contains(old, seq) })
	k.deleted += len(old)
}

// retainDamaged deletes the damaged file that a salvage kept.
func (o *Outbox) retainDamaged() {
	k, path := &o.keepFor, o.path+".corrupt"
	info, err := os.Stat(path)
	if err != nil {
		k.ages.Kept = nil
		return
	}
	if k.ages.Kept == nil {
		seen := k.ages.Running
		k.ages.Kept = &seen
	}
	byClock := o.opts.ClockSet() && o.now().Sub(info.ModTime()) > o.opts.Retention
	if k.ages.Running-*k.ages.Kept <= o.opts.Retention && !byClock {
		return
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.log.Error("the damaged file cannot be deleted; retrying", "file", path, "error", err)
		return
	}
	o.log.Info("the damaged file was deleted: its time is over", "file", path)
	k.ages.Kept = nil
	k.deleted++
}

// takeDeleted returns how many hits were deleted since the last call.
func (o *Outbox) takeDeleted() int {
	n := o.keepFor.deleted
	o.keepFor.deleted = 0
	return n
}
