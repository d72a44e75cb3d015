package listfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"

	"go.etcd.io/bbolt"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/match"
)

// Builder writes a list file. Records arrive in the order of their keys.
//
// It syncs nothing before the end: an unfinished file is never used.
type Builder struct {
	path    string
	keys    *Keys
	bolt    *bbolt.DB
	tx      *bbolt.Tx
	bucket  *bbolt.Bucket
	pending int // bytes since the last commit

	Entries    int // so far
	fuzzy      int
	short      int // see [entry.List.Short]
	wildcards  []wildcardRecord
	categories map[string]int
	digest     entry.Digest
	layouts    match.LayoutCounter

	key [keyLength]byte // of the last record
	n   int             // records with its HMAC
}

// wildcardRecord is a pattern, kept until its bucket is written, which is the last.
type wildcardRecord struct{ key, value []byte }

const (
	// batchBytes bounds the memory of a transaction.
	batchBytes = 4 << 20
	// MaxPatterns bounds the patterns of a list, which are all in memory.
	MaxPatterns = 20_000
	// maxCategories bounds the categories that are counted.
	maxCategories = 200
)

var (
	// ErrShared: more than [MaxSharing] entries have the same folded plate.
	ErrShared = errors.New("too many entries share a plate")
	// ErrPatterns: more than [MaxPatterns] entries are patterns.
	ErrPatterns = errors.New("too many patterns")
)

// NewBuilder creates the file.
func NewBuilder(path string, keys *Keys) (*Builder, error) {
	b := &Builder{path: path, keys: keys, categories: map[string]int{}}
	var err error
	b.bolt, err = bbolt.Open(path, 0o600, &bbolt.Options{
		NoSync: true, NoGrowSync: true, NoFreelistSync: true, NoStatistics: true,
		FreelistType: bbolt.FreelistMapType,
	})
	if err != nil {
		return nil, err
	}
	return b, b.begin()
}

func (b *Builder) begin() (err error) {
	if b.tx, err = b.bolt.Begin(true); err != nil {
		return err
	}
	if b.bucket, err = b.tx.CreateBucketIfNotExists(entriesBucket); err != nil {
		return err
	}
	b.bucket.FillPercent = 1 // fill pages completely: keys arrive in order, and the file never changes
	b.pending = 0
	return nil
}

// Put adds an entry's payload. mac is the HMAC of its folded plate, identity the
// beginning of the HMAC of its identity (see [AppendIdentity]); together they
// arrive in ascending order. Errors: [ErrShared], [ErrPatterns], and those of the
// file.
func (b *Builder) Put(mac [MACSize]byte, identity uint32, payload []byte) error {
	var key [keyLength]byte
	copy(key[:], mac[:])
	binary.BigEndian.PutUint32(key[MACSize:], identity)
	if isWildcard(payload) {
		if len(b.wildcards) == MaxPatterns {
			return ErrPatterns
		}
		b.wildcards = append(b.wildcards, wildcardRecord{bytes.Clone(key[:]), sealRecord(b.keys.wildcards, key[:], payload)})
		return b.count(payload)
	}
	switch {
	case b.n > 0 && bytes.Equal(key[:MACSize], b.key[:MACSize]):
		if b.n++; b.n > MaxSharing {
			return ErrShared
		}
		if last := binary.BigEndian.Uint32(b.key[MACSize:]); identity <= last {
			// Two identities have the same beginning: once in millions of lists.
			binary.BigEndian.PutUint32(key[MACSize:], last+1)
		}
	default:
		b.n = 1
	}
	if b.pending >= batchBytes {
		if err := b.tx.Commit(); err != nil {
			return err
		}
		if err := b.begin(); err != nil {
			return err
		}
	}
	b.key = key
	value := sealRecord(b.keys.entries, key[:], payload) // bbolt keeps it until the commit
	b.pending += len(key) + len(value)
	if err := b.bucket.Put(b.key[:], value); err != nil {
		return err
	}
	return b.count(payload)
}

// count adds an entry to the list's description.
func (b *Builder) count(payload []byte) error {
	e, err := decodePayload(payload)
	if err != nil {
		return err
	}
	b.Entries++
	if e.Policy == entry.PolicyFuzzy {
		b.fuzzy++
	}
	b.digest.Add(payload)
	if e.Policy != entry.PolicyWildcard {
		b.layouts.Add(e.Plate)
		if n := len(e.Plate); n <= entry.Short && (b.short == 0 || n < b.short) {
			b.short = n
		}
	}
	if _, known := b.categories[e.Category]; known || len(b.categories) < maxCategories {
		b.categories[e.Category]++
	}
	return nil
}

// Finish writes the list's description and closes, seals and syncs the file.
func (b *Builder) Finish(l entry.List) error { return b.finishAs(listFormat, l) }

func (b *Builder) finishAs(format int, l entry.List) error {
	l.Entries, l.Wildcards, l.Fuzzy, l.Short = b.Entries, len(b.wildcards), b.fuzzy, b.short
	l.Categories, l.Digest = b.categories, b.digest
	payload, err := json.Marshal(listRecord{Format: format, List: l})
	if err != nil {
		return err
	}
	meta, err := b.tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	if err := meta.Put(listKey, sealRecord(b.keys.meta, listKey, payload)); err != nil {
		return err
	}
	if err := meta.Put(layoutsKey, sealRecord(b.keys.meta, layoutsKey, b.layouts.AppendTo(nil))); err != nil {
		return err
	}
	wildcards, err := b.tx.CreateBucketIfNotExists(wildcardsBucket)
	if err != nil {
		return err
	}
	for _, w := range b.wildcards {
		if err := wildcards.Put(w.key, w.value); err != nil {
			return err
		}
	}
	if err := b.tx.Commit(); err != nil {
		return err
	}
	b.tx = nil
	if err := b.bolt.Sync(); err != nil {
		return err
	}
	err = b.bolt.Close()
	b.bolt = nil
	if err != nil {
		return err
	}
	return sealFile(b.path, b.keys)
}

// Abandon releases an unfinished file. After Finish it does nothing.
func (b *Builder) Abandon() {
	if b.tx != nil {
		b.tx.Rollback()
		b.tx = nil
	}
	if b.bolt != nil {
		b.bolt.Close()
		b.bolt = nil
	}
}
