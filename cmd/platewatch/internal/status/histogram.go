package status

import "slices"

// Histogram counts durations in buckets with fixed bounds, so that those of a fleet
// add up.
type Histogram struct {
	Bounds []float64 // upper bounds in seconds, ascending
	Counts []uint64  // in each bucket; one more than Bounds, for what is longer
	Sum    float64   // of all durations in seconds
}

// LookBounds are the bounds for a look at one frame.
var LookBounds = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}

// NewHistogram is an empty histogram.
func NewHistogram(bounds []float64) Histogram {
	return Histogram{Bounds: bounds, Counts: make([]uint64, len(bounds)+1)}
}

// Add counts a duration in seconds.
func (h *Histogram) Add(seconds float64) {
	i, _ := slices.BinarySearch(h.Bounds, seconds)
	h.Counts[i]++
	h.Sum += seconds
}

// Clone is a copy that does not change with the original.
func (h Histogram) Clone() Histogram {
	h.Counts = slices.Clone(h.Counts)
	return h
}

// cumulative are the counts up to each bound, and the count of all.
func (h Histogram) cumulative() (upTo map[float64]uint64, count uint64) {
	upTo = map[float64]uint64{}
	for i, n := range h.Counts {
		if count += n; i < len(h.Bounds) {
			upTo[h.Bounds[i]] = count
		}
	}
	return upTo, count
}
