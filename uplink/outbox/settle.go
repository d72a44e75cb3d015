package outbox

import (
	"strings"
	"time"

	"platewatch/uplink/message"
)

// A hit is made as soon as its plate is read surely, and most vehicles tell more
// within the next second: where they go, and a larger picture. Each such revision
// would be a message of its own. So a hit waits in the outbox, on disk like every
// other, for at most [Settings.Settle] before it is sent, and a revision that comes
// meanwhile takes its place. [Outbox.Settled] ends the wait.

// settles is how long a hit waits for better revisions: those that a person acts on
// at once, of the most urgent priority or an alert, and withdrawals, not at all.
func (o *Outbox) settles(h *message.Hit) time.Duration {
	if h.Withdrawn || h.Urgency() <= 1 {
		return 0
	}
	for _, m := range h.Matches {
		if strings.HasSuffix(m.Category, "_alert") {
			return 0
		}
	}
	return o.opts.Settle
}

// settle sets until when a new entry waits. A revision does not prolong the wait of
// the one that it replaces.
func (o *Outbox) settle(s *slot, h *message.Hit, old *slot) {
	wait := o.settles(h)
	if wait <= 0 {
		return
	}
	if s.until = o.now().Add(wait); old != nil {
		s.until = old.until
		return
	}
	time.AfterFunc(wait, o.wake)
}

// settling tells whether an entry waits for a better revision.
func (o *Outbox) settling(s slot) bool { return !s.until.IsZero() && o.now().Before(s.until) }

// Settling tells whether a hit waits for a better revision.
func (o *Outbox) Settling(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.pendingHit(id)
	return s != nil && o.settling(*s)
}

// Settled ends the wait of a hit: no better revision of it is expected. It does
// nothing for hits that do not wait.
func (o *Outbox) Settled(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.pendingHit(id); s != nil && !s.until.IsZero() {
		s.until = time.Time{}
		o.wake()
	}
}

// pendingHit is the pending hit with this id, or nil.
func (o *Outbox) pendingHit(id string) *slot {
	_, number, err := message.ParseID(id)
	if err != nil || !o.Owns(id) {
		return nil
	}
	if i := o.slotOf(number); i >= 0 {
		return &o.index[i]
	}
	return nil
}
