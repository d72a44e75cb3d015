package watch

import (
	"fmt"

	"platewatch/uplink/message"
)

// Suspicion is a sign that a unit is not what it was: somebody changed what is on its
// disk, or uses its name.
type Suspicion struct {
	Unit string `json:"unit"`
	What string `json:"what"` // a sentence
}

// trails follows where each unit's audit trail ends. It may only grow.
type trails struct {
	maxUnits int
	ends     map[string]message.AuditHealth
}

func newTrails(maxUnits int) *trails {
	return &trails{maxUnits: maxUnits, ends: map[string]message.AuditHealth{}}
}

// add takes the end of a unit's trail and returns what is wrong with it; "" if
// nothing is. A trail that went back is told of once.
func (t *trails) add(unit string, now message.AuditHealth) string {
	before, seen := t.ends[unit]
	if !seen && len(t.ends) >= t.maxUnits {
		for other := range t.ends {
			delete(t.ends, other)
			break
		}
	}
	t.ends[unit] = now
	switch {
	case now.Problem != "" && now.Problem != before.Problem:
		return now.Problem
	case !seen || now.Number > before.Number || now == before:
		return ""
	case now.Number < before.Number:
		return fmt.Sprintf("the audit trail went back from record %d to %d: it was removed, or an older state put back", before.Number, now.Number)
	case now.Hash != before.Hash:
		return fmt.Sprintf("record %d of the audit trail is another one than before", now.Number)
	}
	return ""
}
