package outbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"time"

	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"
)

// Ref names one revision of one entry in the outbox.
type Ref struct {
	Seq      uint64
	Number   uint64
	Revision uint32
}

// Queued is a pending hit, as [Outbox.Next] shows it.
type Queued struct {
	Ref
	Hit message.Hit
	// Historical is true if the hit is older than
	// [Settings.HistoricalAfter], or its age cannot be known: it was
	// accepted before a restart, at a time that the wall clock calls the future.
	Historical bool
	// First is true if no revision of the hit was delivered yet.
	First bool
}

// Next returns the first pending entry for which skip is false and that does not wait
// for a better revision, or nil if there is none: live hits in the order of acceptance, then historical ones in that
// order. Nothing changes for the entry. One that cannot be decoded is put into
// quarantine on the way; one that the disk cannot read now is passed over.
func (o *Outbox) Next(skip func(Ref) bool) (*Queued, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, o.fail("read the outbox", ErrClosed)
	}
	for again := true; again; {
		again = false
		n, live := len(o.index), o.firstLive()
		for i := range n {
			s := o.index[(live+i)%n]
			ref := Ref{s.seq, s.number, s.revision}
			if o.settling(s) || skip != nil && skip(ref) {
				continue
			}
			e, err := o.entry(s)
			switch {
			case err == nil:
				return e, nil
			case errors.Is(err, journal.ErrDisk):
				continue
			case errors.Is(err, journal.ErrDamaged):
				if err := o.rebuild(err); err != nil {
					_ = o.diskFailed(err)
				}
			default:
				reason := err.Error()
				if err := o.repair(func() error { return o.quarantine(ref, reason) }); err != nil {
					return nil, o.fail("quarantine an entry of the outbox", err)
				}
			}
			again = true // the index changed
			break
		}
	}
	return nil, nil
}

// firstLive is the position of the first live hit in the index. Invariant: hits
// accepted in this run are at the end, in the order of their age; hits of earlier
// runs come before them, and their ages, by the wall clock, need not be in order.
// So a binary search finds the first live hit of this run; if all of them are live,
// the live ones right before them, of an earlier run, count too.
func (o *Outbox) firstLive() int {
	live := func(s slot) bool { age, _ := o.age(s); return age >= 0 && age <= o.opts.HistoricalAfter }
	n := len(o.index)
	ours := sort.Search(n, func(i int) bool { return o.index[i].thisRun })
	first := ours + sort.Search(n-ours, func(i int) bool { return live(o.index[ours+i]) })
	for first == ours && first > 0 && live(o.index[first-1]) {
		first--
		ours--
	}
	return first
}

// age is the time since a hit was accepted, and whether it is certain.
func (o *Outbox) age(s slot) (age time.Duration, sure bool) {
	if s.thisRun {
		return o.now().Sub(s.mono), true
	}
	age = o.now().Sub(time.UnixMilli(s.accepted))
	return age, age >= 0 && s.clockSet && o.opts.ClockSet()
}

// record reads one record, from memory or the file, and opens it.
func (o *Outbox) record(kind journal.Kind, bucket []byte, seq uint64) (journal.Record, error) {
	r, err := o.sealedRecord(kind, bucket, seq)
	if err != nil {
		return r, err
	}
	return o.sealer.Open(r)
}

// sealedRecord reads one record as it is stored.
func (o *Outbox) sealedRecord(kind journal.Kind, bucket []byte, seq uint64) (journal.Record, error) {
	key := journal.Key(seq)
	value, err := o.read(bucket, key)
	if err != nil {
		return journal.Record{}, err
	}
	return journal.DecodeAt(kind, key, value)
}

// entry reads one pending hit with its pictures.
func (o *Outbox) entry(s slot) (*Queued, error) {
	_, delivered := o.delivered[s.number]
	e := &Queued{Ref: Ref{s.seq, s.number, s.revision}, First: !delivered}
	r, err := o.record(journal.KindHit, journal.BucketHits, s.seq)
	if err != nil {
		return nil, err
	}
	var p journal.Record
	if s.pictures > 0 {
		if p, err = o.record(journal.KindPictures, journal.BucketPictures, s.seq); err != nil {
			return nil, err
		}
	}
	if err := fill(&e.Hit, r, p); err != nil {
		return nil, err
	}
	age, _ := o.age(s)
	e.Historical = age < 0 || age > o.opts.HistoricalAfter
	return e, nil
}

// fill decodes a hit from its record, with the pictures in p if there are any.
func fill(h *message.Hit, r, p journal.Record) error {
	if err := json.Unmarshal(r.Body, h); err != nil {
		return fmt.Errorf("the entry is not a hit: %w", err)
	}
	var err error
	if p.Body != nil {
		if h.PlatePicture, h.ContextPicture, err = journal.DecodePictures(p.Body); err != nil {
			return fmt.Errorf("the entry's pictures cannot be decoded: %w", err)
		}
		h.PicturesUnchanged = false // they were not delivered yet
	} else if r.HadPictures {
		h.PicturesDropped = true
	}
	return nil
}

// Remove removes delivered entries, all in one transaction, and remembers their
// revisions. An entry that was updated meanwhile stays, to be delivered in its new
// revision. A missing entry is not an error.
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
	var seqs []uint64
	var times []float64 // that the deliveries took
	marks := map[uint64]uint32{}
	c := journal.Changes{}
	for _, ref := range refs {
		if s, ok := o.locate(ref); ok {
			seqs = append(seqs, s.seq)
			if age, _ := o.age(s); s.thisRun {
				times = append(times, age.Seconds())
			}
		}
		rev := max(ref.Revision, o.delivered[ref.Number], marks[ref.Number])
		marks[ref.Number] = rev
		mark := journal.Record{Kind: journal.KindDelivered, Number: ref.Number, Revision: rev}
		c.Put(journal.BucketDelivered, journal.Key(ref.Number), mark.Encode())
	}
	c.Remove(journal.BucketHits, seqs...)
	c.Remove(journal.BucketPictures, seqs...)
	old := o.oldMarks(marks)
	c.Remove(journal.BucketDelivered, old...)
	if err := o.keep(c); err != nil {
		return err
	}
	o.forget(seqs)
	o.counts.Delivered += uint64(len(seqs))
	for _, t := range times {
		i, _ := slices.BinarySearch(deliveryBounds[:], t)
		o.deliveries[i]++
		o.deliverySum += t
	}
	for n, rev := range marks {
		o.delivered[n] = rev
	}
	for _, n := range old {
		delete(o.delivered, n)
	}
	return nil
}

var deliveryBounds = [...]float64{0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 43200}

// DeliveryBounds are the upper bounds of [Outbox.DeliveryTimes], in seconds.
var DeliveryBounds = deliveryBounds[:]

// DeliveryTimes counts delivered hits of this run by the time from [Outbox.Accept] to
// [Outbox.Remove]: those up to each of [DeliveryBounds], without those before, and
// those beyond; and the sum of the times in seconds.
func (o *Outbox) DeliveryTimes() (counts []uint64, sum float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.deliveries[:]), o.deliverySum
}

// Largest is the size of the largest pending entry with its pictures, in bytes as
// stored.
func (o *Outbox) Largest() (n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.index {
		n = max(n, s.size+s.pictures)
	}
	return n
}

// PendingRef completes a reference to a pending hit of which only number and
// revision are known. It is false if that revision is not pending.
func (o *Outbox) PendingRef(ref Ref) (Ref, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.locate(ref)
	return Ref{s.seq, s.number, s.revision}, ok
}

// oldMarks are the delivered numbers to forget when marks join them, the lowest
// first. They are forgotten in batches, because finding them sorts all.
func (o *Outbox) oldMarks(marks map[uint64]uint32) []uint64 {
	const batch = 128
	if len(o.delivered)+len(marks) <= maxDelivered+batch {
		return nil
	}
	numbers := slices.Sorted(maps.Keys(o.delivered))
	old := numbers[:min(len(numbers), len(o.delivered)+len(marks)-maxDelivered)]
	return slices.DeleteFunc(old, func(n uint64) bool { _, again := marks[n]; return again })
}

// locate finds the pending entry of this number and revision. Its sequence differs
// if the file was rebuilt after ref was handed out.
func (o *Outbox) locate(ref Ref) (slot, bool) {
	i, ok := o.find(ref.Seq)
	if !ok || o.index[i].number != ref.Number {
		if i = o.slotOf(ref.Number); i < 0 {
			return slot{}, false
		}
	}
	return o.index[i], o.index[i].revision == ref.Revision
}

// maxQuarantine is how many undeliverable entries are kept for a person to
// examine; the oldest are dropped first.
const maxQuarantine = 100

// Quarantine removes an entry that can never be delivered from the queue and
// keeps it, without its pictures, for a person to examine.
func (o *Outbox) Quarantine(ref Ref, reason string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.repair(func() error { return o.quarantine(ref, reason) }); err != nil {
		return o.fail("quarantine an entry of the outbox", err)
	}
	return nil
}

func (o *Outbox) quarantine(ref Ref, reason string) error {
	s, ok := o.locate(ref)
	if !ok {
		return nil
	}
	r, err := o.sealedRecord(journal.KindHit, journal.BucketHits, s.seq)
	if err != nil {
		return err
	}
	c := journal.Changes{}
	c.Remove(journal.BucketHits, s.seq)
	c.Remove(journal.BucketPictures, s.seq)
	c.Put(journal.BucketQuarantine, journal.Key(s.seq), r.Encode())
	old := o.quarantined[:max(0, len(o.quarantined)+1-maxQuarantine)]
	c.Remove(journal.BucketQuarantine, old...)
	if err := o.keep(c); err != nil {
		return err
	}
	o.forget([]uint64{s.seq})
	o.counts.DroppedEntries += uint64(len(old))
	o.quarantined = append(slices.Clone(o.quarantined[len(old):]), s.seq)
	o.log.Error("a hit cannot be delivered; it is in quarantine", "id", o.id(ref.Number), "reason", reason)
	return nil
}

// Stats returns the present counts.
func (o *Outbox) Stats() message.OutboxHealth {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.counts
	s.Entries, s.Bytes, s.Quarantined = len(o.index), o.bytes, len(o.quarantined)
	s.DroppedByPriority = maps.Clone(o.dropped)
	s.Unsaved, s.UnsavedBytes = o.unsavedHits(), o.unsavedBytes
	if o.disk != nil {
		s.DiskProblem = o.disk.Error()
	}
	s.MaxEntries, s.MaxBytes = o.opts.MaxEntries, o.opts.MaxBytes
	s.LastNumber = o.given
	if len(o.index) > 0 {
		age, _ := o.age(o.index[0])
		s.Oldest = max(age.Seconds(), 0)
	}
	if o.damage != nil {
		s.Damage = o.damage.Reason
	}
	return s
}

// priorityName is a priority as a key of JSON: "p1".
func priorityName(urgency uint8) string { return "p" + strconv.Itoa(int(urgency)) }

// List returns the pending entries, by sequence.
func (o *Outbox) List() []Pending {
	o.mu.Lock()
	defer o.mu.Unlock()
	return pendingList(o.id, o.index)
}
