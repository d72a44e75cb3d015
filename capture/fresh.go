package capture

import "time"

const (
	// A live frame that was held back on the way for longer than this is stale and
	// dropped: it shows a road that is empty by now.
	staleAfter = time.Second
	// A silence is longer than so many times the usual time between two frames.
	silenceFactor = 3
	// learnFrames is how many frames the rhythm of a stream is learned from before it
	// decides anything, and learnWeight the share of each later one.
	learnFrames = 25
	learnWeight = 1.0 / 64
	// Frames come in a burst while they come faster than this share of the usual time
	// between two.
	burstShare = 0.9
	// maxStep is the longest time between two frames that is learned from.
	maxStep = 10 * time.Second
)

// freshness finds the stale frames of a live stream. Network cameras pause, because
// of a bad link or a stalled encoder. What was on the way then, in the link and in
// FFmpeg's decoder, which holds one frame for each of its threads, comes when the
// stream resumes, and shows the time before the pause.
//
// The stream's own time alone proves nothing: cameras stamp 21 frames a second as
// 25, and 12.5 as 25. So a frame counts as stale only after a silence that its time
// does not show, and, beyond the first, only while frames come faster than the
// stream's own rhythm, which is learned from their arrivals.
type freshness struct {
	arrived  time.Time     // the last frame
	position time.Duration // its own time
	frames   int
	gap      float64 // seconds between two arrivals, on average
	step     float64 // the same by the stream's time

	held    time.Duration // how much of the stream is still to come, after a silence; 0: nothing
	resumed time.Time     // the first arrival after the silence
	burst   int           // frames since
}

// stale tells whether a frame with this position in the stream was held back. A
// frame of unknown (negative) position never counts as stale.
func (f *freshness) stale(arrived time.Time, position time.Duration) bool {
	if position < 0 {
		return false
	}
	f.frames++
	if f.frames == 1 {
		f.arrived, f.position = arrived, position
		return false
	}
	gap, step := arrived.Sub(f.arrived), position-f.position
	f.arrived, f.position = arrived, position
	late := gap - f.real(step)
	if f.held > 0 {
		f.held += late
		f.burst++
		usual := time.Duration(burstShare * f.gap * float64(time.Second))
		if f.held > staleAfter && arrived.Sub(f.resumed) < time.Duration(f.burst)*usual {
			return true
		}
		f.held = 0
		return false
	}
	silence := max(staleAfter, time.Duration(silenceFactor*f.gap*float64(time.Second)))
	if f.frames > learnFrames && late > silence {
		f.held, f.resumed, f.burst = late, arrived, 0
		return true
	}
	f.learn(gap, step)
	return false
}

// real is what a step of the stream's time lasts, as far as that was learned.
func (f *freshness) real(step time.Duration) time.Duration {
	if f.step > 0 {
		step = time.Duration(float64(min(step, time.Hour)) * f.gap / f.step)
	}
	return max(step, 0)
}

// learn notes the time between two frames.
func (f *freshness) learn(gap, step time.Duration) {
	if step <= 0 || step > maxStep || gap > maxStep {
		return
	}
	weight := max(learnWeight, 1/float64(f.frames-1))
	f.gap += weight * (gap.Seconds() - f.gap)
	f.step += weight * (step.Seconds() - f.step)
}
