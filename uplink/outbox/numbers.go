package outbox

import (
	"errors"
	"io/fs"
	"math/rand/v2"

	"platewatch/uplink/outbox/internal/journal"
)

// The number in an id must never be given out twice, also when the database
// is damaged, deleted or replaced by an older copy. So it is kept in two
// places: in the database, in the same transaction as the hit, and in a small
// side file next to it.
//
// Writing the side file for every hit would double the flash writes, so it
// holds a ceiling: numbers up to it may be in use. The ceiling is raised by a
// block before the first number above it is used, and lowered again on a clean
// close. On opening, the highest of both wins. The block is also what can be
// given out while the disk takes no writes; see leap for what comes after it.
//
// After a crash this leaves a few numbers unused. Receivers do not take them
// for lost hits because every hit says which number was given out before it.
const (
	numberBlock = 256
	// damageGap is left after damage on top of the highest number found
	// anywhere, in case both places are behind.
	damageGap = 1000
)

// settleNumber takes the highest number known from both places and writes it
// back to the side file. fresh: there was no database.
func (o *Outbox) settleNumber(fresh, damaged bool) error {
	mark, err := o.number.Read()
	switch {
	case errors.Is(err, journal.ErrDamaged):
		o.log.Warn("the outbox's number file is damaged; the database's number counts", "file", o.number.Path)
		damaged = damaged || fresh
	case errors.Is(err, fs.ErrNotExist):
		if o.given > 0 {
			o.log.Warn("the outbox's number file is missing; the database's number counts", "file", o.number.Path)
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
		o.log.Warn("the numbering leaves a gap, because numbers may have been lost", "gap", damageGap, "last", o.lastNum)
	}
	o.raiseCeiling(o.lastNum + 1)
	return nil
}

// raiseCeiling makes the side file cover number. When the side file cannot be
// written the database's own number still counts, so the hit is not refused;
// the failure is reported.
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

// leap goes on with numbers from a random place above the highest known. It is
// for numbers that neither of the two places can hold because the disk takes
// no writes: a run after this one does not know of them, and must not give
// them out again. Numbers stay below 2^53, which receivers that know only
// floating-point numbers can hold.
func (o *Outbox) skipAhead() {
	o.lastNum = max(o.lastNum, o.ceiling) + rand.Uint64N(skipRange)
	o.skippedAhead = true
	o.log.Warn("the numbering leaves a gap, because the disk cannot hold the numbers", "last", o.lastNum)
}

// leapRange makes it less than one in a hundred million that two runs of ten
// thousand hits share a number.
const skipRange = 1 << 40
