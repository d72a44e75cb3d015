package hotlist

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

var (
	metaBucket    = []byte("meta")
	entriesBucket = []byte("entries")
	listKey       = []byte("list")
)

// listFormat is raised when an older program could not read the file.
const listFormat = 1

// listRecord is the record about the list itself.
type listRecord struct {
	Format int `json:"format"`
	List
}

// listFile is one open list. The file never changes, so one read transaction
// serves for as long as it is open; it is not safe for concurrent use, hence
// the mutex, which is held for the microseconds of a seek.
type listFile struct {
	List
	path string
	info os.FileInfo // identity of the opened file
	bolt *bbolt.DB

	refs   atomic.Int32 // the owner and every running iterator
	failed atomic.Bool  // a lookup met damage

	mu     sync.Mutex
	tx     *bbolt.Tx
	cursor *bbolt.Cursor
	key    [MaxPlate + ordinalSize]byte
}

// guard runs f and turns a panic, such as bbolt's on a page that makes no
// sense or the fault of a mapped page that cannot be read, into [ErrDamaged].
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}

// openList verifies and opens a list file, waiting at most lockWait for
// whoever holds it exclusively. Errors: [ErrDamaged], [ErrNewer], [ErrLocked],
// and what the operating system says.
func openList(ctx context.Context, path string, lockWait time.Duration) (l *listFile, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // not to wait for whoever feeds a pipe of that name
	if err != nil {
		return nil, err
	}
	l = &listFile{path: path}
	l.refs.Store(1)
	defer func() {
		if err != nil {
			l.close()
			f.Close() // a second time if bbolt had it, which does no harm
			l = nil
		}
	}()
	if l.info, err = f.Stat(); err != nil {
		return l, err
	}
	if !l.info.Mode().IsRegular() {
		return l, errors.New("it is not a regular file")
	}
	if err = verifySums(ctx, f); err != nil {
		return l, err
	}
	err = guard(func() error { return l.open(f, lockWait) })
	return l, err
}

// open hands the verified file to bbolt, which closes it with the database:
// the very file, not whatever has its name by now.
func (l *listFile) open(verified *os.File, lockWait time.Duration) error {
	handOver := func(string, int, os.FileMode) (*os.File, error) { return verified, nil }
	var err error
	l.bolt, err = bbolt.Open(l.path, 0, &bbolt.Options{ReadOnly: true, Timeout: lockWait, OpenFile: handOver, NoStatistics: true})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil:
		return err
	}
	if l.tx, err = l.bolt.Begin(false); err != nil {
		return err
	}
	if l.List, err = readList(l.tx); err != nil {
		return err
	}
	l.Bytes = l.info.Size()
	entries := l.tx.Bucket(entriesBucket)
	if entries == nil {
		return fmt.Errorf("%w: it holds no entries", ErrDamaged)
	}
	l.cursor = entries.Cursor()
	return nil
}

func readList(tx *bbolt.Tx) (List, error) {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return List{}, fmt.Errorf("%w: it does not say which list it is", ErrDamaged)
	}
	payload, err := openRecord(listKey, meta.Get(listKey))
	if err != nil {
		return List{}, err
	}
	var r listRecord
	if err := json.Unmarshal(payload, &r); err != nil {
		return List{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if r.Format > listFormat {
		return List{}, ErrNewer
	}
	return r.List, nil
}

// retain keeps the file open until a matching release.
func (l *listFile) retain() { l.refs.Add(1) }

func (l *listFile) release() {
	if l.refs.Add(-1) == 0 {
		l.close()
	}
}

func (l *listFile) close() {
	if l.tx != nil {
		l.tx.Rollback()
		l.tx, l.cursor = nil, nil
	}
	if l.bolt != nil {
		l.bolt.Close() // read-only: there is nothing left to write that could fail
		l.bolt = nil
	}
}

// lookup calls found with the payload of each entry whose fold is folded. The
// payload is valid only during the call.
func (l *listFile) lookup(folded []byte, found func(payload []byte) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := guard(func() error {
		prefix := append(append(l.key[:0], folded...), 0)
		k, v := l.cursor.Seek(prefix)
		for n := 0; k != nil && bytes.HasPrefix(k, prefix); n++ {
			if n == maxSharing {
				return fmt.Errorf("%w: more records share a key than can be", ErrDamaged)
			}
			payload, err := openRecord(k, v)
			if err != nil {
				return err
			}
			if err := found(payload); err != nil {
				return err
			}
			k, v = l.cursor.Next()
		}
		return nil
	})
	if err != nil {
		l.failed.Store(true)
	}
	return err
}

// each calls f with every entry in the order of their folded plates, and
// verifies on the way that the keys are in order and as many as the list says.
func (l *listFile) each(ctx context.Context, f func(Entry) bool) error {
	return guard(func() error {
		return l.bolt.View(func(tx *bbolt.Tx) error {
			var last, folded []byte
			n := 0
			c := tx.Bucket(entriesBucket).Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				if n++; n > l.Entries {
					return fmt.Errorf("%w: it has more records than the %d it should", ErrDamaged, l.Entries)
				}
				if n%1024 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				if bytes.Compare(last, k) >= 0 {
					return fmt.Errorf("%w: its records are out of order", ErrDamaged)
				}
				last = append(last[:0], k...)
				payload, err := openRecord(k, v)
				if err != nil {
					return err
				}
				e, err := decodePayload(payload)
				if err != nil {
					return fmt.Errorf("%w: %w", ErrDamaged, err)
				}
				folded = append(folded[:0], e.Plate...)
				foldBytes(folded)
				if len(k) != len(folded)+ordinalSize || !bytes.HasPrefix(k, folded) {
					return fmt.Errorf("%w: a record lies under another plate's key", ErrDamaged)
				}
				if !f(e) {
					return nil
				}
			}
			if n != l.Entries {
				return fmt.Errorf("%w: it has %d records instead of %d", ErrDamaged, n, l.Entries)
			}
			return nil
		})
	})
}

// check examines everything: bbolt's own structure and every record. The
// checksums of the file's bytes are verified when it is opened.
func (l *listFile) check(ctx context.Context) error {
	if err := l.each(ctx, func(Entry) bool { return true }); err != nil {
		return err
	}
	// bbolt checks in a goroutine of its own, where a panic could not be
	// recovered; the pages were just walked above and their bytes verified.
	return guard(func() error {
		return l.bolt.View(func(tx *bbolt.Tx) error {
			var first error
			for err := range tx.Check() { // to the end, or its goroutine would never end
				if first == nil {
					first = fmt.Errorf("%w: %w", ErrDamaged, err)
				}
			}
			return first
		})
	})
}
