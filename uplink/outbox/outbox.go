// Package outbox keeps accepted hits on disk until they are delivered.
//
// A hit that [Outbox.Accept] took is on disk (fsync) when it returns, and is
// delivered under one id or counted as dropped. [Outbox.Next] looks at the hit to
// send next and changes nothing; [Outbox.Remove] takes it out once it is delivered,
// [Outbox.Quarantine] puts it aside if it can never be.
package outbox

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"platewatch/uplink/failure"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"
)

// Outbox holds accepted hits on disk until they are delivered. It is safe
// for concurrent use; one process at a time can have a file open.
//
// A write costs one or two fsyncs and blocks other calls meanwhile. It never
// waits for the network.
//
// While the disk cannot be written the outbox continues in memory, within a bound
// of its own, says so in its stats, and retries the disk every few seconds. Hits
// accepted meanwhile are delivered, but would be lost in a power cut.
type Outbox struct {
	path string
	unit string
	opts Settings
	log  *slog.Logger

	sealer *journal.Sealer // of the bodies; nil leaves them as they are

	// Tests put a full or failing disk, or another clock, here.
	commit func(db *bolt.DB, f func(*bolt.Tx) error) error
	number journal.NumberFile
	now    func() time.Time

	installations installations // read only once it is open

	stop, maintenanceDone chan struct{} // end of runMaintenance: asked for, reached

	mu          sync.Mutex
	closed      bool
	db          *bolt.DB          // nil while the file cannot be opened, and once closed
	readOnly    bool              // db was opened only to read
	opened      fs.FileInfo       // of db's file
	index       []slot            // pending hits, by sequence
	bytes       int64             // of the pending records
	quarantined []uint64          // quarantined, oldest first
	delivered   map[uint64]uint32 // latest delivered revision, of recent numbers

	unsaved      journal.Changes // not in the file yet
	unsavedBytes int64
	disk         error     // why the disk took no writes; nil if it does
	retryAt      time.Time // of the disk; not before this
	skippedAhead bool      // numbers now start at a random offset: uniqueness is only probable

	lastNum uint64 // no number above this was given out; numbers below it may have been skipped
	given   uint64 // the number given out last, 0 if unknown
	lastSeq uint64
	ceiling uint64 // what the side file holds
	counts  message.OutboxHealth
	dropped map[string]uint64 // hits, by priority
	damage  *Damage

	keepFor retention

	deliveries  [len(deliveryBounds) + 1]uint64 // by the time that they took
	deliverySum float64                         // of these times, in seconds
	added       chan struct{}                   // holds one token after something was added
}

// maxDelivered is how many delivered numbers are remembered, so that a later
// update of one of them gets the next revision.
const maxDelivered = 1024

// Close waits for running calls and closes the file. Pending hits stay in it.
// The error says how many hits were only in memory and are lost.
func (o *Outbox) Close() error {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return nil
	}
	var err error
	if len(o.unsaved) > 0 {
		if err = o.repair(func() error { return o.flush(nil) }); err != nil {
			err = fmt.Errorf("%d hits were only in memory and are lost: %w", o.unsavedHits(), err)
		}
	}
	o.closed = true
	close(o.stop)
	if o.db != nil {
		err = errors.Join(err, journal.Guard(o.db.Close))
		o.db = nil
	}
	if err == nil && o.disk == nil {
		err = o.number.Save(journal.NumberMark{Unit: o.unit, Ceiling: o.lastNum, Given: o.given, Clean: true})
	}
	o.mu.Unlock()
	<-o.maintenanceDone
	if err != nil {
		return o.fail("close the outbox", err)
	}
	return nil
}

// Unit is the name of the unit.
func (o *Outbox) Unit() string { return o.unit }

// repair runs f, and if that finds damage, once more on a fresh file. Sequences
// differ there, so f must look up again whatever it works on. If no fresh file
// can be made now, f runs without a disk.
func (o *Outbox) repair(f func() error) error {
	err := f()
	if errors.Is(err, journal.ErrDamaged) {
		if err := o.rebuild(err); err != nil {
			_ = o.diskFailed(err)
		}
		err = f()
	}
	return err
}

// wake puts a token into added.
func (o *Outbox) wake() {
	select {
	case o.added <- struct{}{}:
	default:
	}
}

// Added receives a token after hits were accepted or updated. It holds at most
// one, so the receiver must look at all pending hits.
func (o *Outbox) Added() <-chan struct{} { return o.added }

// slotOf finds the pending hit with this number, or returns -1. Updates are
// rare and concern recent hits, so it searches from the end.
func (o *Outbox) slotOf(number uint64) int {
	for i := len(o.index) - 1; i >= 0; i-- {
		if o.index[i].number == number {
			return i
		}
	}
	return -1
}

// find returns the position of a pending hit in the index.
func (o *Outbox) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(o.index, seq, func(s slot, seq uint64) int {
		switch {
		case s.seq < seq:
			return -1
		case s.seq > seq:
			return 1
		}
		return 0
	})
}

// newerAdvice is for what a later version wrote: nothing was changed.
const newerAdvice = "install that version again: nothing was changed, and the hits wait there; or move the outbox and the files beside it away, and they are not sent"

// fail wraps an error for the caller, with advice.
func (o *Outbox) fail(op string, err error) error {
	e := &failure.Error{Op: op, Path: o.path, Err: err}
	switch {
	case errors.Is(err, ErrLocked):
		e.Advice = "stop the daemon that uses it, or configure another outbox file"
	case errors.Is(err, ErrNewer):
		e.Advice = newerAdvice
	case errors.Is(err, ErrFull):
		e.Advice = "restore the connection to the broker, or raise the outbox's bounds"
	case errors.Is(err, fs.ErrPermission):
		e.Advice = "give the daemon's user write access to the file and its folder"
	case errors.Is(err, fs.ErrNotExist):
		e.Advice = "create the folder first"
	}
	return e
}
