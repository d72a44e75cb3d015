package source

import "time"

// Video is what a camera's stream announces.
type Video struct {
	Codec string // "H264", "H265", "JPEG"; empty if it is not known
	// Keyframes is the longest of the last times between two keyframes; 0 before the
	// second one, and where each picture is one.
	Keyframes time.Duration
	// Ahead is the camera's clock less this machine's, when ClockKnown: from RTCP's
	// sender reports, to within what a picture needs to come here, or from HTTP, to
	// within a second.
	Ahead      time.Duration
	ClockKnown bool
}

// describing is a source that knows its [Video]. It may be asked on any goroutine.
type describing interface{ Video() Video }

// VideoOf is what a source knows of its video; zero if it knows nothing.
func VideoOf(s Source) Video {
	if d, ok := s.(describing); ok {
		return d.Video()
	}
	return Video{}
}
