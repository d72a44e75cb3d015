package outbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"platewatch/uplink/failure"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"
)

// newcomer is a hit that is about to be stored.
type newcomer struct {
	hit      message.Hit
	number   uint64
	previous uint64
	revision uint32
	seq      uint64
	accepted time.Time
	replaces *slot
	fresh    bool // its number was not used before
}

// Accept gives the hit its id and puts it on disk, with fsync, before it
// returns. From then on the hit is delivered or counted as dropped. While the
// disk cannot be written (see [message.OutboxHealth.DiskProblem]) it is kept in
// memory. Errors: [ErrFull], [ErrTooLarge], [ErrClosed], or what is wrong with
// the hit.
func (o *Outbox) Accept(h message.Hit) (id string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	err = h.Validate()
	if h.Withdrawn {
		err = errors.New("there is no hit yet that it withdraws")
	}
	if err != nil {
		o.counts.Refused++
		return "", o.fail("accept the hit into the outbox", err)
	}
	err = o.repair(func() error {
		n := newcomer{hit: h, number: o.lastNum + 1, previous: o.given, revision: 1, seq: o.lastSeq + 1, accepted: o.now(), fresh: true}
		o.raiseCeiling(n.number)
		err := o.store(&n)
		id = o.id(n.number)
		return err
	})
	if err != nil {
		return "", o.fail("accept the hit into the outbox", err)
	}
	o.counts.Accepted++
	return id, nil
}

// Update replaces the hit of this id by a better vote of the same passage, as
// its next revision. A pending hit is replaced in its place; if the earlier
// revision was delivered already, the new one is appended. Pictures that the
// update leaves out, because they are unchanged, are kept while the hit is
// pending. An update that is withdrawn
// removes text, matches and pictures of what is pending; it is as urgent as the
// matches it has here, which are not stored. Errors are those of [Outbox.Accept],
// and [ErrUnknownID].
func (o *Outbox) Update(id string, h message.Hit) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	fail := func(err error) error {
		return &failure.Error{Op: "update hit", Path: id, Err: err}
	}
	unit, number, err := message.ParseID(id)
	if err != nil || unit != o.unit || !o.Owns(id) {
		return fail(ErrUnknownID)
	}
	if err := h.Validate(); err != nil {
		o.counts.Refused++
		return fail(err)
	}
	err = o.repair(func() error {
		n := newcomer{hit: h, number: number, accepted: o.now()}
		if i := o.slotOf(number); i >= 0 {
			old := o.index[i]
			n.replaces = &old
			n.seq, n.previous, n.revision = old.seq, old.previous, old.revision+1
		} else if rev, ok := o.delivered[number]; ok {
			n.seq, n.revision = o.lastSeq+1, rev+1
		} else {
			return ErrUnknownID
		}
		return o.store(&n)
	})
	switch {
	case errors.Is(err, ErrUnknownID):
		return fail(err)
	case err != nil:
		return o.fail("update hit "+id+" in the outbox", err)
	}
	o.counts.Updated++
	return nil
}

// store writes a hit, evicts others for it where a bound demands that, and
// updates the index once all that is on disk, or in memory if the write failed.
// Called with the lock held.
func (o *Outbox) store(n *newcomer) error {
	if o.closed {
		return ErrClosed
	}
	hit := n.hit // prepare removes its pictures
	p, err := o.prepare(n)
	if err == nil {
		err = o.save(p.changes)
		p.slot.inFile = p.slot.inFile || err == nil
	}
	if errors.Is(err, journal.ErrDisk) {
		if n.fresh && n.number > o.ceiling && !o.skippedAhead {
			o.skipAhead()
			n.hit, n.number = hit, o.lastNum+1
			if p, err = o.prepare(n); err != nil {
				return err
			}
		}
		if err = o.hold(p.changes, &p.slot); err != nil {
			o.applyEvictions(p.evictions)
		}
	}
	switch {
	case errors.Is(err, ErrFull):
		o.countDropped(slot{urgency: urgencyOf(&n.hit)})
		return err
	case err != nil:
		return err
	}
	o.stored(p.slot, p.evictions, p.oversize)
	return nil
}

// prepared is a hit ready to be written.
type prepared struct {
	slot      slot
	evictions evictions
	changes   journal.Changes
	oversize  int // pictures that exceed their bound
}

// urgencyOf is the hit's urgency in a byte; 1 is the most urgent.
func urgencyOf(h *message.Hit) uint8 { return uint8(min(max(h.Urgency(), 1), 255)) }

// prepare encodes a hit and plans what must be evicted for it.
func (o *Outbox) prepare(n *newcomer) (*prepared, error) {
	plate, context, oversize := o.capPictures(&n.hit)
	n.hit.ID = o.id(n.number)
	n.hit.Number, n.hit.Previous, n.hit.Revision, n.hit.Unit = n.number, n.previous, int(n.revision), o.unit
	n.hit.PlatePicture, n.hit.ContextPicture = nil, nil
	n.hit.PicturesDropped = n.hit.PicturesDropped || oversize > 0
	n.hit.PicturesFollow, n.hit.Historical = false, false
	if n.hit.Withdrawn {
		plate, context = nil, nil
	}
	if err := o.settlePictures(n); err != nil {
		return nil, err
	}
	if n.hit.Characters == nil {
		n.hit.Characters = []message.Character{}
	}
	body, err := json.Marshal(&n.hit)
	if err != nil {
		o.counts.Refused++
		return nil, err
	}
	if len(body) > o.opts.MaxMessage {
		o.counts.Refused++
		return nil, fmt.Errorf("%w: %d bytes of at most %d", ErrTooLarge, len(body), o.opts.MaxMessage)
	}

	s := slot{
		seq: n.seq, number: n.number, previous: n.previous, revision: n.revision,
		urgency: urgencyOf(&n.hit),
		thisRun: true, mono: n.accepted, ran: o.keepFor.running(), accepted: n.accepted.UnixMilli(), clockSet: n.hit.Clock == message.ClockSynchronised,
	}
	if old := n.replaces; old != nil {
		// A hit is as old as its first revision.
		s.thisRun, s.mono, s.ran, s.accepted, s.clockSet = old.thisRun, old.mono, old.ran, old.accepted, old.clockSet
		s.inFile = old.inFile
	}
	o.settle(&s, &n.hit, n.replaces)
	hit := journal.Record{Kind: journal.KindHit, Urgency: s.urgency, Seq: s.seq, Number: s.number, Previous: s.previous,
		Revision: s.revision, Accepted: s.accepted, ClockSet: s.clockSet, Body: body}
	o.sealer.Seal(&hit)
	s.size = recordCost(hit.Size())
	pictures := hit
	pictures.Kind, pictures.Body, pictures.Sealed = journal.KindPictures, nil, false
	if n.replaces != nil && plate == nil && context == nil && n.replaces.pictures > 0 && !n.hit.Withdrawn {
		old, err := o.record(journal.KindPictures, journal.BucketPictures, s.seq)
		if err != nil {
			return nil, err
		}
		pictures.Body = old.Body
	} else if plate != nil || context != nil {
		pictures.Body = journal.EncodePictures(plate, context)
	}
	if pictures.Body != nil {
		o.sealer.Seal(&pictures)
		s.pictures = recordCost(pictures.Size())
		hit.HadPictures = true
	}
	p := &prepared{evictions: o.planEvictions(s, n.replaces), changes: journal.Changes{}, oversize: oversize}
	if p.evictions.rejectNew {
		return nil, ErrFull
	}
	if p.evictions.ownPictures {
		s.pictures = 0
	}
	p.evictions.addTo(p.changes)
	p.changes.Put(journal.BucketHits, journal.Key(s.seq), hit.Encode())
	if s.pictures > 0 {
		p.changes.Put(journal.BucketPictures, journal.Key(s.seq), pictures.Encode())
	} else if n.replaces != nil {
		p.changes.Remove(journal.BucketPictures, s.seq)
	}
	meta := journal.Record{Kind: journal.KindMeta, Number: max(o.given, s.number), Seq: max(o.lastSeq, s.seq)}
	p.changes.Put(journal.BucketMeta, journal.KeyMeta, meta.Encode())
	p.slot = s
	return p, nil
}

// settlePictures corrects what a revision says of unchanged pictures: where the
// revision that it replaces in the outbox was never delivered and lost its pictures
// at a bound, there are none.
func (o *Outbox) settlePictures(n *newcomer) error {
	if !n.hit.PicturesUnchanged || n.replaces == nil || n.replaces.pictures > 0 {
		return nil
	}
	r, err := o.record(journal.KindHit, journal.BucketHits, n.seq)
	if err != nil {
		return err
	}
	var old message.Hit
	if err := json.Unmarshal(r.Body, &old); err != nil {
		return fmt.Errorf("the entry is not a hit: %w", err)
	}
	n.hit.PicturesUnchanged = old.PicturesUnchanged
	n.hit.PicturesDropped = old.PicturesDropped || r.HadPictures
	return nil
}

// stored updates the index after a commit.
func (o *Outbox) stored(s slot, evicted evictions, oversize int) {
	o.counts.DroppedPictures += uint64(oversize)
	o.applyEvictions(evicted)
	if i, ok := o.find(s.seq); ok {
		o.bytes += s.size + s.pictures - o.index[i].size - o.index[i].pictures
		o.index[i] = s
	} else {
		o.index = append(o.index, s)
		o.bytes += s.size + s.pictures
	}
	o.lastNum, o.given, o.lastSeq = max(o.lastNum, s.number), max(o.given, s.number), max(o.lastSeq, s.seq)
	o.wake()
}

// capPictures returns the hit's pictures without those that exceed their bound.
func (o *Outbox) capPictures(h *message.Hit) (plate, context *message.Picture, oversize int) {
	plate, context = h.PlatePicture, h.ContextPicture
	drop := func(p **message.Picture, limit int) {
		if *p == nil {
			return
		}
		if len((*p).JPEG) > limit {
			oversize++
		}
		if n := len((*p).JPEG); n > limit || n == 0 {
			*p = nil
		}
	}
	drop(&plate, o.opts.MaxPlatePicture)
	drop(&context, o.opts.MaxContextPicture)
	return plate, context, oversize
}
