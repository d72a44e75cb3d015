package journal

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// Salvage replaces a damaged file in steps. At each of them a power cut leaves the
// hits in one whole file:
//
//  1. every intact record that the key opens is copied from the damaged file to
//     path.salvage;
//  2. path is renamed to path.corrupt, over an earlier one;
//  3. path.salvage is renamed to path.
//
// It returns the name of the damaged file and how many hits were copied.
func (s *Scan) Salvage(path, unit string, o OpenOptions) (kept string, hits int, err error) {
	pending := s.pending(o.Sealer)
	half, kept := path+".salvage", path+".corrupt"
	if err := os.Remove(half); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", 0, err
	}
	if err := s.writeTo(half, unit, pending, o); err != nil {
		return "", 0, err
	}
	if err := os.Rename(path, kept); err != nil {
		return "", 0, err
	}
	if err := os.Rename(half, path); err != nil {
		return "", 0, err
	}
	return kept, len(pending), syncFolder(filepath.Dir(path))
}

// FinishSalvage does the last step of a salvage that was interrupted right before
// it. It comes before anything else on opening. fresh is true if there is no file
// at all.
func FinishSalvage(path string) (fresh bool, err error) {
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

// Scan is every intact record of a damaged file.
type Scan struct {
	hits       map[uint64]Record // by number, the highest revision
	pictures   map[uint64]Record
	delivered  map[uint64]uint32
	LastNumber uint64
	LastSeq    uint64
}

// recordsIn yields every record with a correct checksum in a file's bytes, wherever
// it lies.
func recordsIn(b []byte) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := 0; i < len(b); {
			at := bytes.Index(b[i:], []byte(recordMagic))
			if at < 0 {
				return
			}
			i += at
			r, err := DecodeRecord(b[i:])
			if err != nil {
				i++
				continue
			}
			i += r.Size()
			if !yield(r) {
				return
			}
		}
	}
}

// ScanRecords searches a file byte by byte for records with a correct checksum. It
// does not need the tree around them, which may be damaged.
//
// It also finds records in pages that were freed and not reused. Those that
// are known as delivered are left out. As for the rest, a hit that is sent twice
// under its own id is harmless, and a lost one is not.
func ScanRecords(path string) (*Scan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &Scan{hits: map[uint64]Record{}, pictures: map[uint64]Record{}, delivered: map[uint64]uint32{}}
	for r := range recordsIn(b) {
		s.LastNumber, s.LastSeq = max(s.LastNumber, r.Number), max(s.LastSeq, r.Seq)
		switch r.Kind {
		case KindHit:
			if have, ok := s.hits[r.Number]; !ok || r.Revision > have.Revision {
				s.hits[r.Number] = r
			}
		case KindPictures:
			if have, ok := s.pictures[r.Number]; !ok || r.Revision > have.Revision {
				s.pictures[r.Number] = r
			}
		case KindDelivered:
			s.delivered[r.Number] = max(s.delivered[r.Number], r.Revision)
		}
	}
	return s, nil
}

// Add takes over changes that are only in memory: they override the file.
func (s *Scan) Add(unsaved Changes) {
	for at, v := range unsaved {
		r, err := DecodeRecord(v)
		if err != nil {
			continue // a deletion
		}
		s.LastNumber, s.LastSeq = max(s.LastNumber, r.Number), max(s.LastSeq, r.Seq)
		switch at.Bucket {
		case string(BucketHits):
			s.hits[r.Number] = r
		case string(BucketPictures):
			s.pictures[r.Number] = r
		case string(BucketDelivered):
			s.delivered[r.Number] = max(s.delivered[r.Number], r.Revision)
		}
	}
}

// pending returns the hits not known as delivered that the key opens, in order.
func (s *Scan) pending(key *Sealer) []Record {
	var hits []Record
	for n, r := range s.hits {
		if rev, ok := s.delivered[n]; ok && rev >= r.Revision {
			continue
		}
		if _, err := key.Open(r); err == nil {
			hits = append(hits, r)
		}
	}
	slices.SortFunc(hits, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Number, b.Number))
	})
	return hits
}

// writeTo makes a fresh database. Hits get new sequences, because records
// from freed pages can share one.
func (s *Scan) writeTo(path, unit string, hits []Record, o OpenOptions) error {
	db, err := Open(path, o)
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
		seq := s.LastSeq
		for _, r := range hits {
			seq++
			p, ok := s.pictures[r.Number]
			ok = ok && p.Revision == r.Revision
			r.Seq, p.Seq = seq, seq
			o.Sealer.Seal(&r)
			if err := made["hits"].Put(Key(seq), r.Encode()); err != nil {
				return err
			}
			if _, err := o.Sealer.Open(p); ok && err == nil {
				o.Sealer.Seal(&p)
				if err := made["pictures"].Put(Key(seq), p.Encode()); err != nil {
					return err
				}
			}
		}
		for n, rev := range s.delivered { // the next removals forget surplus ones
			r := Record{Kind: KindDelivered, Number: n, Revision: rev}
			if err := made["delivered"].Put(Key(n), r.Encode()); err != nil {
				return err
			}
		}
		meta := Record{Kind: KindMeta, Number: s.LastNumber, Seq: seq}
		if err := made["meta"].Put(KeyMeta, meta.Encode()); err != nil {
			return err
		}
		if o.Sealer != nil {
			if err := made["meta"].Put(KeySeal, o.Sealer.markRecord()); err != nil {
				return err
			}
		}
		if err := putFormat(tx); err != nil {
			return err
		}
		return made["meta"].Put(KeyUnit, []byte(unit))
	})
	return errors.Join(err, db.Close())
}

// syncFolder makes renames in a folder survive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
