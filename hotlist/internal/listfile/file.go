package listfile

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

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/match"
)

var (
	metaBucket      = []byte("meta")
	entriesBucket   = []byte("entries")
	wildcardsBucket = []byte("wildcards")
	listKey         = []byte("list summary") // as long as the other keys
	layoutsKey      = []byte("list layouts")
)

// listFormat is raised when an older program could not read the file.
const listFormat = 2

// listRecord is the record about the list itself.
type listRecord struct {
	Format int `json:"format"`
	entry.List
}

// listFile is one open list. The file never changes, so one read transaction
// serves for as long as it is open; it is not safe for concurrent use, hence
// the mutex, which is held for the microseconds of a seek.
type File struct {
	entry.List
	Path string
	Key  folder.Key
	Info os.FileInfo // identity of the opened file
	bolt *bbolt.DB

	filter   *filter
	patterns *match.Patterns
	layouts  *match.Layouts

	refs atomic.Int32 // the owner and every running iterator

	mu     sync.Mutex
	keys   *Keys
	tx     *bbolt.Tx
	cursor *bbolt.Cursor
	prefix [MACSize]byte
	found  foundRecord // what is being looked at
}

// foundRecord is a record that a lookup found. It implements [Record].
type foundRecord struct {
	key     []byte
	payload []byte // memory of its own
}

func (r *foundRecord) ID() match.RecordID { return match.RecordID(r.key) }

func (r *foundRecord) Plate() ([]byte, error) {
	plate, err := PayloadPlate(r.payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", entry.ErrDamaged, err)
	}
	return plate, nil
}

func (r *foundRecord) Entry() (entry.Entry, error) {
	e, err := decodePayload(r.payload)
	if err != nil {
		return entry.Entry{}, fmt.Errorf("%w: %w", entry.ErrDamaged, err)
	}
	return e, nil
}

// Searched is the list as [Searcher] takes it. Searches run within [listFile.use].
func (l *File) Searchable() match.List {
	return match.List{Name: l.Name, Version: l.Version, Fuzzy: l.Fuzzy > 0, Index: l, Layouts: l.layouts, Patterns: l.patterns}
}

// use runs f, which looks into the list, one at a time. A panic of bbolt's, or
// the fault of a page that cannot be read, becomes [ErrDamaged].
func (l *File) Use(f func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return guard(f)
}

// guard runs f and turns a panic, such as bbolt's on a page that makes no
// sense or the fault of a mapped page that cannot be read, into [ErrDamaged].
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", entry.ErrDamaged, p)
		}
	}()
	return f()
}

// openFile verifies and opens a list file, waiting at most lockWait for
// whoever holds it exclusively. Errors: [ErrDamaged], [ErrNewer], [ErrOlder],
// [ErrKey], [ErrLocked], and what the operating system says.
func Open(ctx context.Context, path string, key folder.Key, lockWait time.Duration) (l *File, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // not to wait for whoever feeds a pipe of that name
	if err != nil {
		return nil, err
	}
	l = &File{Path: path, Key: key}
	l.refs.Store(1)
	defer func() {
		if err != nil {
			l.close()
			f.Close() // a second time if bbolt had it, which does no harm
			l = nil
		}
	}()
	if l.Info, err = f.Stat(); err != nil {
		return l, err
	}
	if !l.Info.Mode().IsRegular() {
		return l, errors.New("it is not a regular file")
	}
	sealed, err := readSeal(f)
	if err != nil {
		return l, err
	}
	// The key is looked at before the file is read: a wrong one is no damage.
	if l.keys = NewKeys(key, sealed.salt); l.keys.check != sealed.check {
		return l, fmt.Errorf("%w: the list was written with another one", entry.ErrKey)
	}
	if err = verifySums(ctx, f, sealed); err != nil {
		return l, err
	}
	err = guard(func() error { return l.open(f, lockWait) })
	return l, err
}

// open hands the verified file to bbolt, which closes it with the database:
// the very file, not whatever has its name by now.
func (l *File) open(verified *os.File, lockWait time.Duration) error {
	handOver := func(string, int, os.FileMode) (*os.File, error) { return verified, nil }
	var err error
	l.bolt, err = bbolt.Open(l.Path, 0, &bbolt.Options{ReadOnly: true, Timeout: lockWait, OpenFile: handOver, NoStatistics: true})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return entry.ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum):
		return fmt.Errorf("%w: %w", entry.ErrDamaged, err)
	case err != nil:
		return err
	}
	if l.tx, err = l.bolt.Begin(false); err != nil {
		return err
	}
	if l.List, err = readList(l.tx, l.keys); err != nil {
		return err
	}
	l.Bytes = l.Info.Size()
	entries := l.tx.Bucket(entriesBucket)
	if entries == nil {
		return fmt.Errorf("%w: it holds no entries", entry.ErrDamaged)
	}
	l.cursor = entries.Cursor()
	if l.Entries < 0 || l.Entries > entry.MaxEntries || l.Wildcards < 0 || l.Wildcards > MaxPatterns {
		return fmt.Errorf("%w: it says that it has %d entries", entry.ErrDamaged, l.Entries)
	}
	if l.layouts, err = readLayouts(l.tx, l.keys, l.Entries); err != nil {
		return err
	}
	l.filter = newFilter(l.Entries)
	for k, _ := l.cursor.First(); k != nil; k, _ = l.cursor.Next() {
		if len(k) != keyLength {
			return fmt.Errorf("%w: a record's key has %d bytes", entry.ErrDamaged, len(k))
		}
		l.filter.add(k)
	}
	l.patterns, err = l.loadPatterns()
	return err
}

// loadPatterns decrypts the patterns of the list.
func (l *File) loadPatterns() (*match.Patterns, error) {
	bucket := l.tx.Bucket(wildcardsBucket)
	if bucket == nil {
		return nil, fmt.Errorf("%w: a part of it is missing", entry.ErrDamaged)
	}
	p := &match.Patterns{}
	c := bucket.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if p.Len() >= l.Wildcards {
			return nil, fmt.Errorf("%w: it has more patterns than it should", entry.ErrDamaged)
		}
		payload, err := openRecord(nil, l.keys.wildcards, k, v)
		if err != nil {
			return nil, err
		}
		e, err := decodePayload(payload)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", entry.ErrDamaged, err)
		}
		p.Add(e)
	}
	if p.Len() != l.Wildcards {
		return nil, fmt.Errorf("%w: it has %d patterns instead of %d", entry.ErrDamaged, p.Len(), l.Wildcards)
	}
	return p, nil
}

func readList(tx *bbolt.Tx, keys *Keys) (entry.List, error) {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return entry.List{}, fmt.Errorf("%w: it does not say which list it is", entry.ErrDamaged)
	}
	payload, err := openRecord(nil, keys.meta, listKey, meta.Get(listKey))
	if err != nil {
		return entry.List{}, err
	}
	var r listRecord
	if err := json.Unmarshal(bytes.TrimRight(payload, "\x00"), &r); err != nil {
		return entry.List{}, fmt.Errorf("%w: %w", entry.ErrDamaged, err)
	}
	if r.Format > listFormat {
		return entry.List{}, entry.ErrNewer
	}
	return r.List, nil
}

func readLayouts(tx *bbolt.Tx, keys *Keys, entries int) (*match.Layouts, error) {
	payload, err := openRecord(nil, keys.meta, layoutsKey, tx.Bucket(metaBucket).Get(layoutsKey))
	if err != nil {
		return nil, err
	}
	return match.ParseLayouts(payload, entries)
}

// retain keeps the file open until a matching release.
func (l *File) Retain() { l.refs.Add(1) }

func (l *File) Release() {
	if l.refs.Add(-1) == 0 {
		l.close()
	}
}

func (l *File) close() {
	if l.tx != nil {
		l.tx.Rollback()
		l.tx, l.cursor = nil, nil
	}
	if l.bolt != nil {
		l.bolt.Close() // read-only: there is nothing left to write that could fail
		l.bolt = nil
	}
}

// Lookup implements [Index]: records lie under the HMAC of their plate's index
// form. It runs within [listFile.use].
func (l *File) Lookup(folded []byte, found func(match.Record) error) error {
	l.prefix = l.keys.MAC(folded)
	if !l.filter.has(l.prefix[:]) {
		return nil
	}
	k, v := l.cursor.Seek(l.prefix[:])
	for n := 0; k != nil && bytes.HasPrefix(k, l.prefix[:]); n++ {
		if n == MaxSharing {
			return fmt.Errorf("%w: more records share a key than can be", entry.ErrDamaged)
		}
		payload, err := openRecord(l.found.payload[:0], l.keys.entries, k, v)
		if err != nil {
			return err
		}
		l.found.key, l.found.payload = k, payload
		if err := found(&l.found); err != nil {
			return err
		}
		k, v = l.cursor.Next()
	}
	return nil
}

// each calls f with every entry and its payload, patterns last, in no order
// that means anything, and verifies on the way that the keys are in order and
// belong to their plates, and that the entries are as many as the list says
// and add up to its digest. The payload is valid only during the call.
func (l *File) Each(ctx context.Context, f func(e entry.Entry, payload []byte) bool) error {
	return guard(func() error {
		return l.bolt.View(func(tx *bbolt.Tx) error {
			w := walk{list: l, keys: NewKeys(l.Key, l.keys.salt), f: f}
			for _, name := range [][]byte{entriesBucket, wildcardsBucket} {
				bucket := tx.Bucket(name)
				if bucket == nil {
					return fmt.Errorf("%w: a part of it is missing", entry.ErrDamaged)
				}
				if err := w.bucket(ctx, bucket, string(name) == string(wildcardsBucket)); err != nil || w.stopped {
					return err
				}
			}
			if w.n != l.Entries {
				return fmt.Errorf("%w: it has %d records instead of %d", entry.ErrDamaged, w.n, l.Entries)
			}
			if w.digest != l.Digest {
				return fmt.Errorf("%w: its entries are not those that were imported", entry.ErrDamaged)
			}
			return nil
		})
	})
}

// walk is one pass over a list's records.
type walk struct {
	list    *File
	keys    *Keys // its own: those of the list belong to whoever looks up
	f       func(entry.Entry, []byte) bool
	n       int
	digest  entry.Digest
	stopped bool
	last    []byte
	payload []byte
	folded  []byte
}

func (w *walk) bucket(ctx context.Context, b *bbolt.Bucket, wildcards bool) error {
	w.last = w.last[:0]
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if w.n++; w.n > w.list.Entries {
			return fmt.Errorf("%w: it has more records than the %d it should", entry.ErrDamaged, w.list.Entries)
		}
		if w.n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if bytes.Compare(w.last, k) >= 0 {
			return fmt.Errorf("%w: its records are out of order", entry.ErrDamaged)
		}
		w.last = append(w.last[:0], k...)
		e, err := w.record(k, v, wildcards)
		if err != nil {
			return err
		}
		if !w.f(e, w.payload) {
			w.stopped = true
			return nil
		}
	}
	return nil
}

func (w *walk) record(k, v []byte, wildcard bool) (entry.Entry, error) {
	from := w.keys.entries
	if wildcard {
		from = w.keys.wildcards
	}
	var err error
	if w.payload, err = openRecord(w.payload[:0], from, k, v); err != nil {
		return entry.Entry{}, err
	}
	e, err := decodePayload(w.payload)
	if err != nil {
		return entry.Entry{}, fmt.Errorf("%w: %w", entry.ErrDamaged, err)
	}
	w.folded = append(w.folded[:0], e.Plate...)
	match.FoldIndex(w.folded)
	if mac := w.keys.MAC(w.folded); !bytes.HasPrefix(k, mac[:]) || wildcard != (e.Policy == entry.PolicyWildcard) {
		return entry.Entry{}, fmt.Errorf("%w: a record lies under another plate's key", entry.ErrDamaged)
	}
	w.payload = trimPayload(w.payload, &e)
	w.digest.Add(w.payload)
	return e, nil
}

// check examines everything: bbolt's own structure and every record. The
// checksums of the file's bytes are verified when it is opened.
func (l *File) Check(ctx context.Context) error {
	if err := l.Each(ctx, func(entry.Entry, []byte) bool { return true }); err != nil {
		return err
	}
	// bbolt checks in a goroutine of its own, where a panic could not be
	// recovered; the pages were just walked above and their bytes verified.
	return guard(func() error {
		return l.bolt.View(func(tx *bbolt.Tx) error {
			var first error
			for err := range tx.Check() { // to the end, or its goroutine would never end
				if first == nil {
					first = fmt.Errorf("%w: %w", entry.ErrDamaged, err)
				}
			}
			return first
		})
	})
}
