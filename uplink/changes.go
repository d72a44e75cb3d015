package uplink

import (
	"errors"

	bolt "go.etcd.io/bbolt"
)

// cell names one value in the file.
type cell struct {
	bucket string
	key    string
}

// changes maps cells to their new values; nil deletes.
type changes map[cell][]byte

func (c changes) put(bucket, key []byte, value []byte) {
	c[cell{string(bucket), string(key)}] = value
}

func (c changes) remove(bucket []byte, seqs ...uint64) {
	for _, seq := range seqs {
		c.put(bucket, recordKey(seq), nil)
	}
}

// cellCost is what a cell counts for at the memory's bound beside its value.
const cellCost = 64

// apply does the changes to the file.
func (c changes) apply(tx *bolt.Tx) error {
	for at, value := range c {
		b := tx.Bucket([]byte(at.bucket))
		var err error
		if value == nil {
			err = b.Delete([]byte(at.key))
		} else {
			err = b.Put([]byte(at.key), value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errDisk: the disk takes no writes, or cannot be read.
var errDisk = errors.New("the disk does not take it")

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
