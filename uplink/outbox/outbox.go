// Package outbox keeps accepted hits on disk until they were delivered.
package outbox

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"platewatch/uplink/internal/failure"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"
)

// Outbox holds accepted hits on disk until they were delivered. It is safe
// for concurrent use; one process at a time can have a file open.
//
// A write costs one or two fsyncs and holds up other calls meanwhile. It
// never waits for the network.
//
// While the disk takes no writes the outbox goes on in memory, within a bound
// of its own, says so in its stats, and tries the disk again every few seconds.
// What was accepted meanwhile is delivered, but would be lost with the power.
type Outbox struct {
	path string
	unit string
	opts Settings
	log  *slog.Logger

	// Seams: the tests put a full or failing disk, or another clock, here.
	commit func(db *bolt.DB, f func(*bolt.Tx) error) error
	number journal.NumberFile
	now    func() time.Time

	stop, maintenanceDone chan struct{} // end of tend: asked for, reached

	mu          sync.Mutex
	closed      bool
	db          *bolt.DB          // nil while the file cannot be opened, and once closed
	readOnly    bool              // db was opened only to read
	opened      fs.FileInfo       // of db's file
	index       []slot            // pending hits in the order of their sequence
	bytes       int64             // of the pending records
	quarantined []uint64          // quarantined, oldest first
	delivered   map[uint64]uint32 // last delivered revision of the latest numbers

	unsaved      journal.Changes // what the file lacks
	unsavedBytes int64
	disk         error     // why the disk took no writes; nil if it does
	retryAt      time.Time // not before this by the monotonic clock
	skippedAhead bool      // the numbers given out now are covered by chance only, see leap

	lastNum uint64 // no number above this was given out; numbers below it may have been skipped
	given   uint64 // the number given out last, 0 if unknown
	lastSeq uint64
	ceiling uint64 // what the side file holds
	counts  message.OutboxHealth
	dropped map[string]uint64 // hits, by priority
	damage  *Damage
	added   chan struct{} // holds one token after something was added
}

// maxDelivered is how many delivered numbers are remembered, so that a later
// update of one of them gets the next revision.
const maxDelivered = 1024

// Close waits for running calls and closes the file. Pending hits stay in it.
// The error tells if there were hits that the disk did not take.
func (o *Outbox) Close() error {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return nil
	}
	var err error
	if len(o.unsaved) > 0 {
		if err = o.repair(func() error { return o.flush(nil) }); err != nil {
			err = fmt.Errorf("%d hits are lost that were only in memory: %w", o.unsavedHits(), err)
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

// Unit is the unit whose hits these are.
func (o *Outbox) Unit() string { return o.unit }

// repair runs f, and when that finds damage, once more on a fresh file. That
// has other sequences, so f must look up again whatever it works on. If there
// can be no fresh file now, f runs without a disk.
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

func (o *Outbox) wake() {
	select {
	case o.added <- struct{}{}:
	default:
	}
}

// Added receives a value after a hit was accepted or updated. It holds at
// most one, so whoever receives from it must look at everything.
func (o *Outbox) Added() <-chan struct{} { return o.added }

// slotOf finds the pending hit with this number, or returns -1. Updates are
// rare and concern recent hits, so it looks from the end.
func (o *Outbox) slotOf(number uint64) int {
	for i := len(o.index) - 1; i >= 0; i-- {
		if o.index[i].number == number {
			return i
		}
	}
	return -1
}

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

func (o *Outbox) fail(op string, err error) error {
	e := &failure.Error{Op: op, Path: o.path, Err: err}
	switch {
	case errors.Is(err, ErrLocked):
		e.Advice = "stop the daemon that uses it, or give this one another outbox file"
	case errors.Is(err, ErrFull):
		e.Advice = "bring the broker back, or raise the outbox's bounds"
	case errors.Is(err, fs.ErrPermission):
		e.Advice = "give the daemon's user write access to the file and its folder"
	case errors.Is(err, fs.ErrNotExist):
		e.Advice = "create the folder first"
	}
	return e
}
