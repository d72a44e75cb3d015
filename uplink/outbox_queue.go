package uplink

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Ref names one revision of one entry in the outbox.
type Ref struct {
	Seq      uint64
	Number   uint64
	Revision uint32
}

// Queued is a pending hit. Looking at it changes nothing: leave it, or
// [Outbox.Remove] or [Outbox.Quarantine] it.
type Queued struct {
	Ref
	Hit Hit
	// Age is the time since the hit was accepted. It comes from the monotonic
	// clock if that was in this process, else from the wall clock.
	Age time.Duration
	// Late is true if the age cannot be known: the hit was accepted before a
	// restart, and by the wall clock that was in the future.
	Late bool
}

// Next returns the first pending entry, in the order of acceptance, that skip
// does not skip, or nil if there is none. An entry that cannot be decoded is
// put into quarantine on the way.
func (o *Outbox) Next(skip func(Ref) bool) (*Queued, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := 0; i < len(o.index); {
		s := o.index[i]
		ref := Ref{s.seq, s.number, s.revision}
		if skip != nil && skip(ref) {
			i++
			continue
		}
		e, err := o.entry(s)
		if err == nil {
			return e, nil
		}
		if errors.Is(err, errDamaged) {
			if err := o.rebuild(err); err != nil {
				return nil, o.fail("read the outbox", err)
			}
			i = 0 // the index is a new one
			continue
		}
		if o.db == nil {
			return nil, o.fail("read the outbox", err)
		}
		reason := err.Error()
		if err := o.repair(func() error { return o.quarantine(ref, reason) }); err != nil {
			return nil, o.fail("quarantine an entry of the outbox", err)
		}
	}
	return nil, nil
}

// entry reads one pending hit with its pictures.
func (o *Outbox) entry(s slot) (*Queued, error) {
	if o.db == nil {
		return nil, ErrClosed
	}
	e := &Queued{Ref: Ref{s.seq, s.number, s.revision}}
	err := guard(func() error {
		return o.db.View(func(tx *bolt.Tx) error {
			key := recordKey(s.seq)
			r, err := decodeAt(recordHit, key, tx.Bucket(bucketHits).Get(key))
			if err != nil {
				return err
			}
			var p record
			if s.pictures > 0 {
				if p, err = decodeAt(recordPictures, key, tx.Bucket(bucketPictures).Get(key)); err != nil {
					return err
				}
			}
			return e.Hit.fill(r, p)
		})
	})
	if err != nil {
		return nil, err
	}
	if s.here {
		e.Age = o.now().Sub(s.mono)
	} else if e.Age = o.now().Sub(time.UnixMilli(s.accepted)); e.Age < 0 {
		e.Age, e.Late = 0, true
	}
	return e, nil
}

// fill decodes a hit and its pictures, if p has any.
func (h *Hit) fill(r, p record) error {
	if err := json.Unmarshal(r.body, h); err != nil {
		return fmt.Errorf("the entry is not a hit: %w", err)
	}
	var err error
	if p.body != nil {
		if h.PlatePicture, h.ContextPicture, err = decodePictures(p.body); err != nil {
			return fmt.Errorf("the entry's pictures cannot be decoded: %w", err)
		}
	} else if r.hadPictures {
		h.PicturesDropped = true
	}
	return nil
}

// Remove takes delivered entries out of the outbox, all in one transaction,
// and remembers their revisions. An entry that was updated meanwhile stays,
// to be delivered in its new revision. One that is gone is no error.
func (o *Outbox) Remove(refs ...Ref) error {
	if len(refs) == 0 {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.repair(func() error { return o.remove(refs) })
	if err != nil {
		return o.fail("remove delivered hits from the outbox", err)
	}
	return nil
}

func (o *Outbox) remove(refs []Ref) error {
	return o.write(func(tx *bolt.Tx) (func(), error) {
		var seqs []uint64
		marks := map[uint64]uint32{}
		for _, ref := range refs {
			if s, ok := o.locate(ref); ok {
				seqs = append(seqs, s.seq)
			}
			rev := max(ref.Revision, o.delivered[ref.Number], marks[ref.Number])
			marks[ref.Number] = rev
			mark := record{kind: recordDelivered, number: ref.Number, revision: rev}
			if err := tx.Bucket(bucketDelivered).Put(recordKey(ref.Number), mark.encode()); err != nil {
				return nil, err
			}
		}
		if err := (room{hits: seqs}).apply(tx); err != nil {
			return nil, err
		}
		old, err := trimOldest(tx.Bucket(bucketDelivered), len(o.delivered)+len(marks)-maxDelivered)
		if err != nil {
			return nil, err
		}
		return func() {
			o.forget(seqs)
			o.counts.Delivered += uint64(len(seqs))
			for n, rev := range marks {
				o.delivered[n] = rev
			}
			for _, n := range old {
				delete(o.delivered, n)
			}
		}, nil
	})
}

// locate finds the pending entry of this number and revision. Its sequence is
// another one if the file was rebuilt after ref was handed out.
func (o *Outbox) locate(ref Ref) (slot, bool) {
	i, ok := o.find(ref.Seq)
	if !ok || o.index[i].number != ref.Number {
		if i = o.slotOf(ref.Number); i < 0 {
			return slot{}, false
		}
	}
	return o.index[i], o.index[i].revision == ref.Revision
}

// trimOldest deletes the n lowest keys of a bucket and returns them. Numbers
// and sequences only grow, so the lowest are the oldest.
func trimOldest(b *bolt.Bucket, n int) ([]uint64, error) {
	var gone []uint64
	c := b.Cursor()
	for k, _ := c.First(); k != nil && len(gone) < n; k, _ = c.Next() {
		gone = append(gone, binary.BigEndian.Uint64(k))
	}
	for _, k := range gone {
		if err := b.Delete(recordKey(k)); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// maxQuarantine is how many undeliverable entries are kept for a person to
// look at; the oldest go first.
const maxQuarantine = 100

// Quarantine takes an entry that can never be delivered out of the way of the
// others and keeps it, without its pictures, for a person to look at.
func (o *Outbox) Quarantine(ref Ref, reason string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.repair(func() error { return o.quarantine(ref, reason) }); err != nil {
		return o.fail("quarantine an entry of the outbox", err)
	}
	return nil
}

func (o *Outbox) quarantine(ref Ref, reason string) error {
	return o.write(func(tx *bolt.Tx) (func(), error) {
		s, ok := o.locate(ref)
		if !ok {
			return func() {}, nil
		}
		key := recordKey(s.seq)
		r, err := decodeAt(recordHit, key, tx.Bucket(bucketHits).Get(key))
		if err != nil {
			return nil, err
		}
		if err := (room{hits: []uint64{s.seq}}).apply(tx); err != nil {
			return nil, err
		}
		q := tx.Bucket(bucketQuarantine)
		if err := q.Put(key, r.encode()); err != nil {
			return nil, err
		}
		old, err := trimOldest(q, o.quarCount+1-maxQuarantine)
		if err != nil {
			return nil, err
		}
		return func() {
			o.forget([]uint64{s.seq})
			o.quarCount += 1 - len(old)
			o.counts.DroppedEntries += uint64(len(old))
			o.log.Error("a hit cannot be delivered and went into quarantine", "id", FormatID(o.unit, ref.Number), "reason", reason)
		}, nil
	})
}

// OutboxStats is what the outbox holds and what became of what it held.
// Counters are since the process started.
type OutboxStats struct {
	Entries     int     `json:"entries"` // pending
	Bytes       int64   `json:"bytes"`   // of the pending records
	MaxEntries  int     `json:"max_entries"`
	MaxBytes    int64   `json:"max_bytes"`
	Oldest      float64 `json:"oldest_s"`    // age of the first pending hit in seconds
	LastNumber  uint64  `json:"last_number"` // given out last
	Quarantined int     `json:"quarantined"` // held now

	Accepted        uint64 `json:"accepted"`
	Updated         uint64 `json:"updated"`
	Delivered       uint64 `json:"delivered"`
	Refused         uint64 `json:"refused"`          // not a usable hit, or too large
	DroppedEntries  uint64 `json:"dropped_entries"`  // at the bound
	DroppedPictures uint64 `json:"dropped_pictures"` // at the bound, or too large
	Salvaged        uint64 `json:"salvaged"`         // hits carried over from a damaged file

	Damage            string `json:"damage,omitempty"`              // what was wrong with the file
	NumberFileProblem string `json:"number_file_problem,omitempty"` // why the side file cannot be written
}

// Stats is a snapshot.
func (o *Outbox) Stats() OutboxStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.counts
	s.Entries, s.Bytes, s.Quarantined = len(o.index), o.bytes, o.quarCount
	s.MaxEntries, s.MaxBytes = o.opts.MaxEntries, o.opts.MaxBytes
	s.LastNumber = o.given
	if len(o.index) > 0 {
		first := o.index[0]
		age := o.now().Sub(time.UnixMilli(first.accepted))
		if first.here {
			age = o.now().Sub(first.mono)
		}
		s.Oldest = max(age.Seconds(), 0)
	}
	if o.damage != nil {
		s.Damage = o.damage.Reason
	}
	return s
}

// Pending is one line of a list of the outbox. It has no plate text.
type Pending struct {
	ID       string    `json:"id"`
	Revision int       `json:"revision"`
	Urgency  int       `json:"urgency"`  // 1 is the most urgent
	Accepted time.Time `json:"accepted"` // by the unit's clock
	Bytes    int64     `json:"bytes"`
	Pictures bool      `json:"pictures"`
}

// List returns the pending entries in order.
func (o *Outbox) List() []Pending {
	o.mu.Lock()
	defer o.mu.Unlock()
	return pendingList(o.unit, o.index)
}

func pendingList(unit string, index []slot) []Pending {
	list := make([]Pending, len(index))
	for i, s := range index {
		list[i] = Pending{
			ID: FormatID(unit, s.number), Revision: int(s.revision), Urgency: int(s.urgency),
			Accepted: time.UnixMilli(s.accepted), Bytes: s.size + s.pictures, Pictures: s.pictures > 0,
		}
	}
	return list
}
