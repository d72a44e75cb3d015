package outbox

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"platewatch/uplink/failure"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"
)

// Open opens the outbox file of a unit, or creates it. A damaged file is renamed to path +
// ".corrupt" (replacing an earlier one), its readable hits are copied to a fresh file, and
// [Outbox.Damage] reports it. So is one whose bodies were sealed under another key, of which
// nothing can be copied. A file held by another process gives [ErrLocked], one of a later version
// [ErrNewer]. A disk that is full or cannot be written is not an error.
func Open(path, unit string, opts Settings, log *slog.Logger) (*Outbox, error) {
	if err := message.ValidateName(unit); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	var sealer *journal.Sealer
	if opts.Key != nil {
		var err error
		if sealer, err = journal.NewSealer(opts.Key); err != nil {
			return nil, &failure.Error{Op: "open the outbox", Path: path, Err: err}
		}
	}
	o := &Outbox{
		path: path, unit: unit, opts: opts, log: log, sealer: sealer,
		commit: opts.Commit, now: opts.Now,
		number: journal.NewNumberFile(path + ".number"),
		added:  make(chan struct{}, 1),
		stop:   make(chan struct{}), maintenanceDone: make(chan struct{}),
		unsaved: journal.Changes{}, delivered: map[uint64]uint32{},
	}
	if err := o.open(); err != nil {
		return nil, err
	}
	o.beginAges()
	o.maintain() // what is too old by now is not shown to anybody
	go o.runMaintenance()
	return o, nil
}

func (o *Outbox) open() error {
	if err := o.checkFormats(); err != nil {
		return o.fail("open the outbox", err)
	}
	fresh, err := journal.FinishSalvage(o.path)
	if err == nil {
		err = o.load()
	}
	damaged := errors.Is(err, journal.ErrDamaged)
	if damaged {
		err = o.rebuild(err)
	}
	switch {
	case journal.IsDiskFailure(err):
		_ = o.diskFailed(err) // the outbox continues in memory
		if err := o.loadToRead(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			o.log.Error("cannot read what the outbox holds; retrying", "file", o.path, "error", err)
		}
		if o.db == nil {
			o.lastSeq = unseenSeq
		}
	case err != nil:
		return o.fail("open the outbox", err)
	}
	if err := o.restoreNumber(fresh, damaged); err != nil {
		if o.db != nil {
			err = errors.Join(err, o.db.Close())
		}
		return o.fail("open the outbox", err)
	}
	o.openInstallation(o.lastNum + 1)
	if len(o.index) > 0 {
		o.wake()
	}
	return nil
}

// checkFormats refuses the side files of a later version before anything is written;
// [journal.Open] does so with the database. What else is wrong with them shows later.
func (o *Outbox) checkFormats() error {
	_, number := o.number.Read()
	_, installation := readInstallations(o.path + ".installation")
	for _, err := range []error{number, installation} {
		if errors.Is(err, ErrNewer) {
			return err
		}
	}
	return nil
}

// load opens the database and reads every record once: bbolt itself does not
// check for damage.
func (o *Outbox) load() error {
	db, err := journal.Open(o.path, o.file(false))
	if err != nil {
		return err
	}
	err = journal.Guard(func() error { return journal.Prepare(db, o.unit, o.file(false)) })
	if err == nil && o.sealer != nil {
		db, err = o.seal(db)
	}
	if db == nil {
		return err
	}
	return o.loadFrom(db, err)
}

// seal replaces a file of an earlier version, whose bodies are not sealed. If that
// fails, it goes on with the old one, and the next start tries again. The database
// is nil if that cannot be opened any more.
func (o *Outbox) seal(db *bolt.DB) (*bolt.DB, error) {
	sealed, err := journal.IsSealed(db)
	if err != nil || sealed {
		return db, err
	}
	err = journal.SealFile(db, o.path, o.file(false))
	if errors.Is(err, journal.ErrDamaged) {
		return nil, err
	}
	if err != nil {
		o.log.Error("the outbox of an earlier version could not be encrypted; trying again at the next start", "file", o.path, "error", err)
	} else {
		o.log.Info("the outbox of an earlier version is encrypted now", "file", o.path)
	}
	return journal.Open(o.path, o.file(false))
}

// loadToRead opens the database read-only, on a disk that cannot be written.
func (o *Outbox) loadToRead() error {
	db, err := journal.Open(o.path, o.file(true))
	if err != nil {
		return err
	}
	o.readOnly = true
	return o.loadFrom(db, nil)
}

// unseenSeq is above all sequences of a file that could not be read when the
// outbox was opened, so that hits accepted meanwhile come after those of the file.
const unseenSeq = 1 << 40

func (o *Outbox) loadFrom(db *bolt.DB, err error) error {
	var s snapshot
	if err == nil {
		err = journal.Guard(func() error { return db.View(func(tx *bolt.Tx) error { return s.read(tx) }) })
	}
	if err == nil {
		if err = o.sealer.CheckMark(s.mark); err != nil { // each record tells for itself
			err = fmt.Errorf("%w: %w", journal.ErrDamaged, err)
		}
	}
	if err != nil {
		return errors.Join(err, journal.Guard(db.Close))
	}
	return o.use(db, &s)
}

// use continues with an open database and what was read from it.
func (o *Outbox) use(db *bolt.DB, s *snapshot) error {
	known := map[uint64]slot{}
	for _, p := range o.index {
		known[p.number] = p
	}
	o.db = db
	o.opened, _ = os.Stat(o.path) // nil if it is gone already: then no other file has replaced it
	o.index, o.bytes = s.index, s.bytes
	o.quarantined = s.quarantined
	for number, revision := range o.delivered { // from changes that are only in memory
		s.delivered[number] = max(s.delivered[number], revision)
	}
	o.delivered = s.delivered
	o.given = max(o.given, s.given)
	o.lastNum, o.lastSeq = max(o.lastNum, s.given), max(o.lastSeq, s.lastSeq)
	for i := range o.index {
		p := &o.index[i]
		if old, ok := known[p.number]; ok {
			p.thisRun, p.mono, p.ran = old.thisRun, old.mono, old.ran
		}
	}
	return o.overlay(known)
}

// overlay applies the changes that are only in memory to the index.
func (o *Outbox) overlay(known map[uint64]slot) error {
	var s snapshot
	if err := s.overlay(o.index, o.unsaved); err != nil {
		return err
	}
	o.index, o.bytes = s.index, s.bytes
	for i := range o.index {
		p := &o.index[i]
		if old, ok := known[p.number]; ok {
			p.thisRun, p.mono, p.ran = old.thisRun, old.mono, old.ran
		}
	}
	return nil
}

// reopen retries a file that could not be opened, or only read.
func (o *Outbox) reopen() error {
	if o.db != nil {
		if err := journal.Guard(o.db.Close); err != nil {
			return err
		}
		o.db, o.readOnly = nil, false
	}
	_, err := journal.FinishSalvage(o.path)
	if err == nil {
		err = o.load()
	}
	if errors.Is(err, journal.ErrDamaged) {
		err = o.rebuild(err)
	}
	if err != nil {
		if rerr := o.loadToRead(); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}

// replaced is true if the file at the outbox's path is not the one that is open: its
// file system was mounted again, or the file was replaced.
func (o *Outbox) replaced() bool {
	info, err := os.Stat(o.path)
	return err == nil && o.opened != nil && !os.SameFile(info, o.opened)
}

// moveOver continues with the file that replaced the open one, if no pending hit
// is lost thereby; else it keeps the open one.
func (o *Outbox) moveOver() error {
	db, err := journal.Open(o.path, o.file(false))
	if err != nil {
		return err
	}
	var s snapshot
	err = journal.Guard(func() error {
		if err := journal.Prepare(db, o.unit, o.file(false)); err != nil {
			return err
		}
		return db.View(func(tx *bolt.Tx) error { return s.read(tx) })
	})
	if err == nil && !o.fits(&s) {
		err = errReplaced
	}
	if err != nil {
		return errors.Join(err, journal.Guard(db.Close))
	}
	if o.db != nil {
		if err := journal.Guard(o.db.Close); err != nil { // its disk may be gone
			o.log.Warn("cannot close the outbox's former file", "error", err)
		}
	}
	o.readOnly = false
	o.log.Info("another file replaced the outbox's and holds its hits; using it", "file", o.path)
	return o.use(db, &s)
}

var errReplaced = errors.New("another file replaced the outbox's and lacks pending hits")

// fits is true if a file holds every pending hit of the open one, and the changes
// that are only in memory apply to it: a sequence means the same hit in both.
func (o *Outbox) fits(s *snapshot) bool {
	theirs := map[uint64]slot{}
	for _, p := range s.index {
		theirs[p.seq] = p
		if i, ok := o.find(p.seq); ok && o.index[i].number != p.number {
			return false
		}
		at := journal.CellOf(journal.BucketHits, journal.Key(p.seq))
		if v, ok := o.unsaved[at]; ok && v == nil && o.delivered[p.number] < p.revision {
			return false // would delete another hit
		}
	}
	for _, p := range o.index {
		if _, ok := theirs[p.seq]; p.inFile && !ok {
			return false
		}
	}
	return true
}
