package outbox

import (
	"slices"

	"platewatch/uplink/outbox/internal/journal"
)

// recordCost is what a record counts at the bound, in bytes: itself and its key.
func recordCost(size int) int64 { return int64(size) + 8 }

// evictions is what is evicted for a newcomer.
type evictions struct {
	pictures    []uint64 // sequences of hits that lose their pictures
	hits        []uint64 // sequences of evicted hits
	ownPictures bool     // the newcomer loses its own pictures
	rejectNew   bool     // the newcomer itself is rejected
}

// planEvictions applies the bounds: first that of the newcomer's own priority,
// then that of all. In both, pictures are evicted before hits; the least urgent
// first, among them the oldest. The newcomer s counts as the youngest; if it
// replaces a pending hit it has that hit's age.
func (o *Outbox) planEvictions(s slot, replaces *slot) evictions {
	bytes, entries := o.bytes+s.size+s.pictures, len(o.index)+1
	if replaces != nil {
		bytes -= replaces.size + replaces.pictures
		entries--
	}
	own := o.opts.limit(s.urgency).MaxBytes
	if bytes <= o.opts.MaxBytes && entries <= o.opts.MaxEntries && own == 0 {
		return evictions{}
	}
	e := evictionPlan{newcomer: s.seq, order: make([]slot, 0, len(o.index)+1)}
	for _, p := range o.index {
		if p.seq != s.seq {
			e.order = append(e.order, p)
		}
	}
	e.order = append(e.order, s)
	slices.SortFunc(e.order, leastUrgentOldest)
	if own > 0 && !e.within(own, len(e.order), func(p slot) bool { return p.urgency == s.urgency }) {
		return evictions{rejectNew: true}
	}
	if !e.within(o.opts.MaxBytes, o.opts.MaxEntries, func(slot) bool { return true }) {
		return evictions{rejectNew: true}
	}
	return e.evictions
}

// evictionPlan is the search for what to evict.
type evictionPlan struct {
	order     []slot // first to be evicted first
	newcomer  uint64 // its sequence
	evictions evictions
}

// within evicts pictures and hits until those of class keep the bounds. It is
// false if the newcomer itself would have to be evicted.
func (e *evictionPlan) within(maxBytes int64, maxEntries int, class func(slot) bool) bool {
	var bytes int64
	entries := 0
	for _, p := range e.order {
		if class(p) {
			bytes += p.size + p.pictures
			entries++
		}
	}
	gone := map[uint64]bool{}
	drop := func(p slot) bool {
		if p.seq == e.newcomer {
			return false
		}
		e.evictions.hits = append(e.evictions.hits, p.seq)
		gone[p.seq] = true
		bytes -= p.size + p.pictures
		entries--
		return true
	}
	// Where there are too many hits, whole hits are evicted.
	for _, p := range e.order {
		if entries > maxEntries && class(p) && !drop(p) {
			return false
		}
	}
	for i := range e.order {
		p := &e.order[i]
		if bytes <= maxBytes {
			break
		}
		if p.pictures == 0 || gone[p.seq] || !class(*p) {
			continue
		}
		bytes -= p.pictures
		p.pictures = 0
		if p.seq == e.newcomer {
			e.evictions.ownPictures = true
		} else {
			e.evictions.pictures = append(e.evictions.pictures, p.seq)
		}
	}
	for _, p := range e.order {
		if bytes > maxBytes && !gone[p.seq] && class(p) && !drop(p) {
			return false
		}
	}
	e.order = slices.DeleteFunc(e.order, func(p slot) bool { return gone[p.seq] })
	e.evictions.pictures = slices.DeleteFunc(e.evictions.pictures, func(seq uint64) bool { return gone[seq] })
	return true
}

// addTo adds the evictions to a set of changes.
func (e evictions) addTo(c journal.Changes) {
	c.Remove(journal.BucketHits, e.hits...)
	c.Remove(journal.BucketPictures, e.hits...)
	c.Remove(journal.BucketPictures, e.pictures...)
}

// applyEvictions removes from the index what was evicted, and counts it.
func (o *Outbox) applyEvictions(e evictions) {
	for _, seq := range e.pictures {
		if i, ok := o.find(seq); ok {
			o.bytes -= o.index[i].pictures
			o.index[i].pictures = 0
			o.counts.DroppedPictures++
		}
	}
	if e.ownPictures {
		o.counts.DroppedPictures++
	}
	for _, seq := range e.hits {
		if i, ok := o.find(seq); ok {
			o.countDropped(o.index[i])
		}
	}
	o.forget(e.hits)
}

// countDropped counts a dropped hit, by its priority.
func (o *Outbox) countDropped(s slot) {
	o.counts.DroppedEntries++
	if o.dropped == nil {
		o.dropped = map[string]uint64{}
	}
	o.dropped[priorityName(s.urgency)]++
}

// forget removes hits from the index.
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
