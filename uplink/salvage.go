package uplink

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

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
func (s *scan) writeTo(path, unit string, hits []record, o openOptions) error {
	db, err := openBolt(path, o)
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
