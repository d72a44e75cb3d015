package uplink

// seen remembers which revisions of which hits were told, for the latest
// hits only: at most limit of them over all units.
type seen struct {
	limit    int
	revision map[string]int
	order    []string // a ring of the ids in revision, oldest at next
	next     int
}

func newSeen(limit int) *seen { return &seen{limit: limit, revision: map[string]int{}} }

// add is false if this revision of the hit, or a later one, was told already.
func (s *seen) add(id string, revision int) bool {
	if have, ok := s.revision[id]; ok {
		if revision <= have {
			return false
		}
		s.revision[id] = revision
		return true
	}
	if len(s.order) < s.limit {
		s.order = append(s.order, id)
	} else {
		delete(s.revision, s.order[s.next])
		s.order[s.next] = id
		s.next = (s.next + 1) % s.limit
	}
	s.revision[id] = revision
	return true
}

// gaps follows the numbers of each unit's hits. A hit names the number given
// out before it, so a number that was only skipped is not taken for a loss.
type gaps struct {
	maxUnits int
	highest  map[string]uint64
}

func newGaps(maxUnits int) *gaps { return &gaps{maxUnits: maxUnits, highest: map[string]uint64{}} }

// Gap is a range of a unit's numbers of which at least the last was given out
// and not seen.
type Gap struct {
	Unit  string `json:"unit"`
	After uint64 `json:"after"` // the highest number seen before
	Until uint64 `json:"until"` // the number that should have come before the one that came; 0 if the unit does not know it any more
	Hit   string `json:"hit"`   // the id of the hit that came
}

// add returns the gap before this hit, if there is one. The first hit of a
// unit has none: what was before is not known. A unit over the bound replaces
// another one, whose next hit then counts as its first.
func (g *gaps) add(h *Hit) *Gap {
	high, known := g.highest[h.Unit]
	if !known && len(g.highest) >= g.maxUnits {
		for unit := range g.highest {
			delete(g.highest, unit)
			break
		}
	}
	if h.Number <= high {
		return nil
	}
	g.highest[h.Unit] = h.Number
	if !known || h.Previous == high && h.Previous != 0 || h.Number == high+1 {
		return nil
	}
	if h.Previous != 0 && h.Previous < high {
		return nil // came out of order, nothing is missing in between
	}
	return &Gap{Unit: h.Unit, After: high, Until: h.Previous, Hit: h.ID}
}
