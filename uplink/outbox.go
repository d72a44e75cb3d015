package uplink

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// OutboxOptions are the outbox's bounds. Zero values take the defaults.
//
// At a bound, pictures go before hits, and in both cases those of the least
// urgent and among them the oldest go first, each counted. A new hit that is
// less urgent than every pending one is itself the one that goes: Accept then
// returns [ErrFull].
type OutboxOptions struct {
	MaxBytes   int64 // of all records together; default 64 MiB. The file can be about twice that.
	MaxEntries int   // default 20,000: 8 hours of a hit every two seconds, and some
	// MaxAge is how long a hit may wait. Default 30 days. Only a certain age
	// counts: time on the monotonic clock, or on a wall clock that was set from
	// a time source both then and now.
	MaxAge time.Duration
	Limits map[int]Limit // by priority (1 is the most urgent), within the bounds of all

	// MaxMemory bounds what is kept in memory while the disk takes no writes.
	// Default 8 MiB.
	MaxMemory int64

	// HistoricalAfter is the age at which a hit counts as delivered late.
	// Until then it is live, and live hits go first. Default 30 s.
	HistoricalAfter time.Duration

	// ClockSet tells whether the wall clock is set from a time source; nil: it
	// is not believed.
	ClockSet func() bool

	// A larger picture is left out of its hit and counted. Defaults 48 KiB
	// and 160 KiB: with base64 a message stays below 300 KiB.
	MaxPlatePicture   int
	MaxContextPicture int
	// MaxMessage bounds a hit without its pictures, as JSON. A larger one is
	// refused with [ErrTooLarge]. Default 64 KiB.
	MaxMessage int

	// LockTimeout is how long to wait for another process to let go of the
	// file. Default 1 s.
	LockTimeout time.Duration
}

func (o OutboxOptions) withDefaults() OutboxOptions {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = 8 << 20
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 30 * 24 * time.Hour
	}
	if o.HistoricalAfter <= 0 {
		o.HistoricalAfter = 30 * time.Second
	}
	if o.ClockSet == nil {
		o.ClockSet = func() bool { return false }
	}
	def(&o.MaxEntries, 20_000)
	def(&o.MaxPlatePicture, 48<<10)
	def(&o.MaxContextPicture, 160<<10)
	def(&o.MaxMessage, 64<<10)
	o.MaxMessage = min(o.MaxMessage, maxBody)
	if o.LockTimeout <= 0 {
		o.LockTimeout = time.Second
	}
	return o
}

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
	opts OutboxOptions
	log  *slog.Logger

	// Seams: the tests put a full or failing disk, or another clock, here.
	commit func(db *bolt.DB, f func(*bolt.Tx) error) error
	number numberFile
	now    func() time.Time

	stop, tended chan struct{} // end of tend: asked for, reached

	mu        sync.Mutex
	closed    bool
	db        *bolt.DB          // nil while the file cannot be opened, and once closed
	readOnly  bool              // db was opened only to read
	index     []slot            // pending hits in the order of their sequence
	bytes     int64             // of the pending records
	quarSeqs  []uint64          // quarantined, oldest first
	delivered map[uint64]uint32 // last delivered revision of the latest numbers

	unsaved      changes // what the file lacks
	unsavedBytes int64
	disk         error     // why the disk took no writes; nil if it does
	retryAt      time.Time // not before this by the monotonic clock
	leapt        bool      // the numbers given out now are covered by chance only, see leap

	lastNum uint64 // no number above this was given out; numbers below it may have been skipped
	given   uint64 // the number given out last, 0 if unknown
	lastSeq uint64
	ceiling uint64 // what the side file holds
	counts  OutboxStats
	dropped map[string]uint64 // hits, by priority
	damage  *Damage
	added   chan struct{} // holds one token after something was added
}

// slot is what is kept in memory of a pending hit.
type slot struct {
	seq      uint64
	number   uint64
	previous uint64
	revision uint32
	urgency  uint8
	here     bool // accepted since this process started, so that mono counts
	mono     time.Time
	accepted int64 // unix ms by the wall clock then
	clockSet bool  // that clock was set from a time source
	inFile   bool  // the file holds this hit, perhaps in an older revision
	size     int64 // of the hit's record
	pictures int64 // of the pictures' record, 0 without
}

var (
	bucketHits       = []byte("hits")
	bucketPictures   = []byte("pictures")
	bucketDelivered  = []byte("delivered")
	bucketQuarantine = []byte("quarantine")
	bucketMeta       = []byte("meta")
	keyMeta          = []byte("last")
	keyUnit          = []byte("unit")

	buckets = [][]byte{bucketHits, bucketPictures, bucketDelivered, bucketQuarantine, bucketMeta}
)

// maxDelivered is how many delivered numbers are remembered, so that a later
// update of one of them gets the next revision.
const maxDelivered = 1024

// OpenOutbox opens the outbox file of a unit, or creates it. A damaged file is
// renamed to path + ".corrupt" (replacing an earlier one), what is readable in
// it is carried over to a fresh file, and [Outbox.Damage] tells about it. A
// file held by another process gives [ErrLocked]. A disk that is full or takes
// no writes is no error.
func OpenOutbox(path, unit string, opts OutboxOptions, log *slog.Logger) (*Outbox, error) {
	if err := ValidateUnit(unit); err != nil {
		return nil, err
	}
	o := &Outbox{
		path: path, unit: unit, opts: opts.withDefaults(), log: log,
		commit: func(db *bolt.DB, f func(*bolt.Tx) error) error { return db.Update(f) },
		number: newNumberFile(path + ".number"),
		now:    time.Now,
		added:  make(chan struct{}, 1),
		stop:   make(chan struct{}), tended: make(chan struct{}),
		unsaved: changes{}, delivered: map[uint64]uint32{},
	}
	if err := o.open(); err != nil {
		return nil, err
	}
	go o.tend()
	return o, nil
}

func (o *Outbox) open() error {
	fresh, err := finishSalvage(o.path)
	if err == nil {
		err = o.load()
	}
	damaged := errors.Is(err, errDamaged)
	if damaged {
		err = o.rebuild(err)
	}
	switch {
	case isDiskError(err):
		_ = o.diskFailed(err) // it goes on in memory
		if err := o.loadToRead(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			o.log.Error("what the outbox holds cannot be read for now", "file", o.path, "error", err)
		}
	case err != nil:
		return o.fail("open the outbox", err)
	}
	if err := o.settleNumber(fresh, damaged); err != nil {
		if o.db != nil {
			err = errors.Join(err, o.db.Close())
		}
		return o.fail("open the outbox", err)
	}
	if len(o.index) > 0 {
		o.wake()
	}
	return nil
}

// load opens the database and reads every record once, which is the check for
// damage that bbolt itself does not do.
func (o *Outbox) load() error {
	db, err := openBolt(o.path, o.opts.LockTimeout, false)
	if err != nil {
		return err
	}
	err = guard(func() error { return prepareBuckets(db, o.unit) })
	return o.loadFrom(db, err)
}

// loadToRead opens the database of a disk that takes no writes.
func (o *Outbox) loadToRead() error {
	db, err := openBolt(o.path, o.opts.LockTimeout, true)
	if err != nil {
		return err
	}
	o.readOnly = true
	return o.loadFrom(db, nil)
}

func (o *Outbox) loadFrom(db *bolt.DB, err error) error {
	var s snapshot
	if err == nil {
		err = guard(func() error { return db.View(func(tx *bolt.Tx) error { return s.read(tx) }) })
	}
	if err != nil {
		return errors.Join(err, guard(db.Close))
	}
	known := map[uint64]slot{}
	for _, p := range o.index {
		known[p.number] = p
	}
	o.db = db
	o.index, o.bytes = s.index, s.bytes
	o.quarSeqs = s.quarantined
	for number, revision := range o.delivered { // of changes that are only in memory
		s.delivered[number] = max(s.delivered[number], revision)
	}
	o.delivered = s.delivered
	o.given = max(o.given, s.given)
	o.lastNum, o.lastSeq = max(o.lastNum, s.given), max(o.lastSeq, s.lastSeq)
	for i := range o.index {
		p := &o.index[i]
		if old, ok := known[p.number]; ok {
			p.here, p.mono = old.here, old.mono
		}
	}
	return o.overlay(known)
}

// overlay brings the index up to date with the changes that are only in memory.
func (o *Outbox) overlay(known map[uint64]slot) error {
	var s snapshot
	if err := s.overlay(o.index, o.unsaved); err != nil {
		return err
	}
	o.index, o.bytes = s.index, s.bytes
	for i := range o.index {
		p := &o.index[i]
		if old, ok := known[p.number]; ok {
			p.here, p.mono = old.here, old.mono
		}
	}
	return nil
}

// prepareBuckets makes what a fresh file lacks. A file that lacks nothing is
// not written to: its disk may be full.
func prepareBuckets(db *bolt.DB, unit string) error {
	complete := true
	err := db.View(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			complete = complete && tx.Bucket(name) != nil
		}
		complete = complete && string(tx.Bucket(bucketMeta).Get(keyUnit)) == unit
		return nil
	})
	if err != nil || complete {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keyUnit, []byte(unit))
	})
}

// reopen tries a file that could not be opened, or only to read.
func (o *Outbox) reopen() error {
	if o.db != nil {
		if err := guard(o.db.Close); err != nil {
			return err
		}
		o.db, o.readOnly = nil, false
	}
	_, err := finishSalvage(o.path)
	if err == nil {
		err = o.load()
	}
	if errors.Is(err, errDamaged) {
		err = o.rebuild(err)
	}
	if err != nil {
		if rerr := o.loadToRead(); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}

// settleNumber takes the highest number known from both places and writes it
// back to the side file. fresh: there was no database.
func (o *Outbox) settleNumber(fresh, damaged bool) error {
	mark, err := o.number.read()
	switch {
	case errors.Is(err, errDamaged):
		o.log.Warn("the outbox's number file is damaged; the database's number counts", "file", o.number.path)
		damaged = damaged || fresh
	case errors.Is(err, fs.ErrNotExist):
		if o.given > 0 {
			o.log.Warn("the outbox's number file is missing; the database's number counts", "file", o.number.path)
		}
	case isDiskError(err):
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
	if err := o.number.save(numberMark{Unit: o.unit, Ceiling: ceiling, Given: o.given}); err != nil {
		if o.counts.NumberFileProblem == "" {
			o.log.Error("cannot write the outbox's number file", "file", o.number.path, "error", err)
		}
		o.counts.NumberFileProblem = err.Error()
		return
	}
	o.ceiling, o.leapt = ceiling, false
	o.counts.NumberFileProblem = ""
}

// leap goes on with numbers from a random place above the highest known. It is
// for numbers that neither of the two places can hold because the disk takes
// no writes: a run after this one does not know of them, and must not give
// them out again. Numbers stay below 2^53, which receivers that know only
// floating-point numbers can hold.
func (o *Outbox) leap() {
	o.lastNum = max(o.lastNum, o.ceiling) + rand.Uint64N(leapRange)
	o.leapt = true
	o.log.Warn("the numbering leaves a gap, because the disk cannot hold the numbers", "last", o.lastNum)
}

// leapRange makes it less than one in a hundred million that two runs of ten
// thousand hits share a number.
const leapRange = 1 << 40

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
		err = errors.Join(err, guard(o.db.Close))
		o.db = nil
	}
	if err == nil && o.disk == nil {
		err = o.number.save(numberMark{Unit: o.unit, Ceiling: o.lastNum, Given: o.given, Clean: true})
	}
	o.mu.Unlock()
	<-o.tended
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
	if errors.Is(err, errDamaged) {
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
	e := &Error{Op: op, Path: o.path, Err: err}
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
