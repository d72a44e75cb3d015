package passage

import (
	"cmp"
	"image"
	"slices"
	"time"

	"platewatch/ocr"
)

// assign finds for each plate of a frame the passage that it continues; nil
// where it begins one. No two plates of a frame continue the same passage, so
// two vehicles stay two even when their plates differ by one character.
func (t *Tracker) assign(plates []ocr.Plate, at time.Duration) []*track {
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

// continuedBy tells whether a plate may be the same vehicle's, and at what
// cost (lower is likelier).
//
// A plate that reads alike may have moved far: at 110 km/h and ten looks a
// second a vehicle moves three metres, several plate widths. One that was
// misread must be near where it was expected.
func (k *track) continuedBy(p ocr.Plate, at time.Duration) (cost float64, ok bool) {
	different := float64(Distance(k.text, p.Text)) / float64(max(len(k.text), len(p.Text)))
	away := k.distance(p.Box, at)
	const alike, near, farthest, unlikeNear = 0.34, 1.5, 12, 0.75
	switch {
	case different <= alike && away <= farthest:
	case different <= unlikeNear && away <= near:
	default:
		return 0, false
	}
	return different + 0.1*away, true
}

// distance is how far a box lies from where the track is expected at a time,
// in widths of the plate.
func (k *track) distance(b image.Rectangle, at time.Duration) float64 {
	want := middle(k.box)
	if dt := at - k.last; k.moved > 0 && dt > 0 {
		// The velocity of the last step, for no longer than it was measured
		// over three times: plates do not keep their course for seconds.
		f := min(3, float64(dt)/float64(k.moved))
		want.x += f * k.step.x
		want.y += f * k.step.y
	}
	got := middle(b)
	w := float64(max(k.box.Dx(), b.Dx(), 1))
	dx, dy := (got.x-want.x)/w, (got.y-want.y)/w
	return max(dx, -dx) + max(dy, -dy)
}

type point struct{ x, y float64 }

func middle(r image.Rectangle) point {
	return point{float64(r.Min.X+r.Max.X) / 2, float64(r.Min.Y+r.Max.Y) / 2}
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
