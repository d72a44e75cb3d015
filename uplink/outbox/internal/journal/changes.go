package journal

import (
	bolt "go.etcd.io/bbolt"
)

// Cell names one value in the file by its bucket and key.
type Cell struct {
	Bucket string
	Key    string
}

// CellOf names the value of a key.
func CellOf(bucket, key []byte) Cell { return Cell{string(bucket), string(key)} }

// Changes maps cells to their new values; nil deletes a value.
type Changes map[Cell][]byte

// Put sets a value.
func (c Changes) Put(bucket, key []byte, value []byte) {
	c[CellOf(bucket, key)] = value
}

// Remove deletes the values of these keys.
func (c Changes) Remove(bucket []byte, seqs ...uint64) {
	for _, seq := range seqs {
		c.Put(bucket, Key(seq), nil)
	}
}

// CellCost is what a cell counts at the memory's bound beside its value, in bytes.
const CellCost = 64

// Apply writes the changes.
func (c Changes) Apply(tx *bolt.Tx) error {
	for at, value := range c {
		b := tx.Bucket([]byte(at.Bucket))
		var err error
		if value == nil {
			err = b.Delete([]byte(at.Key))
		} else {
			err = b.Put([]byte(at.Key), value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// The buckets, the keys in [BucketMeta], and what they hold.
var (
	BucketHits       = []byte("hits")
	BucketPictures   = []byte("pictures")
	BucketDelivered  = []byte("delivered")
	BucketQuarantine = []byte("quarantine")
	BucketMeta       = []byte("meta")
	KeyMeta          = []byte("last")
	KeyUnit          = []byte("unit")
	KeySeal          = []byte("seal") // [Sealer] of all bodies

	buckets = [][]byte{BucketHits, BucketPictures, BucketDelivered, BucketQuarantine, BucketMeta}
)
