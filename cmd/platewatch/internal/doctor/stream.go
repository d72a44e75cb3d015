package doctor

import (
	"fmt"
	"math"
	"time"

	"platewatch/capture"
	"platewatch/capture/source"
)

const (
	mostKeyframe = 4.0 // seconds between two: after a loss nothing is seen for as long
	mostAhead    = 2.0 // seconds that a camera's clock may be off
)

// stream tells what a camera's stream says of itself: codec, keyframes and clock.
// keyframes is in seconds, 0 if no two came, and off how far the camera's clock is
// ahead, nil if it did not tell.
func stream(found sink, about, codec string, keyframes float64, off *float64, watched time.Duration) {
	if codec != "" {
		found.ok(about, "codec", codec, "H.264, H.265 or JPEG")
	}
	switch long := watched.Seconds() >= mostKeyframe; {
	case codec == "" || codec == "JPEG":
	case keyframes > 0:
		found.grade(keyframes <= mostKeyframe, Warn, about, "keyframes", fmt.Sprintf("one each %.1f s", keyframes), fmt.Sprintf("one each second or two, at most %.0f s", mostKeyframe), capture.KeyframeAdvice)
	case long:
		found.warn(about, "keyframes", fmt.Sprintf("no two came in %.0f s", watched.Seconds()), fmt.Sprintf("one each second or two, at most %.0f s", mostKeyframe), capture.KeyframeAdvice)
	}
	if off == nil {
		if codec != "" {
			found.skip(about, "clock", "the camera does not tell its time")
		}
		return
	}
	way := "ahead of"
	if *off < 0 {
		way = "behind"
	}
	found.grade(math.Abs(*off) <= mostAhead, Warn, about, "clock", fmt.Sprintf("%s %s this machine's", age64(math.Abs(*off)), way), fmt.Sprintf("at most %.0f s apart", mostAhead),
		"let the camera take its time from this board or from the same time server: its recordings and the text in its picture tell another time than the hits do")
}

// age64 is a length of time in seconds, for people.
func age64(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.1f s", s)
	}
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

// ahead is how far a camera's clock is ahead in seconds; nil if it does not tell.
func ahead(v source.Video) *float64 {
	if !v.ClockKnown {
		return nil
	}
	return new(v.Ahead.Seconds())
}
