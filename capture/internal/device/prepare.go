package device

import (
	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/videoio"
)

// buffers is how many frames the driver keeps. The camera is drained all the
// time; more would only make frames older.
const buffers = 2

// properties is what Prepare needs of [videoio.Capture].
type properties interface {
	Set(property int, value float64) bool
}

// Prepare asks for the picture. The order matters: drivers offer sizes by format
// and rates by size. A driver may ignore any of it; the frames show the size and
// the rate that it chose.
func Prepare(d properties, j handover.Job) {
	if len(j.Format) == 4 {
		d.Set(videoio.FourCC, fourCC(j.Format))
	}
	if j.Width != 0 {
		d.Set(videoio.FrameWidth, float64(j.Width))
		d.Set(videoio.FrameHeight, float64(j.Height))
	}
	if j.FPS != 0 {
		d.Set(videoio.FPS, j.FPS)
	}
	d.Set(videoio.BufferSize, buffers)
}

func fourCC(s string) float64 {
	return float64(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24)
}
