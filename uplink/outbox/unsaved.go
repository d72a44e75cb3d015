package outbox

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"

	bolterrors "go.etcd.io/bbolt/errors"
)

// Every write is first a set of changes: keys and their new values. Normally the
// set is committed at once. While the disk cannot be written (it is full, read-only
// or broken) the sets are kept in memory as an overlay of the file, and committed
// together once it takes writes again. Committing a set twice is harmless.

// retryDisk is the default of [Settings.MaintainEvery].
const retryDisk = 5 * time.Second

// read gets one value as it will be once everything is on disk. The value is the
// caller's.
func (o *Outbox) read(bucket []byte, key []byte) ([]byte, error) {
	if v, ok := o.unsaved[journal.CellOf(bucket, key)]; ok {
		return v, nil
	}
	if o.db == nil {
		return nil, errors.Join(journal.ErrDisk, o.disk)
	}
	var value []byte
	err := journal.Guard(func() error {
		return o.db.View(func(tx *bolt.Tx) error {
			value = slices.Clone(tx.Bucket(bucket).Get(key))
			return nil
		})
	})
	return value, err
}

// save commits a set of changes, together with those that are only in memory. An
// error that is not [journal.ErrDamaged] satisfies [journal.ErrDisk]; the caller
// then keeps the changes with [Outbox.hold] or abandons them.
func (o *Outbox) save(c journal.Changes) error {
	if o.closed {
		return ErrClosed
	}
	if o.disk != nil && o.now().Before(o.retryAt) {
		return errors.Join(journal.ErrDisk, o.disk)
	}
	return o.flush(c)
}

// flush tries the disk now, even if it failed a moment ago.
func (o *Outbox) flush(c journal.Changes) error {
	switch {
	case o.disk != nil && o.replaced():
		if err := o.moveOver(); err != nil {
			return o.diskFailed(err)
		}
	case o.db == nil || o.readOnly:
		if err := o.reopen(); err != nil {
			return o.diskFailed(err)
		}
	}
	// c may override what is only in memory, so that is applied first, in the same
	// transaction.
	err := journal.Guard(func() error {
		return o.commit(o.db, func(tx *bolt.Tx) error {
			if err := o.unsaved.Apply(tx); err != nil {
				return err
			}
			return c.Apply(tx)
		})
	})
	switch {
	case err == nil:
		o.diskWorks()
		return nil
	case errors.Is(err, journal.ErrDamaged):
		return err
	case errors.Is(err, bolterrors.ErrInvalidMapping):
		// It grew and could not be mapped again: the next flush opens it anew.
		err = errors.Join(err, o.db.Close())
		o.db = nil
	}
	return o.diskFailed(err)
}

// diskFailed notes that the disk cannot be written. The error satisfies
// [journal.ErrDisk].
func (o *Outbox) diskFailed(err error) error {
	if o.disk == nil {
		o.log.Error("cannot write to the outbox's disk; hits are kept in memory and delivered from there",
			"file", o.path, "error", err)
		o.counts.DiskFailures++
	}
	o.disk = err
	o.retryAt = o.now().Add(o.opts.MaintainEvery)
	return errors.Join(journal.ErrDisk, err)
}

// diskWorks notes that everything is on disk now.
func (o *Outbox) diskWorks() {
	if o.disk != nil {
		o.log.Info("the outbox's disk can be written again", "file", o.path, "saved_hits", o.unsavedHits())
		o.disk = nil
	}
	if len(o.unsaved) > 0 {
		clear(o.unsaved)
		o.unsavedBytes = 0
		for i := range o.index {
			o.index[i].inFile = true
		}
	}
}

// hold keeps a set of changes in memory. Where that exceeds the bound, pictures
// that are only in memory are evicted before hits, the least urgent first and
// among them the oldest. s is the hit that the changes add, nil if there is none.
// It returns [ErrFull] if that hit itself is evicted.
func (o *Outbox) hold(c journal.Changes, s *slot) error {
	for at, v := range c {
		if old, ok := o.unsaved[at]; ok {
			o.unsavedBytes -= journal.CellCost + int64(len(old))
		}
		o.unsaved[at] = v
		o.unsavedBytes += journal.CellCost + int64(len(v))
	}
	if o.unsavedBytes <= o.opts.MaxMemory {
		return nil
	}
	var order []slot
	for _, p := range o.index {
		if o.isUnsaved(journal.BucketHits, p.seq) && (s == nil || p.seq != s.seq) {
			order = append(order, p)
		}
	}
	if s != nil {
		order = append(order, *s)
	}
	slices.SortFunc(order, leastUrgentOldest)
	for _, p := range order {
		if o.unsavedBytes <= o.opts.MaxMemory {
			return nil
		}
		if o.isUnsaved(journal.BucketPictures, p.seq) {
			o.drop(journal.BucketPictures, p)
			o.counts.DroppedPictures++
			if s != nil && p.seq == s.seq {
				s.pictures = 0
			} else if i, ok := o.find(p.seq); ok {
				o.bytes -= o.index[i].pictures
				o.index[i].pictures = 0
			}
		}
	}
	for _, p := range order {
		if o.unsavedBytes <= o.opts.MaxMemory {
			return nil
		}
		if s != nil && p.seq == s.seq {
			o.revert(*s)
			return ErrFull
		}
		o.drop(journal.BucketHits, p)
		o.countDropped(p)
		o.forget([]uint64{p.seq})
	}
	return nil
}

// drop removes a value from memory. If the file has an older one, that is marked
// for deletion.
func (o *Outbox) drop(bucket []byte, s slot) {
	at := journal.CellOf(bucket, journal.Key(s.seq))
	o.unsavedBytes -= int64(len(o.unsaved[at]))
	if s.inFile {
		o.unsaved[at] = nil
		return
	}
	delete(o.unsaved, at)
	o.unsavedBytes -= journal.CellCost
}

// revert removes a rejected hit from memory. If it was to replace one in the file,
// that one stays.
func (o *Outbox) revert(s slot) {
	for _, bucket := range [][]byte{journal.BucketHits, journal.BucketPictures} {
		at := journal.CellOf(bucket, journal.Key(s.seq))
		if v, ok := o.unsaved[at]; ok {
			o.unsavedBytes -= journal.CellCost + int64(len(v))
			delete(o.unsaved, at)
		}
	}
	if !s.inFile {
		o.forget([]uint64{s.seq})
	}
}

// isUnsaved is true if a value is only in memory.
func (o *Outbox) isUnsaved(bucket []byte, seq uint64) bool {
	return o.unsaved[journal.CellOf(bucket, journal.Key(seq))] != nil
}

// unsavedHits counts the hits that are only in memory.
func (o *Outbox) unsavedHits() (n int) {
	for at, v := range o.unsaved {
		if at.Bucket == string(journal.BucketHits) && v != nil {
			n++
		}
	}
	return n
}

// leastUrgentOldest sorts in the order of eviction.
func leastUrgentOldest(a, b slot) int {
	return cmp.Or(-cmp.Compare(a.urgency, b.urgency), cmp.Compare(a.seq, b.seq))
}

// runMaintenance calls maintain from time to time, until the outbox is closed.
func (o *Outbox) runMaintenance() {
	defer close(o.maintenanceDone)
	tick := time.NewTicker(o.opts.MaintainEvery)
	defer tick.Stop()
	for {
		select {
		case <-o.stop:
			return
		case <-tick.C:
		}
		o.mu.Lock()
		o.maintain()
		deleted := o.takeDeleted()
		o.mu.Unlock()
		if deleted > 0 && o.opts.Deleted != nil {
			o.opts.Deleted(deleted)
		}
	}
}

// maintain retries a failing disk, and drops expired hits.
func (o *Outbox) maintain() {
	if o.closed {
		return
	}
	if o.disk != nil || len(o.unsaved) > 0 {
		err := o.repair(func() error { return o.flush(nil) })
		if err == nil {
			o.raiseCeiling(o.lastNum + 1)
			o.wake()
		}
	}
	o.tickAges()
	o.expire()
	o.retain()
}

// expire drops hits that are older than their priority's bound, for which only a
// certain age counts: a clock that jumped must not empty the outbox. It deletes those
// that were held for longer than [Settings.Retention].
func (o *Outbox) expire() {
	var old []uint64
	deleted := 0
	for _, s := range o.index {
		limit := o.opts.limit(s.urgency).MaxAge
		age, sure := o.age(s)
		late := o.heldFor(s) > o.opts.Retention
		if sure && age > limit || late {
			old = append(old, s.seq)
		}
		if late {
			deleted++
		}
	}
	if len(old) == 0 {
		return
	}
	c := journal.Changes{}
	c.Remove(journal.BucketHits, old...)
	c.Remove(journal.BucketPictures, old...)
	if err := o.keep(c); err != nil {
		o.log.Error("cannot drop expired hits; retrying", "hits", len(old), "error", err)
		return
	}
	for _, seq := range old {
		if i, ok := o.find(seq); ok {
			o.countDropped(o.index[i])
			o.counts.Expired++
		}
	}
	o.forget(old)
	o.keepFor.deleted += deleted
	o.log.Warn("hits expired and were dropped", "hits", len(old))
}

// keep saves changes that add no hit, or holds them if the disk cannot be written.
func (o *Outbox) keep(c journal.Changes) error {
	err := o.save(c)
	if errors.Is(err, journal.ErrDisk) {
		return o.hold(c, nil)
	}
	return err
}
