package capture

import "time"

const (
	// A live frame that arrives this much later than its stream position allows
	// is stale and dropped: it shows a road that is empty by now.
	staleAfter = time.Second
	// After so many late frames in a row the stream has a new timeline: the
	// camera set its clock, or was restarted.
	staleAtMost = 50
	// How long the earliest arrival counts as the link's delay. The camera's clock
	// and ours drift apart by less than 10 ms in this time.
	freshWindow = 20 * time.Second
)

// freshness finds the stale frames of a live stream. Network cameras pause,
// because of a bad link or a stalled encoder. FFmpeg's decoder holds back one
// frame for each of its threads and returns them when the stream resumes, so the
// first frames after a pause were taken before it. They are recognised by the
// stream's own time: compared with it, they arrive later than earlier frames.
type freshness struct {
	begin    time.Time     // of the current window
	best     time.Duration // earliest arrival, by the stream's time, in it
	previous time.Duration // and in the one before
	late     int           // stale frames in a row
}

// stale tells whether a frame with this position in the stream was held back. A
// frame of unknown (negative) position never counts as stale.
func (f *freshness) stale(arrived time.Time, position time.Duration) bool {
	if position < 0 {
		return false
	}
	if f.begin.IsZero() {
		f.begin, f.best, f.previous = arrived, -position, -position
		return false
	}
	behind := arrived.Sub(f.begin) - position
	if arrived.Sub(f.begin) > freshWindow {
		// The offsets are relative to begin: carry them over to the new one.
		shift := arrived.Sub(f.begin)
		f.previous, f.best, f.begin = f.best-shift, behind-shift, arrived
		behind -= shift
	}
	if behind-min(f.best, f.previous) <= staleAfter {
		f.best = min(f.best, behind)
		f.late = 0
		return false
	}
	if f.late++; f.late <= staleAtMost {
		return true
	}
	f.late, f.best, f.previous = 0, behind, behind
	return false
}
