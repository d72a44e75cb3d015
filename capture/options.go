package capture

import (
	"context"
	"fmt"
	"os"
	"time"
)

// optionsVariable is the only way to hand FFmpeg's options through OpenCV: an
// environment variable, which is one for the whole process and is read at the
// start of every open.
const optionsVariable = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

// Options by kind. Key and value are separated by ";", pairs by "|".
const (
	// A camera says what it sends in its first packets; half of FFmpeg's usual
	// second and a half of opening is spent looking for more.
	optionsRTSP = "analyzeduration;200000|probesize;100000|rtsp_transport;"
	// A file may be what it calls itself, but no playlist that leads FFmpeg to
	// other files or hosts, no subtitle and no text, which FFmpeg would render.
	optionsFile = "protocol_whitelist;file|format_whitelist;" +
		"mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,mjpeg,flv,asf,ogg,ivf,obu,dv,mxf,nut,yuv4mpegpipe,gif,3gp,webm"
)

// door lets one open at a time into FFmpeg. OpenCV (4.6 at least) has a lock
// around them: an open that waits for a camera holds up all others, and their
// time runs out before they begin. Waiting here costs an open none of its
// time, and no goroutine that would have to be abandoned. Whoever opens
// something over the network first makes sure that it answers.
//
// It also keeps two opens from reading each other's options. setenv is not
// safe beside a getenv in a C library on another thread; the variable is
// therefore written only when it has to change. A process whose cameras are
// all of one kind and transport writes it once, before the first open.
type door struct {
	turn  chan struct{} // holds a token while somebody is in
	value string
	set   func(value string) error
}

func newDoor(set func(string) error) *door { return &door{turn: make(chan struct{}, 1), set: set} }

// ffmpegDoor is the process's one door.
var ffmpegDoor = newDoor(func(v string) error { return os.Setenv(optionsVariable, v) })

// enter waits until nobody else is in, for at most patience, and sets the
// options. leave must be called once, when the open is over, also when nobody
// waits for it any more.
func (d *door) enter(ctx context.Context, patience time.Duration, options string) (leave func(), err error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fmt.Errorf("%w: another camera's opening holds the video library", ErrBlocked)
	}
	if d.value != options {
		if err := d.set(options); err != nil {
			<-d.turn
			return nil, err
		}
		d.value = options
	}
	return func() { <-d.turn }, nil
}

// doorPatience is how long an open waits for the others before it: longer than
// one of them can take.
const doorPatience = 20 * time.Second
