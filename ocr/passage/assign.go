package passage

import (
	"cmp"
	"slices"
	"time"
)

// assign finds for each plate of a frame the passage that it continues; nil
// where it begins one. No two plates of a frame continue the same passage, so
// two vehicles stay two even when their plates differ by one character only.
func (t *Tracker) assign(plates []Observation, at time.Duration) []*track {
	type pair struct {
		plate int
		track *track
		cost  float64
	}
	var pairs []pair
	for i, p := range plates {
		for _, k := range t.open {
			if cost, ok := k.continuedBy(p, at); ok {
				pairs = append(pairs, pair{i, k, cost})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.cost, b.cost) })
	out := make([]*track, len(plates))
	taken := map[*track]bool{}
	for _, p := range pairs {
		if out[p.plate] == nil && !taken[p.track] {
			out[p.plate], taken[p.track] = p.track, true
		}
	}
	return out
}

const (
	// alike is the share of characters in which two readings of one plate
	// sometimes differ. From unlike on they have nothing in common.
	alike, unlike = 0.34, 0.75
	// near is how far a plate is from where it is expected, in widths of the
	// plate, when its vehicle brakes, turns, or was not read for a while.
	near = 1.5
	// inPlace is the greatest distance, in widths, between two readings of one
	// plate that have nothing in common.
	inPlace = 0.35
	// fastest is the speed of a plate in its widths per second: 130 km/h across
	// the picture, for a plate of half a metre.
	fastest = 70.0
	// farthest bounds the distance in widths: a picture is not much wider.
	farthest = 12.0
)

// continuedBy tells whether a plate may be the same vehicle's, and at what
// cost (lower is likelier).
//
// A plate with a similar text may have moved far while its trajectory is not
// known yet: at 110 km/h and ten frames a second a vehicle moves three metres,
// several plate widths. A misread plate must be near where it is expected. A
// plate with another text that goes back where the vehicle came from is the
// next vehicle.
func (k *track) continuedBy(p Observation, at time.Duration) (cost float64, ok bool) {
	different := float64(Distance(k.text, p.Text)) / float64(max(len(k.text), len(p.Text)))
	to := middle(p.Box)
	width := max(k.trajectory.width, float64(max(p.Box.Dx(), 1)))
	away := apart(to, k.trajectory.expected(at)) / width
	dt := (at - k.trajectory.at).Seconds()
	reach := min(farthest, near+fastest*dt)
	switch {
	case different == 0:
		ok = away <= reach
	case k.trajectory.against(to):
	case different <= alike:
		if k.trajectory.steps >= 2 {
			reach = min(reach, near+near*k.trajectory.speed()*dt)
		}
		ok = away <= reach
	case different <= unlike:
		ok = away <= near/2
	default:
		ratio := p.Height / k.trajectory.height
		ok = away <= inPlace && ratio > 0.6 && ratio < 1.6
	}
	return different + 0.1*away, ok
}

// Distance is the Levenshtein distance of two plate texts (ASCII): how many
// characters are wrong, missing or added.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			wrong := diagonal
			if a[i] != b[j] {
				wrong++
			}
			diagonal = row[j+1]
			row[j+1] = min(wrong, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
