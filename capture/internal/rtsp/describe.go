package rtsp

import (
	"sync"
	"time"

	"github.com/pion/rtp"

	"platewatch/capture/source"
)

// keyframes is how many of the last intervals between keyframes count: smart codecs
// have long ones only while little moves.
const keyframes = 8

// described is what a stream has announced so far.
type described struct {
	mu        sync.Mutex
	video     source.Video
	last      int64 // ticks of the last keyframe
	begun     bool
	intervals [keyframes]time.Duration // a ring
	n         int
	asked     time.Time // when the camera's clock was last looked at
}

// Video is for [source.VideoOf].
func (s *camera) Video() source.Video {
	s.about.mu.Lock()
	defer s.about.mu.Unlock()
	return s.about.video
}

// describe notes what a picture tells: at is its time in ticks, key whether a decoder
// can begin with it, and p its last packet.
func (s *camera) describe(at int64, key bool, p *rtp.Packet) {
	a := &s.about
	a.mu.Lock()
	defer a.mu.Unlock()
	if key && !s.video.pictures() {
		if a.begun {
			a.intervals[a.n%keyframes] = time.Duration(at-a.last) * time.Second / clockRate
			a.n++
			longest := time.Duration(0)
			for _, d := range a.intervals {
				longest = max(longest, d)
			}
			a.video.Keyframes = longest
		}
		a.begun, a.last = true, at
	}
	if now := time.Now(); now.Sub(a.asked) >= time.Second {
		a.asked = now
		if ntp, ok := s.client.PacketNTP(s.media, p); ok { // once the camera has sent a report
			a.video.Ahead, a.video.ClockKnown = ntp.Sub(now), true
		}
	}
}
