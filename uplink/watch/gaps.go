package watch

import (
	"time"

	"platewatch/uplink/message"
)

// seen remembers which revisions of which hits the handler got, for the latest
// hits only: at most limit of them over all units.
type seen struct {
	limit int
	rank  map[string]int
	order []string // a ring of the ids in rank, oldest at next
	next  int
}

func newSeen(limit int) *seen { return &seen{limit: limit, rank: map[string]int{}} }

// add is false if the handler got this revision of the hit, or a later one,
// already. A revision that comes again with its pictures is new.
func (s *seen) add(h *message.Hit) bool {
	rank := 2 * h.Revision
	if !h.PicturesFollow {
		rank++
	}
	if have, ok := s.rank[h.ID]; ok {
		if rank <= have {
			return false
		}
		s.rank[h.ID] = rank
		return true
	}
	if len(s.order) < s.limit {
		s.order = append(s.order, h.ID)
	} else {
		delete(s.rank, s.order[s.next])
		s.order[s.next] = h.ID
		s.next = (s.next + 1) % s.limit
	}
	s.rank[h.ID] = rank
	return true
}

// gaps follows the numbers of each unit's hits. A hit names the number used before
// it, so a skipped number does not count as lost.
//
// A unit with a backlog sends live hits first and the backlog, in order, after
// them. So a number missing before a live hit may still arrive. It is lost when a
// later hit of the backlog arrives, when the unit says that its outbox is empty, or
// after gapAfter.
type gaps struct {
	maxUnits int
	units    map[string]*numbers // by origin: see [message.Origin]
	now      func() time.Time
}

// numbers is what is known of one unit's numbers.
type numbers struct {
	highest uint64
	missing []missing // in order
}

// missing are the numbers above after, up to until, of which at least until was
// used.
type missing struct {
	after, until uint64
	hit          string // id of the hit that revealed it
	since        time.Time
}

const (
	gapAfter = 10 * time.Minute
	// maxMissing bounds the ranges remembered of one unit; beyond it the oldest
	// counts as lost.
	maxMissing = 1000
)

func newGaps(maxUnits int) *gaps {
	return &gaps{maxUnits: maxUnits, units: map[string]*numbers{}, now: time.Now}
}

// Gap is a range of a unit's numbers of which at least the last was used and did
// not arrive.
type Gap struct {
	Unit  string `json:"unit"`
	After uint64 `json:"after"` // the highest number received before
	Until uint64 `json:"until"` // the last missing number; 0 if the unit does not know it any more
	Hit   string `json:"hit"`   // the id of the hit that revealed it
}

// add takes a hit and returns the gaps that are certain by now. The first hit of a
// unit reveals none: earlier numbers are not known. A unit beyond the bound replaces
// another one, whose next hit then counts as its first.
func (g *gaps) add(h *message.Hit) []Gap {
	origin := message.Origin(h.Unit, message.Installation(h.ID))
	n := g.units[origin]
	if n == nil {
		if len(g.units) >= g.maxUnits {
			for unit := range g.units {
				delete(g.units, unit)
				break
			}
		}
		g.units[origin] = &numbers{highest: h.Number}
		return nil
	}
	var found []Gap
	if h.Number > n.highest {
		switch high := n.highest; {
		case h.Number == high+1 || h.Previous != 0 && h.Previous <= high:
		case h.Previous == 0:
			found = append(found, Gap{Unit: h.Unit, After: high, Hit: h.ID})
		default:
			n.missing = append(n.missing, missing{high, h.Previous, h.ID, g.now()})
		}
		n.highest = h.Number
	} else {
		n.fill(h)
	}
	return append(found, g.lost(h.Unit, n, func(m missing) bool { return h.Historical && m.until < h.Number })...)
}

// outboxEmpty takes a unit's statement that its outbox is empty, and that last is
// the highest number in use.
func (g *gaps) outboxEmpty(unit, installation string, last uint64) []Gap {
	n := g.units[message.Origin(unit, installation)]
	if n == nil {
		return nil
	}
	return g.lost(unit, n, func(m missing) bool { return m.until <= last })
}

// fill notes that a missing number arrived.
func (n *numbers) fill(h *message.Hit) {
	for i, m := range n.missing {
		if h.Number <= m.after || h.Number > m.until {
			continue
		}
		var parts []missing
		if h.Previous > m.after {
			parts = append(parts, missing{m.after, h.Previous, m.hit, m.since})
		}
		if h.Number < m.until {
			parts = append(parts, missing{h.Number, m.until, m.hit, m.since})
		}
		rest := append(parts, n.missing[i+1:]...)
		n.missing = append(n.missing[:i:i], rest...)
		return
	}
}

// lost removes and returns the ranges that are certainly lost.
func (g *gaps) lost(unit string, n *numbers, certain func(missing) bool) []Gap {
	var found []Gap
	rest := n.missing[:0]
	for i, m := range n.missing {
		if certain(m) || len(n.missing)-i > maxMissing || g.now().Sub(m.since) > gapAfter {
			found = append(found, Gap{Unit: unit, After: m.after, Until: m.until, Hit: m.hit})
		} else {
			rest = append(rest, m)
		}
	}
	n.missing = rest
	return found
}
