package uplink

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// snapshot is everything in a database that the index needs.
type snapshot struct {
	index       []slot
	bytes       int64
	delivered   map[uint64]uint32
	quarantined []uint64
	given       uint64
	lastSeq     uint64
	unit        string
}

// read checks and reads every record.
func (s *snapshot) read(tx *bolt.Tx) error {
	*s = snapshot{delivered: map[uint64]uint32{}}
	each := func(bucket []byte, f func(k, v []byte) error) error {
		b := tx.Bucket(bucket)
		if b == nil {
			return nil
		}
		return b.ForEach(f)
	}
	type kept struct {
		number uint64
		size   int64
	}
	pictures := map[uint64]kept{}
	err := each(bucketPictures, func(k, v []byte) error {
		r, err := decodeAt(recordPictures, k, v)
		pictures[r.seq] = kept{r.number, recordCost(len(v))}
		return err
	})
	if err != nil {
		return err
	}
	err = each(bucketHits, func(k, v []byte) error {
		r, err := decodeAt(recordHit, k, v)
		if err != nil {
			return err
		}
		sl := slotFrom(r)
		sl.inFile = true
		if p, ok := pictures[r.seq]; ok && p.number == r.number {
			sl.pictures = p.size
			delete(pictures, r.seq)
		}
		s.index = append(s.index, sl)
		s.bytes += sl.size + sl.pictures
		s.given, s.lastSeq = max(s.given, r.number), max(s.lastSeq, r.seq)
		return nil
	})
	if err != nil {
		return err
	}
	if len(pictures) > 0 {
		return fmt.Errorf("%w: there are pictures without their hit", errDamaged)
	}
	err = each(bucketDelivered, func(k, v []byte) error {
		r, err := decodeAt(recordDelivered, k, v)
		s.delivered[r.number] = r.revision
		s.given = max(s.given, r.number)
		return err
	})
	if err != nil {
		return err
	}
	err = each(bucketQuarantine, func(k, v []byte) error {
		r, err := decodeAt(recordHit, k, v)
		s.quarantined = append(s.quarantined, r.seq)
		s.given, s.lastSeq = max(s.given, r.number), max(s.lastSeq, r.seq)
		return err
	})
	if err != nil {
		return err
	}
	return each(bucketMeta, func(k, v []byte) error {
		if bytes.Equal(k, keyUnit) {
			s.unit = string(v)
			return nil
		}
		r, err := decodeAt(recordMeta, k, v)
		s.given, s.lastSeq = max(s.given, r.number), max(s.lastSeq, r.seq)
		return err
	})
}

// slotFrom is what the index keeps of a hit's record.
func slotFrom(r record) slot {
	return slot{seq: r.seq, number: r.number, previous: r.previous, revision: r.revision, urgency: r.urgency,
		accepted: r.accepted, clockSet: r.clockSet, size: recordCost(r.size())}
}

// overlay is an index with changes laid over it that the file does not have yet.
func (s *snapshot) overlay(index []slot, unsaved changes) error {
	bySeq := map[uint64]slot{}
	for _, sl := range index {
		bySeq[sl.seq] = sl
	}
	each := func(bucket []byte, f func(seq uint64, r record, deleted bool)) error {
		for at, v := range unsaved {
			if at.bucket != string(bucket) {
				continue
			}
			key := []byte(at.key)
			if v == nil {
				f(binary.BigEndian.Uint64(key), record{}, true)
				continue
			}
			r, err := decodeRecord(v)
			if err != nil {
				return err
			}
			f(r.seq, r, false)
		}
		return nil
	}
	err := each(bucketHits, func(seq uint64, r record, deleted bool) {
		old, ok := bySeq[seq]
		if deleted {
			delete(bySeq, seq)
			return
		}
		sl := slotFrom(r)
		sl.inFile, sl.pictures = ok, old.pictures
		bySeq[seq] = sl
	})
	if err != nil {
		return err
	}
	err = each(bucketPictures, func(seq uint64, r record, deleted bool) {
		sl, ok := bySeq[seq]
		if !ok {
			return
		}
		if sl.pictures = 0; !deleted {
			sl.pictures = recordCost(r.size())
		}
		bySeq[seq] = sl
	})
	if err != nil {
		return err
	}
	s.index, s.bytes = make([]slot, 0, len(bySeq)), 0
	for _, sl := range bySeq {
		s.index = append(s.index, sl)
		s.bytes += sl.size + sl.pictures
	}
	slices.SortFunc(s.index, func(a, b slot) int { return cmp.Compare(a.seq, b.seq) })
	return nil
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
