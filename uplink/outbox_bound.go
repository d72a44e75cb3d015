package uplink

import (
	"cmp"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// recordCost is what a record counts for at the bound: itself and its key.
func recordCost(size int) int64 { return int64(size) + 8 }

// room says what goes to make room for a newcomer.
type room struct {
	pictures []uint64 // sequences of hits that lose their pictures
	hits     []uint64 // sequences of hits that go
	own      bool     // the newcomer's own pictures go
	refuse   bool     // the newcomer itself goes
}

// makeRoom applies the rule at the bound: pictures before hits; the least
// urgent first, among them the oldest. The newcomer s takes part as the
// youngest; if it replaces a pending hit it has that hit's age.
func (o *Outbox) makeRoom(s slot, replaces *slot) room {
	bytes, entries := o.bytes+s.size+s.pictures, len(o.index)+1
	if replaces != nil {
		bytes -= replaces.size + replaces.pictures
		entries--
	}
	var r room
	if bytes <= o.opts.MaxBytes && entries <= o.opts.MaxEntries {
		return r
	}
	order := make([]slot, 0, len(o.index)+1)
	for _, p := range o.index {
		if p.seq != s.seq {
			order = append(order, p)
		}
	}
	order = append(order, s)
	slices.SortFunc(order, func(a, b slot) int {
		return cmp.Or(-cmp.Compare(a.urgency, b.urgency), cmp.Compare(a.seq, b.seq))
	})

	// When the number of hits is the bound, hits go, with their pictures.
	gone := 0
	drop := func() bool {
		v := order[gone]
		gone++
		if v.seq == s.seq {
			r = room{refuse: true}
			return false
		}
		r.hits = append(r.hits, v.seq)
		bytes -= v.size + v.pictures
		entries--
		return true
	}
	for entries > o.opts.MaxEntries {
		if !drop() {
			return r
		}
	}
	for i := gone; i < len(order) && bytes > o.opts.MaxBytes; i++ {
		v := &order[i]
		if v.pictures == 0 {
			continue
		}
		bytes -= v.pictures
		v.pictures = 0
		if v.seq == s.seq {
			r.own = true
		} else {
			r.pictures = append(r.pictures, v.seq)
		}
	}
	for bytes > o.opts.MaxBytes {
		if !drop() {
			return r
		}
	}
	return r
}

// apply does it to the file.
func (r room) apply(tx *bolt.Tx) error {
	for _, seq := range r.hits {
		if err := tx.Bucket(bucketHits).Delete(recordKey(seq)); err != nil {
			return err
		}
	}
	for _, seqs := range [][]uint64{r.hits, r.pictures} {
		for _, seq := range seqs {
			if err := tx.Bucket(bucketPictures).Delete(recordKey(seq)); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle does it to the index, and counts.
func (o *Outbox) settle(r room) {
	for _, seq := range r.pictures {
		if i, ok := o.find(seq); ok {
			o.bytes -= o.index[i].pictures
			o.index[i].pictures = 0
			o.counts.DroppedPictures++
		}
	}
	if r.own {
		o.counts.DroppedPictures++
	}
	o.forget(r.hits)
	o.counts.DroppedEntries += uint64(len(r.hits))
}

// forget takes hits out of the index.
func (o *Outbox) forget(seqs []uint64) {
	if len(seqs) == 0 {
		return
	}
	gone := make(map[uint64]bool, len(seqs))
	for _, seq := range seqs {
		gone[seq] = true
	}
	o.index = slices.DeleteFunc(o.index, func(s slot) bool {
		if gone[s.seq] {
			o.bytes -= s.size + s.pictures
			return true
		}
		return false
	})
}
