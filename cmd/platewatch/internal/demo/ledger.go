package demo

import (
	"slices"
	"sync"
	"time"

	"platewatch/hotlist/entry"
	"platewatch/uplink/message"
)

// ledger records the hits that arrived at the server and compares them with the
// expected ones.
type ledger struct {
	mu      sync.Mutex
	starts  []time.Time // when each clip began to play
	arrived []arrival
	ids     map[string]bool
}

type arrival struct {
	id    string
	clip  int // that was playing when the picture was taken
	plate string
}

// clipBegins records that the next clip plays.
func (l *ledger) clipBegins() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starts = append(l.starts, time.Now())
}

// hit records a hit, or removes a withdrawn one. It returns false for a revision of
// a known hit.
func (l *ledger) hit(h *message.Hit) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.Withdrawn {
		delete(l.ids, h.ID)
		l.arrived = slices.DeleteFunc(l.arrived, func(a arrival) bool { return a.id == h.ID })
		return false
	}
	if l.ids[h.ID] {
		return false
	}
	if l.ids == nil {
		l.ids = map[string]bool{}
	}
	l.ids[h.ID] = true
	clip := 0
	for i, start := range l.starts {
		if !h.CapturedAt.Before(start) {
			clip = i
		}
	}
	l.arrived = append(l.arrived, arrival{h.ID, clip, h.Matches[0].Entry.Plate})
	return true
}

// outcome compares the hits with each clip's expected plates: those that arrived
// during their own clip, those that did not, and hits that no clip explains.
func (l *ledger) outcome(expected [][]string) (delivered, missing, wrong []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := slices.Clone(l.arrived)
	for clip, plates := range expected {
		for _, plate := range plates {
			i := slices.IndexFunc(left, func(a arrival) bool {
				return a.clip == clip && entry.Fold(a.plate) == entry.Fold(plate)
			})
			if i < 0 {
				missing = append(missing, plate)
				continue
			}
			delivered = append(delivered, plate)
			left = slices.Delete(left, i, i+1)
		}
	}
	for _, a := range left {
		wrong = append(wrong, a.plate)
	}
	return delivered, missing, wrong
}
