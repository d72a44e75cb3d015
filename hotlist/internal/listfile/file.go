// Package listfile reads and writes the files of lists: encrypted records in a
// bbolt file that never changes, with checksums of all its bytes at the end.
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

// listFormat is increased when older programs cannot read the file.
const listFormat = 2

// listRecord is the record that describes the list.
type listRecord struct {
	Format int `json:"format"`
	entry.List
}

// File is an open list. The file never changes, so one read transaction serves all
// lookups. A transaction is not safe for concurrent use, hence the mutex, which is
// held for the microseconds of a lookup.
type File struct {
	entry.List
	Path string
	Key  folder.Key
	Info os.FileInfo // of the opened file
	bolt *bbolt.DB

	filter   *filter
	patterns *match.Patterns
	layouts  *match.Layouts

	refs atomic.Int32 // the owner and each running iterator

	mu     sync.Mutex
	keys   *Keys
	tx     *bbolt.Tx
	cursor *bbolt.Cursor
	prefix [MACSize]byte
	found  foundRecord // the current record of a lookup
}

// foundRecord is a record that a lookup found. It implements [match.Record].
type foundRecord struct {
	key     []byte
	payload []byte
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

// Searchable returns the list for a [match.Searcher], with what is known of the
// traffic. Searches run within [File.Use].
func (l *File) Searchable(t *match.Traffic) match.List {
	dated, expires := l.Imported, time.Time{}
	if l.Signed != nil {
		dated, expires = l.Signed.Created, l.Signed.Expires
	}
	return match.List{Name: l.Name, Version: l.Version, Dated: dated, Expires: expires, Entries: l.Entries, Fuzzy: l.Fuzzy > 0,
		Index: l, Layouts: l.layouts, Patterns: l.patterns, Traffic: t}
}

// Use runs f, which searches the list, while no other search runs. Panics become
// [entry.ErrDamaged]: see guard.
func (l *File) Use(f func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return guard(f)
}

// guard runs f and turns a panic into [entry.ErrDamaged]: bbolt panics on invalid
// pages, and a mapped page that the medium cannot read faults.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", entry.ErrDamaged, p)
		}
	}()
	return f()
}

// Open verifies and opens a list file. It waits at most lockWait for a process that
// holds it exclusively. Errors: [entry.ErrDamaged], [entry.ErrNewer],
// [entry.ErrOlder], [entry.ErrKey], [entry.ErrLocked], and those of the system.
func Open(ctx context.Context, path string, key folder.Key, lockWait time.Duration) (l *File, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // does not block on a pipe of that name
	if err != nil {
		return nil, err
	}
	l = &File{Path: path, Key: key}
	l.refs.Store(1)
	defer func() {
		if err != nil {
			l.close()
			f.Close() // bbolt may have closed it already, which is harmless
			l = nil
		}
	}()
	if l.Info, err = f.Stat(); err != nil {
		return l, err
	}
	if !l.Info.Mode().IsRegular() {
		return l, errors.New("not a regular file")
	}
	sealed, err := readSeal(f)
	if err != nil {
		return l, err
	}
	// The key is checked before the file is read: a wrong key is not damage.
	if l.keys = NewKeys(key, sealed.salt); l.keys.check != sealed.check {
		return l, fmt.Errorf("%w: the list was written with another key", entry.ErrKey)
	}
	if err = verifySums(ctx, f, sealed); err != nil {
		return l, err
	}
	err = guard(func() error { return l.open(f, lockWait) })
	return l, err
}

// open passes the verified file to bbolt, which closes it with the database. It does
// not open the path again, which may name another file by now.
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
		return fmt.Errorf("%w: the bucket of entries is missing", entry.ErrDamaged)
	}
	l.cursor = entries.Cursor()
	if l.Entries < 0 || l.Entries > entry.MaxEntries || l.Wildcards < 0 || l.Wildcards > MaxPatterns {
		return fmt.Errorf("%w: its description says %d entries", entry.ErrDamaged, l.Entries)
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
		return nil, fmt.Errorf("%w: the bucket of patterns is missing", entry.ErrDamaged)
	}
	p := &match.Patterns{}
	c := bucket.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if p.Len() >= l.Wildcards {
			return nil, fmt.Errorf("%w: it has more patterns than its description says", entry.ErrDamaged)
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
		return entry.List{}, fmt.Errorf("%w: its description is missing", entry.ErrDamaged)
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

// Retain keeps the file open until the matching [File.Release].
func (l *File) Retain() { l.refs.Add(1) }

// Release closes the file when nobody retains it any more.
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
		l.bolt.Close() // read-only: closing writes nothing that could fail
		l.bolt = nil
	}
}

// Lookup implements [match.Index]: records lie under the HMAC of their folded plate.
// It runs within [File.Use].
func (l *File) Lookup(folded []byte, found func(match.Record) error) error {
	l.prefix = l.keys.MAC(folded)
	if !l.filter.has(l.prefix[:]) {
		return nil
	}
	k, v := l.cursor.Seek(l.prefix[:])
	for n := 0; k != nil && bytes.HasPrefix(k, l.prefix[:]); n++ {
		if n == MaxSharing {
			return fmt.Errorf("%w: too many records share a key", entry.ErrDamaged)
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

// Each calls f with every entry and its payload, in the order of their HMACs,
// patterns last, until f returns false. It verifies that the keys are in order and
// belong to their plates, and that the number of entries and their digest are those
// of the description. The payload is valid during the call only.
func (l *File) Each(ctx context.Context, f func(e entry.Entry, payload []byte) bool) error {
	return guard(func() error {
		return l.bolt.View(func(tx *bbolt.Tx) error {
			w := walk{list: l, keys: NewKeys(l.Key, l.keys.salt), f: f}
			for _, name := range [][]byte{entriesBucket, wildcardsBucket} {
				bucket := tx.Bucket(name)
				if bucket == nil {
					return fmt.Errorf("%w: the bucket %s is missing", entry.ErrDamaged, name)
				}
				if err := w.bucket(ctx, bucket, string(name) == string(wildcardsBucket)); err != nil || w.stopped {
					return err
				}
			}
			if w.n != l.Entries {
				return fmt.Errorf("%w: it has %d records instead of %d", entry.ErrDamaged, w.n, l.Entries)
			}
			if w.digest != l.Digest {
				return fmt.Errorf("%w: its entries do not have the digest of its description", entry.ErrDamaged)
			}
			return nil
		})
	})
}

// walk is one pass over the records of a list.
type walk struct {
	list    *File
	keys    *Keys // not those of the file, which lookups use at the same time
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
			return fmt.Errorf("%w: it has more records than the %d of its description", entry.ErrDamaged, w.list.Entries)
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

// Check verifies every record and bbolt's structure. [Open] has verified the
// checksums of the file.
func (l *File) Check(ctx context.Context) error {
	if err := l.Each(ctx, func(entry.Entry, []byte) bool { return true }); err != nil {
		return err
	}
	// bbolt checks in a goroutine of its own, where a panic cannot be recovered; Each
	// has just read all pages.
	return guard(func() error {
		return l.bolt.View(func(tx *bbolt.Tx) error {
			var first error
			for err := range tx.Check() { // read to the end, or its goroutine leaks
				if first == nil {
					first = fmt.Errorf("%w: %w", entry.ErrDamaged, err)
				}
			}
			return first
		})
	})
}
