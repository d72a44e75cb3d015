package uplink

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Damage tells that the outbox file was damaged and what came of it.
type Damage struct {
	At       time.Time
	Reason   string // what was wrong
	Kept     string // where the damaged file is
	Salvaged int    // pending hits carried over
}

// Damage is nil if the file was found in order.
func (o *Outbox) Damage() *Damage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.damage
}

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

// A damaged file is replaced in steps, each of which leaves the hits in one
// whole file whenever the power goes:
//
//  1. every intact record is copied from the damaged file to path.salvage;
//  2. path is renamed to path.corrupt, over an earlier one;
//  3. path.salvage is renamed to path.
//
// finishSalvage, before anything else on opening, does step 3 if that is all
// that was missing. fresh is true if there is no file at all.
func finishSalvage(path string) (fresh bool, err error) {
	half := path + ".salvage"
	switch info, err := os.Stat(path); {
	case err == nil:
		if err := os.Remove(half); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		return info.Size() == 0, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	err = os.Rename(half, path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// rebuild replaces the damaged file by a fresh one with what is readable, and
// opens that. Called with the lock held, or before the outbox is shared.
func (o *Outbox) rebuild(cause error) error {
	running := o.db != nil
	if running {
		// Closing a damaged database can fail too; its file is given up anyway.
		if err := guard(o.db.Close); err != nil {
			o.log.Warn("closing the damaged outbox failed", "error", err)
		}
		o.db = nil
	}
	old, err := scanRecords(o.path)
	if err != nil {
		return err
	}
	old.add(o.unsaved)
	hits := old.pending()
	half, corrupt := o.path+".salvage", o.path+".corrupt"
	if err := os.Remove(half); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := old.writeTo(half, o.unit, hits, o.opts); err != nil {
		return err
	}
	if err := os.Rename(o.path, corrupt); err != nil {
		return err
	}
	if err := os.Rename(half, o.path); err != nil {
		return err
	}
	if err := syncFolder(o.path); err != nil {
		return err
	}
	o.damage = &Damage{At: o.now(), Reason: cause.Error(), Kept: corrupt, Salvaged: len(hits)}
	o.counts.Salvaged += uint64(len(hits))
	o.log.Error("the outbox was damaged; a fresh one holds what could be read",
		"file", o.path, "kept", corrupt, "salvaged", len(hits), "error", cause)
	o.lastNum = max(o.lastNum, old.lastNum)
	o.lastSeq = max(o.lastSeq, old.lastSeq)
	clear(o.unsaved) // the fresh file has it
	o.unsavedBytes = 0
	if err := o.load(); err != nil {
		return err
	}
	if running {
		// What was there at the start decides about the gap; see settleNumber.
		o.lastNum += damageGap
		o.given = 0
		o.raiseCeiling(o.lastNum + 1)
		o.wake()
	}
	return nil
}

// scan is every intact record of a damaged file, wherever it stands.
type scan struct {
	hits      map[uint64]record // by number, the highest revision
	pictures  map[uint64]record
	delivered map[uint64]uint32
	lastNum   uint64
	lastSeq   uint64
}

// scanRecords looks for records byte by byte and believes those whose
// checksum is right. The tree around them, which may be what is damaged, is
// not needed.
//
// It also finds records in pages that were freed and not reused. Those that
// are known as delivered are left out; for the rest, a hit that is sent twice
// under its own id is harmless and a lost one is not.
func scanRecords(path string) (*scan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &scan{hits: map[uint64]record{}, pictures: map[uint64]record{}, delivered: map[uint64]uint32{}}
	for i := 0; i < len(b); {
		at := bytes.Index(b[i:], []byte(recordMagic))
		if at < 0 {
			break
		}
		i += at
		r, err := decodeRecord(b[i:])
		if err != nil {
			i++
			continue
		}
		i += r.size()
		s.lastNum, s.lastSeq = max(s.lastNum, r.number), max(s.lastSeq, r.seq)
		switch r.kind {
		case recordHit:
			if have, ok := s.hits[r.number]; !ok || r.revision > have.revision {
				s.hits[r.number] = r
			}
		case recordPictures:
			if have, ok := s.pictures[r.number]; !ok || r.revision > have.revision {
				s.pictures[r.number] = r
			}
		case recordDelivered:
			s.delivered[r.number] = max(s.delivered[r.number], r.revision)
		}
	}
	return s, nil
}

// add takes over what is only in memory, in place of what the file has of it.
func (s *scan) add(unsaved changes) {
	for at, v := range unsaved {
		r, err := decodeRecord(v)
		if err != nil {
			continue // a deletion
		}
		s.lastNum, s.lastSeq = max(s.lastNum, r.number), max(s.lastSeq, r.seq)
		switch at.bucket {
		case string(bucketHits):
			s.hits[r.number] = r
		case string(bucketPictures):
			s.pictures[r.number] = r
		case string(bucketDelivered):
			s.delivered[r.number] = max(s.delivered[r.number], r.revision)
		}
	}
}

// pending returns the hits not known as delivered, in order.
func (s *scan) pending() []record {
	var hits []record
	for n, r := range s.hits {
		if rev, ok := s.delivered[n]; !ok || rev < r.revision {
			hits = append(hits, r)
		}
	}
	slices.SortFunc(hits, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.number, b.number))
	})
	return hits
}

// writeTo makes a fresh database. Sequences are given anew, because records
// from freed pages can share one.
func (s *scan) writeTo(path, unit string, hits []record, o OutboxOptions) error {
	db, err := openBolt(path, o, false)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		made := map[string]*bolt.Bucket{}
		for _, name := range buckets {
			b, err := tx.CreateBucket(name)
			if err != nil {
				return err
			}
			made[string(name)] = b
		}
		seq := s.lastSeq
		for _, r := range hits {
			seq++
			p, ok := s.pictures[r.number]
			ok = ok && p.revision == r.revision
			r.seq, p.seq = seq, seq
			if err := made["hits"].Put(recordKey(seq), r.encode()); err != nil {
				return err
			}
			if ok {
				if err := made["pictures"].Put(recordKey(seq), p.encode()); err != nil {
					return err
				}
			}
		}
		for n, rev := range s.delivered { // more than maxDelivered go with the next removals
			r := record{kind: recordDelivered, number: n, revision: rev}
			if err := made["delivered"].Put(recordKey(n), r.encode()); err != nil {
				return err
			}
		}
		meta := record{kind: recordMeta, number: s.lastNum, seq: seq}
		if err := made["meta"].Put(keyMeta, meta.encode()); err != nil {
			return err
		}
		return made["meta"].Put(keyUnit, []byte(unit))
	})
	return errors.Join(err, db.Close())
}

// syncFolder makes renames in a file's folder last through a power cut.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
