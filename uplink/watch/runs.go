package watch

import (
	"fmt"
	"slices"

	"platewatch/uplink/message"
)

// runs follows the births of each unit. A run that is born again after another was born
// still lives, and so there are two units of one name.
type runs struct {
	maxUnits int
	units    map[string]*unitRuns
}

type unitRuns struct {
	now  message.State
	past []message.State // the latest last
	told string          // the run whose return was told
}

// maxPastRuns is how many earlier runs of a unit are remembered.
const maxPastRuns = 8

func newRuns(maxUnits int) *runs { return &runs{maxUnits: maxUnits, units: map[string]*unitRuns{}} }

// add takes a state and returns what is wrong; "" if nothing is.
func (r *runs) add(s *message.State) string {
	if s.State != message.Online || s.Run == "" {
		return ""
	}
	u := r.units[s.Unit]
	switch {
	case u == nil:
		if len(r.units) >= r.maxUnits {
			for other := range r.units {
				delete(r.units, other)
				break
			}
		}
		r.units[s.Unit] = &unitRuns{now: *s}
		return ""
	case u.now.Run == s.Run:
		return ""
	}
	before := u.now
	again := slices.IndexFunc(u.past, func(p message.State) bool { return p.Run == s.Run })
	u.past = append(u.past, before)
	u.past = u.past[max(0, len(u.past)-maxPastRuns):]
	u.now = *s
	if again < 0 || u.told == s.Run || u.told == before.Run {
		return ""
	}
	u.told = s.Run
	return fmt.Sprintf("two units use this name: installation %q, run %s, and installation %q, run %s; give one of them another name",
		before.Installation, before.Run, s.Installation, s.Run)
}
