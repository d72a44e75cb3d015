package outbox

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"
)

// snapshot is what the index needs of a database.
type snapshot struct {
	index       []slot
	bytes       int64
	delivered   map[uint64]uint32
	quarantined []uint64
	given       uint64
	lastSeq     uint64
	unit        string
	mark        []byte // of the key that all bodies are sealed under; nil if not all are
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
	err := each(journal.BucketPictures, func(k, v []byte) error {
		r, err := journal.DecodeAt(journal.KindPictures, k, v)
		pictures[r.Seq] = kept{r.Number, recordCost(len(v))}
		return err
	})
	if err != nil {
		return err
	}
	err = each(journal.BucketHits, func(k, v []byte) error {
		r, err := journal.DecodeAt(journal.KindHit, k, v)
		if err != nil {
			return err
		}
		sl := slotFrom(r)
		sl.inFile = true
		if p, ok := pictures[r.Seq]; ok && p.number == r.Number {
			sl.pictures = p.size
			delete(pictures, r.Seq)
		}
		s.index = append(s.index, sl)
		s.bytes += sl.size + sl.pictures
		s.given, s.lastSeq = max(s.given, r.Number), max(s.lastSeq, r.Seq)
		return nil
	})
	if err != nil {
		return err
	}
	if len(pictures) > 0 {
		return fmt.Errorf("%w: there are pictures without their hit", journal.ErrDamaged)
	}
	err = each(journal.BucketDelivered, func(k, v []byte) error {
		r, err := journal.DecodeAt(journal.KindDelivered, k, v)
		s.delivered[r.Number] = r.Revision
		s.given = max(s.given, r.Number)
		return err
	})
	if err != nil {
		return err
	}
	err = each(journal.BucketQuarantine, func(k, v []byte) error {
		r, err := journal.DecodeAt(journal.KindHit, k, v)
		s.quarantined = append(s.quarantined, r.Seq)
		s.given, s.lastSeq = max(s.given, r.Number), max(s.lastSeq, r.Seq)
		return err
	})
	if err != nil {
		return err
	}
	return each(journal.BucketMeta, func(k, v []byte) error {
		if bytes.Equal(k, journal.KeyUnit) {
			s.unit = string(v)
			return nil
		}
		r, err := journal.DecodeAt(journal.KindMeta, k, v)
		if bytes.Equal(k, journal.KeySeal) {
			s.mark = append([]byte{}, r.Body...)
			return err
		}
		s.given, s.lastSeq = max(s.given, r.Number), max(s.lastSeq, r.Seq)
		return err
	})
}

// slotFrom makes the index's slot of a hit's record.
func slotFrom(r journal.Record) slot {
	return slot{seq: r.Seq, number: r.Number, previous: r.Previous, revision: r.Revision, urgency: r.Urgency,
		accepted: r.Accepted, clockSet: r.ClockSet, size: recordCost(r.Size())}
}

// overlay applies changes that the file does not have yet to an index.
func (s *snapshot) overlay(index []slot, unsaved journal.Changes) error {
	bySeq := map[uint64]slot{}
	for _, sl := range index {
		bySeq[sl.seq] = sl
	}
	each := func(bucket []byte, f func(seq uint64, r journal.Record, deleted bool)) error {
		for at, v := range unsaved {
			if at.Bucket != string(bucket) {
				continue
			}
			key := []byte(at.Key)
			if v == nil {
				f(binary.BigEndian.Uint64(key), journal.Record{}, true)
				continue
			}
			r, err := journal.DecodeRecord(v)
			if err != nil {
				return err
			}
			f(r.Seq, r, false)
		}
		return nil
	}
	err := each(journal.BucketHits, func(seq uint64, r journal.Record, deleted bool) {
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
	err = each(journal.BucketPictures, func(seq uint64, r journal.Record, deleted bool) {
		sl, ok := bySeq[seq]
		if !ok {
			return
		}
		if sl.pictures = 0; !deleted {
			sl.pictures = recordCost(r.Size())
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

// slot is a pending hit in the index in memory.
type slot struct {
	seq      uint64
	number   uint64
	previous uint64
	revision uint32
	urgency  uint8
	thisRun  bool // accepted since this process started, so that mono holds
	mono     time.Time
	ran      time.Duration // for how long the outbox had run then, if thisRun
	accepted int64         // unix ms by the wall clock then
	clockSet bool          // that clock was set from a time source
	inFile   bool          // the file holds this hit, perhaps in an older revision
	size     int64         // of the hit's record
	pictures int64         // of the pictures' record, 0 without
	until    time.Time     // it waits until then for a better revision; zero: it does not
}
