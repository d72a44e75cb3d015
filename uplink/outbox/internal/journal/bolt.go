package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"platewatch/uplink/failure"

	bolt "go.etcd.io/bbolt"

	bolterrors "go.etcd.io/bbolt/errors"
)

// growBy is the step by which a file grows, in bytes.
const growBy = 1 << 20

// maxMapped bounds what is mapped in advance, in bytes: address space is scarce on
// a 32-bit board.
const maxMapped = 512 << 20

// OpenOptions is how a database is opened.
type OpenOptions struct {
	ReadOnly    bool
	LockTimeout time.Duration // how long to wait for another process; then [ErrLocked]
	MaxBytes    int64         // of all records; the file is mapped large enough in advance
	Sealer      *Sealer       // of the bodies
}

// Open opens a database. Errors are [ErrLocked], [ErrDamaged], [ErrNewer] or those of
// the operating system.
//
// The list of free pages is kept in the file: without it bbolt walks the tree on
// opening in a goroutine of its own, where a damaged page is a panic that cannot be
// recovered.
//
// The file is mapped at once as large as it may become, which costs address space
// and no memory: bbolt gives up its mapping before it makes a larger one, which
// fails on a file system that an error made read-only.
func Open(path string, o OpenOptions) (*bolt.DB, error) {
	var file *os.File
	var db *bolt.DB
	err := Guard(func() (err error) {
		db, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout: o.LockTimeout, ReadOnly: o.ReadOnly, FreelistType: bolt.FreelistMapType,
			InitialMmapSize: int(min(3*o.MaxBytes, maxMapped)),
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, mode)
				file = f
				return f, err
			},
		})
		return err
	})
	switch {
	case err == nil:
		if err := Guard(func() error { return db.View(formatOf) }); errors.Is(err, ErrNewer) {
			return nil, errors.Join(err, Guard(db.Close)) // untouched
		} // damage is found when it is read
		db.AllocSize = growBy
		return db, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrLocked
	case !errors.Is(err, ErrDamaged) && !isSystemError(err):
		// bbolt's own errors about the content; not all have a name.
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if errors.Is(err, ErrDamaged) && file != nil {
		file.Close() // a panic inside bolt.Open leaves it open and locked
	}
	return nil, err
}

// isSystemError is true for errors of the operating system, which concern the disk
// or the path and not the content.
func isSystemError(err error) bool {
	var pe *fs.PathError
	var errno syscall.Errno
	return errors.As(err, &pe) || errors.As(err, &errno)
}

// IsDiskFailure is true for a disk that is full, read-only or broken: it can
// recover, unlike a wrong path.
func IsDiskFailure(err error) bool {
	return failure.IsDisk(err) || errors.Is(err, bolterrors.ErrDatabaseReadOnly) || errors.Is(err, bolterrors.ErrInvalidMapping) || errors.Is(err, ErrDisk)
}

// Guard turns what bbolt does on damaged pages, panics and faults on memory that
// the file does not back, into [ErrDamaged].
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}

// Prepare creates buckets that are missing and notes the unit, and in a new file the
// key of its bodies. A complete file is not written to: its disk may be full.
func Prepare(db *bolt.DB, unit string, o OpenOptions) error {
	complete, empty := true, true
	err := db.View(func(tx *bolt.Tx) error {
		empty = tx.Bucket(BucketMeta) == nil
		for _, name := range buckets {
			complete = complete && tx.Bucket(name) != nil
		}
		complete = complete && string(tx.Bucket(BucketMeta).Get(KeyUnit)) == unit
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
		if empty {
			if err := putFormat(tx); err != nil {
				return err
			}
		}
		if empty && o.Sealer != nil {
			if err := tx.Bucket(BucketMeta).Put(KeySeal, o.Sealer.markRecord()); err != nil {
				return err
			}
		}
		return tx.Bucket(BucketMeta).Put(KeyUnit, []byte(unit))
	})
}
