package bench

import (
	"slices"
	"time"
)

// Times are milliseconds per picture or frame, without decoding.
type Times struct {
	MedianMS float64 `json:"median_ms"` // find and read
	P95MS    float64 `json:"p95_ms"`

	FindMedianMS float64 `json:"find_median_ms"`
	FindP95MS    float64 `json:"find_p95_ms"`
	ReadMedianMS float64 `json:"read_median_ms"`
	ReadP95MS    float64 `json:"read_p95_ms"`
}

// took is the time of one picture or frame.
type took struct{ find, read time.Duration }

// timesOf summarises the times of the pictures.
func timesOf(all []took) Times {
	quantiles := func(of func(took) time.Duration) (median, p95 float64) {
		sorted := make([]time.Duration, 0, len(all))
		for _, t := range all {
			sorted = append(sorted, of(t))
		}
		slices.Sort(sorted)
		return quantile(sorted, 0.5), quantile(sorted, 0.95)
	}
	var t Times
	t.MedianMS, t.P95MS = quantiles(func(t took) time.Duration { return t.find + t.read })
	t.FindMedianMS, t.FindP95MS = quantiles(func(t took) time.Duration { return t.find })
	t.ReadMedianMS, t.ReadP95MS = quantiles(func(t took) time.Duration { return t.read })
	return t
}

// quantile returns milliseconds; 0 if there are no times.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
	return float64(at.Microseconds()) / 1000
}
