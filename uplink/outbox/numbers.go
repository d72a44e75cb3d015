package outbox

import (
	"errors"
	"io/fs"
	"math/rand/v2"

	"platewatch/uplink/outbox/internal/journal"
)

// The number in an id must never be used twice, even when the database is
// damaged, deleted or replaced by an older copy. So it is kept in two places: in
// the database, in the same transaction as the hit, and in a small side file next
// to it.
//
// Writing the side file for every hit would double the flash writes, so it
// holds a ceiling: numbers up to it may be in use. The ceiling is raised by a
// block before the first number above it is used, and lowered again on a clean
// close. On opening, the higher of both counts. The rest of the block is what can
// be used while the disk cannot be written; skipAhead gives the numbers after it.
//
// After a crash this leaves a few numbers unused. Receivers do not count them as
// lost hits, because every hit names the number that was used before it.
const (
	numberBlock = 256
	// damageGap is how many numbers are skipped after damage, above the highest
	// number found anywhere, in case both places are out of date.
	damageGap = 1000
)

// restoreNumber takes the higher number of the two places and writes it back to
// the side file. fresh: there was no database.
func (o *Outbox) restoreNumber(fresh, damaged bool) error {
	mark, err := o.number.Read()
	switch {
	case errors.Is(err, journal.ErrDamaged):
		o.log.Warn("the outbox's number file is damaged; using the database's number", "file", o.number.Path)
		damaged = damaged || fresh
	case errors.Is(err, fs.ErrNotExist):
		if o.given > 0 {
			o.log.Warn("the outbox's number file is missing; using the database's number", "file", o.number.Path)
		}
	case journal.IsDiskFailure(err):
		_ = o.diskFailed(err)
	case err != nil:
		return err
	default:
		// A database that knows fewer numbers than were given out when the
		// side file was written is not the one that was last in use.
		damaged = damaged || o.given < mark.Given || mark.Clean && o.given != mark.Given
		o.lastNum = max(o.lastNum, mark.Ceiling)
	}
	o.ceiling = 0
	if damaged {
		o.lastNum += damageGap
		o.given = 0
		o.log.Warn("the numbers leave a gap, because some may have been lost", "gap", damageGap, "last", o.lastNum)
	}
	o.raiseCeiling(o.lastNum + 1)
	return nil
}

// raiseCeiling makes the side file cover number. If it cannot be written, the
// database's own number still counts: the hit is not refused, and the failure is
// reported.
func (o *Outbox) raiseCeiling(number uint64) {
	if number <= o.ceiling {
		return
	}
	ceiling := number + numberBlock - 1
	if err := o.number.Save(journal.NumberMark{Unit: o.unit, Ceiling: ceiling, Given: o.given}); err != nil {
		if o.counts.NumberFileProblem == "" {
			o.log.Error("cannot write the outbox's number file", "file", o.number.Path, "error", err)
		}
		o.counts.NumberFileProblem = err.Error()
		return
	}
	o.ceiling, o.skippedAhead = ceiling, false
	o.counts.NumberFileProblem = ""
}

// skipAhead continues with numbers at a random offset above the highest known.
// It is for numbers that neither of the two places can hold because the disk
// cannot be written: a later run does not know of them, and must not use them
// again. Numbers stay below 2^53, the largest range of integers that a receiver
// with floating-point numbers only can hold.
func (o *Outbox) skipAhead() {
	o.lastNum = max(o.lastNum, o.ceiling) + rand.Uint64N(skipRange)
	o.skippedAhead = true
	o.log.Warn("the numbers skip ahead, because the disk cannot hold them", "last", o.lastNum)
}

// skipRange makes the probability that two runs of 10,000 hits share a number
// about 1 in 50 million: 2 × 10⁴ / 2⁴⁰.
const skipRange = 1 << 40
