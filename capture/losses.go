package capture

import (
	"time"

	"platewatch/capture/internal/rtsp"
)

// LostWarning is the share of lost frames, see [Stats.Lost], from which a camera needs
// a person.
const LostWarning = 0.05

// KeyframeAdvice is what to do about a camera that seldom sends a keyframe.
const KeyframeAdvice = rtsp.KeyframeAdvice

// LostAdvice is what to do about it.
const LostAdvice = "the link to the camera stalls: look at its network, or set the camera to a lower bit rate"

const (
	// A share is that of the last minute: of this half of it and of the one before.
	lossHalf = 30 * time.Second
	// leastFrames is how many frames a share is of at least.
	leastFrames = 20
)

// losses counts frames and lost ones over the last minute.
type losses struct {
	begin       time.Time // of now
	now, before lossCount
	warned      bool
}

type lossCount struct{ frames, lost uint64 }

// turn begins a new half at its time.
func (l *losses) turn(at time.Time) {
	switch age := at.Sub(l.begin); {
	case age >= 2*lossHalf: // also the first time
		l.begin, l.now, l.before = at, lossCount{}, lossCount{}
	case age >= lossHalf:
		l.begin, l.now, l.before = l.begin.Add(lossHalf), lossCount{}, l.now
	}
}

// share is that of the lost frames; 0 of too few.
func (l *losses) share(at time.Time) float64 {
	l.turn(at)
	frames, lost := l.now.frames+l.before.frames, l.now.lost+l.before.lost
	if frames < leastFrames {
		return 0
	}
	return min(float64(lost)/float64(frames), 1)
}

// warn tells whether the share has just become one that needs a person. It does so
// again only after the share was below a fifth of that.
func (r *recorder) warn() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	share := r.losses.share(r.now())
	was := r.losses.warned
	switch {
	case share > LostWarning:
		r.losses.warned = true
	case share < LostWarning/5:
		r.losses.warned = false
	}
	return r.losses.warned && !was
}
