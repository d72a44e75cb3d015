package watch

import (
	"fmt"
	"strconv"

	"platewatch/uplink/message"
)

// Suspicion is a sign that a unit is not what it was: its disk was changed, or
// another machine uses its name.
type Suspicion struct {
	Unit string `json:"unit"`
	What string `json:"what"` // a sentence
}

// trails follows where each unit's audit trail ends, and which versions of signed lists
// it serves. Both may only grow. A trail that was put back and has grown beyond its old
// end before the next message does not show, the version of a list does.
type trails struct {
	maxUnits int
	ends     map[string]message.AuditHealth
	versions map[string]map[string]uint64 // by unit and list
}

func newTrails(maxUnits int) *trails {
	return &trails{maxUnits: maxUnits, ends: map[string]message.AuditHealth{}, versions: map[string]map[string]uint64{}}
}

// addLists takes the lists that a unit serves and returns what is wrong with their
// versions. A list that went back is reported once. Imported lists, whose versions
// are no numbers, may be replaced by any other.
func (t *trails) addLists(unit string, lists []message.ListHealth) (wrong []string) {
	if t.versions[unit] == nil && len(t.versions) >= t.maxUnits {
		for other := range t.versions {
			delete(t.versions, other)
			break
		}
	}
	now := map[string]uint64{}
	for _, l := range lists {
		version, err := strconv.ParseUint(l.Version, 10, 64)
		if err != nil {
			version = t.versions[unit][l.Name] // missing for a while
		}
		if before := t.versions[unit][l.Name]; version < before {
			wrong = append(wrong, fmt.Sprintf("list %s went back from version %d to %d: an older state was put back", l.Name, before, version))
		}
		now[l.Name] = version
	}
	t.versions[unit] = now
	return wrong
}

// add takes the end of a unit's trail and returns what is wrong with it; "" if
// nothing is. A trail that went back is reported once.
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
