package hotlist

import (
	"bytes"
	"encoding/json"
	"errors"

	"go.etcd.io/bbolt"
)

// builder writes a list file. Records arrive in the order of their keys.
//
// Nothing is synced until the end: a file that was not finished is never used.
type builder struct {
	path    string
	bolt    *bbolt.DB
	tx      *bbolt.Tx
	bucket  *bbolt.Bucket
	pending int // bytes put since the last commit
	entries int

	folded []byte // of the last record
	n      int    // records with that fold
	key    []byte
}

// batchBytes bounds the memory of a transaction.
const batchBytes = 4 << 20

// errShared: more than [maxSharing] entries share a fold.
var errShared = errors.New("too many entries share a plate")

func newBuilder(path string) (*builder, error) {
	b := &builder{path: path}
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

func (b *builder) begin() (err error) {
	if b.tx, err = b.bolt.Begin(true); err != nil {
		return err
	}
	if b.bucket, err = b.tx.CreateBucketIfNotExists(entriesBucket); err != nil {
		return err
	}
	b.bucket.FillPercent = 1 // the keys come in order and the file never changes
	b.pending = 0
	return nil
}

// put adds an entry's payload under its folded plate.
func (b *builder) put(folded, payload []byte) error {
	if bytes.Equal(folded, b.folded) && b.entries > 0 {
		if b.n++; b.n >= maxSharing {
			return errShared
		}
	} else {
		b.folded = append(b.folded[:0], folded...)
		b.n = 0
	}
	if b.pending >= batchBytes {
		if err := b.tx.Commit(); err != nil {
			return err
		}
		if err := b.begin(); err != nil {
			return err
		}
	}
	b.key = appendKey(b.key[:0], folded, b.n)
	// bbolt keeps the value until the commit, so each needs its own memory.
	value := appendRecord(make([]byte, 0, crcSize+len(payload)), b.key, payload)
	b.pending += len(b.key) + len(value)
	b.entries++
	return b.bucket.Put(b.key, value)
}

// finish writes the record about the list, closes, seals and syncs the file.
func (b *builder) finish(l List) error { return b.finishAs(listFormat, l) }

func (b *builder) finishAs(format int, l List) error {
	payload, err := json.Marshal(listRecord{Format: format, List: l})
	if err != nil {
		return err
	}
	meta, err := b.tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	if err := meta.Put(listKey, appendRecord(nil, listKey, payload)); err != nil {
		return err
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
	return sealFile(b.path)
}

// abandon releases what an unfinished build holds. It does nothing after finish.
func (b *builder) abandon() {
	if b.tx != nil {
		b.tx.Rollback()
		b.tx = nil
	}
	if b.bolt != nil {
		b.bolt.Close()
		b.bolt = nil
	}
}
