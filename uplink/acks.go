package uplink

import (
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// processAcks takes acknowledged messages off the head of those in flight, and
// removes the entries that are delivered thereby, in one transaction.
func (s *session) processAcks() error {
	var done []outbox.Ref
	var err error
	n := 0
	for n < len(s.inFlight) && acknowledged(s.inFlight[n].token) {
		f := s.inFlight[n]
		// A token that completes without error got its PUBACK on this connection:
		// paho has neither a store nor a reconnect here, and sets an error on all
		// others when the connection ends.
		if ferr := f.token.Error(); ferr != nil {
			err = errors.Join(link.ErrLost, ferr)
			break
		}
		n++
		s.client.flow.acknowledged(time.Since(f.launched), f.behind)
		if f.acked != nil {
			f.acked()
		}
		if !f.entry {
			continue
		}
		s.client.flow.acked++
		switch {
		case f.withoutPictures:
			s.client.withoutPictures[f.ref] = true
		case s.cfg.Ack == AckServer && !s.early[f.ref]:
			s.await(f.ref)
		default:
			done = append(done, f.ref)
		}
		delete(s.early, f.ref)
		if f.historical {
			s.client.count(func(s *Stats) { s.Historical++ })
		}
	}
	if n > 0 {
		s.inFlight = append(s.inFlight[:0], s.inFlight[n:]...)
		s.stalled = time.Now()
	}
	s.delivered(done)
	return err
}

func acknowledged(t mqtt.Token) bool {
	select {
	case <-t.Done():
		return true
	default:
		return false
	}
}

// delivered counts delivered entries and removes them from the outbox.
func (s *session) delivered(done []outbox.Ref) {
	if len(done) == 0 {
		return
	}
	s.client.count(func(st *Stats) { st.Delivered += uint64(len(done)) })
	s.removeDelivered(done)
}

// removeDelivered removes delivered entries from the outbox, and those whose
// removal failed before.
func (s *session) removeDelivered(done []outbox.Ref) {
	c := s.client
	for _, ref := range done {
		delete(c.sent, ref)
		delete(c.withoutPictures, ref)
		delete(c.announced, ref.Number)
		c.removed[ref] = true
	}
	if len(c.removed) == 0 {
		return
	}
	refs := make([]outbox.Ref, 0, len(c.removed))
	for ref := range c.removed {
		refs = append(refs, ref)
	}
	if err := c.outbox.Remove(refs...); err != nil {
		c.log.Error("cannot remove delivered hits from the outbox; retrying", "hits", len(refs), "error", err)
		return
	}
	clear(c.removed)
}

// awaitingServerAck is a hit that the broker acknowledged and the server did not.
type awaitingServerAck struct {
	since time.Time
	tries uint
	due   bool // to be resent
}

// maxServerWait bounds the time between two sendings of a hit that the server does
// not acknowledge.
const maxServerWait = 15 * time.Minute

// await begins to wait for the server's acknowledgement of a hit.
func (s *session) await(ref outbox.Ref) {
	if _, ok := s.client.outbox.PendingRef(ref); !ok {
		return // a newer revision takes its place, or a bound evicted it
	}
	w := s.awaiting[ref]
	if w == nil {
		w = &awaitingServerAck{}
		s.awaiting[ref] = w
		s.countAwaiting()
	}
	w.since, w.due = time.Now(), false
	w.tries++
}

// forgetReplaced ends the wait for revisions that the outbox no longer holds: a
// newer one took their place, or a bound evicted them. The server may never
// acknowledge those.
func (s *session) forgetReplaced() {
	before := len(s.awaiting)
	for ref := range s.awaiting {
		if _, ok := s.client.outbox.PendingRef(ref); !ok {
			delete(s.awaiting, ref)
		}
	}
	if len(s.awaiting) < before {
		s.countAwaiting()
	}
}

func (s *session) countAwaiting() {
	n := len(s.awaiting)
	s.client.count(func(st *Stats) { st.Awaiting = n })
}

const serverSilent = "the server does not acknowledge hits that the broker has"

// resendOverdue has hits resent that the server did not acknowledge in time.
func (s *session) resendOverdue() {
	again := 0
	for ref, w := range s.awaiting {
		wait := min(s.cfg.ServerAckTimeout<<min(w.tries-1, 8), maxServerWait)
		if !w.due && time.Since(w.since) >= wait {
			w.due = true
			s.client.sent[ref] = true
			again++
		}
	}
	if again == 0 {
		return
	}
	s.client.count(func(st *Stats) { st.ServerSilent, st.LastProblem = true, serverSilent })
	if s.client.logged.ShouldLog(serverSilent) {
		s.client.log.Info(serverSilent+"; they stay in the outbox and are resent", "broker", s.broker.Name(), "hits", again)
	}
}

const (
	// overtakenBy is how far the server's acknowledgements may be out of order.
	overtakenBy = 2 * time.Second
	// overtakenTries is how often a hit is sent in all before only
	// resendOverdue has it sent again.
	overtakenTries = 4
)

// resendOvertaken has hits resent at once that the broker acknowledged well
// before one that the server just acknowledged: the server was away then. It does
// so a few times; a hit that the server refuses to store waits longer and longer.
func (s *session) resendOvertaken(latest time.Time) {
	for ref, w := range s.awaiting {
		if !w.due && w.tries < overtakenTries && latest.Sub(w.since) > overtakenBy {
			w.due = true
			s.client.sent[ref] = true
		}
	}
}

// onServerAcks removes hits that the server has stored. Only a hit that was sent, on
// this connection or an earlier one, can be stored: any other acknowledgement is
// counted and changes nothing.
func (s *session) onServerAcks(refs []outbox.Ref) {
	if s.cfg.Ack != AckServer {
		return
	}
	var done []outbox.Ref
	unsent, last := 0, s.client.outbox.Stats().LastNumber
	var latest time.Time // when the broker acknowledged the latest of them
	for _, ref := range refs {
		at, ok := s.client.outbox.PendingRef(ref)
		switch {
		case !ok && ref.Number > last:
			unsent++
		case !ok:
			// A repeat, or a revision that was replaced.
		case s.inFlightOf(at) != nil:
			if f := s.inFlightOf(at); !f.withoutPictures { // else its pictures follow
				s.early[at] = true
			}
		case s.awaiting[at] == nil && s.client.withoutPictures[at]:
			// That was the hit; its pictures follow.
		case s.awaiting[at] == nil && !s.client.sent[at]:
			unsent++
		default:
			if w := s.awaiting[at]; w != nil && w.since.After(latest) {
				latest = w.since
			}
			delete(s.awaiting, at)
			done = append(done, at)
		}
	}
	if unsent > 0 {
		s.client.unexpectedAcks(unsent, "hits are acknowledged that were not sent")
	}
	s.resendOvertaken(latest)
	if s.countAwaiting(); len(done) > 0 {
		s.client.count(func(st *Stats) {
			if st.ServerSilent = false; st.LastProblem == serverSilent {
				st.LastProblem = ""
			}
		})
	}
	s.delivered(done)
}

// unexpectedAcks counts acknowledgements that no server gives, and logs the reason
// once on a connection: another client writes to the unit's acks topic, or the server
// is not the one that the hits went to.
func (c *Client) unexpectedAcks(n int, reason string) {
	c.count(func(st *Stats) { st.UnexpectedAcks += uint64(n) })
	if c.logged.ShouldLog("unexpected acknowledgements") {
		c.log.Warn("acknowledgements ignored", "reason", reason, "count", n,
			"hint", "check who may write to the acks topics at the broker, and that nothing there is retained")
	}
}

// inFlightOf is the message in flight whose acknowledgement by the broker counts
// for an entry, or nil.
func (s *session) inFlightOf(ref outbox.Ref) *inFlight {
	for _, f := range s.inFlight {
		if f.entry && f.ref == ref {
			return f
		}
	}
	return nil
}

// parseAcks reads a message of the acks topic, which may hold anything.
func parseAcks(unit string, owns func(id string) bool, payload []byte) ([]outbox.Ref, error) {
	var a message.Acks
	if err := decode(message.KindAcks, payload, &a, &a.Unit, unit); err != nil {
		return nil, err
	}
	refs := make([]outbox.Ref, 0, len(a.Stored))
	for _, s := range a.Stored {
		of, number, err := message.ParseID(s.ID)
		if err != nil {
			return nil, err
		}
		if of != unit {
			return nil, fmt.Errorf("%q is not an id of this unit", s.ID)
		}
		if !owns(s.ID) {
			continue // another installation under this name
		}
		refs = append(refs, outbox.Ref{Number: number, Revision: uint32(s.Revision)})
	}
	return refs, nil
}
