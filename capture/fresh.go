package capture

import "time"

const (
	// A live frame that comes this much later than its like is stale: it shows
	// a road that is long empty.
	staleAfter = time.Second
	// A stream whose every frame is late has a new timeline (the camera set its
	// clock, or was restarted): after so many frames it is believed.
	staleAtMost = 50
	// How long the earliest arrival counts as what the link can do. The
	// camera's clock and ours drift apart by less than 10 ms in this time.
	freshWindow = 20 * time.Second
)

// freshness tells stale frames of a live stream. Network cameras pause: behind
// a bad link, or with a stalled encoder. FFmpeg's decoder holds back one frame
// for each of its threads, and hands them out when the stream goes on; so the
// first frames after a pause were filmed before it. The stream's own time
// gives them away: they arrive later, by that time, than frames did before.
type freshness struct {
	begin    time.Time     // of the current window
	best     time.Duration // earliest arrival, by the stream's time, in it
	previous time.Duration // and in the one before
	late     int           // stale frames in a row
}

// stale tells whether a frame that arrived now, with the given position in the
// stream, was held back. A negative position is unknown, and never stale.
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
		// Offsets are from begin on: carry them over to the new one.
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
