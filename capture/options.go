package capture

import (
	"context"
	"os"
	"sync"
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

// optionsHold is how long an open can delay one with other options. OpenCV
// reads the variable before it touches the network, microseconds into the
// call; an open that takes longer than this has read it.
const optionsHold = time.Second

// captureOptions keeps two opens with different options from reading each
// other's. Opens with the same options run side by side.
//
// setenv is not safe beside a getenv in a C library on another thread; the
// variable is therefore written only when it has to change. A process whose
// cameras are all of one kind and transport writes it once, before the first
// open.
type captureOptions struct {
	mu      sync.Mutex
	value   string
	users   int
	changed chan struct{} // closed when users drops to 0
	set     func(value string) error
}

// environment is the process's one variable.
var environment = &captureOptions{set: func(v string) error { return os.Setenv(optionsVariable, v) }}

// hold sets the options and keeps them until release is called or optionsHold
// has passed. release may be called more than once.
func (o *captureOptions) hold(ctx context.Context, value string) (release func(), err error) {
	for {
		o.mu.Lock()
		if o.users == 0 || o.value == value {
			break
		}
		changed := o.changed
		o.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer o.mu.Unlock()
	if o.value != value {
		if err := o.set(value); err != nil {
			return nil, err
		}
		o.value = value
	}
	if o.users == 0 {
		o.changed = make(chan struct{})
	}
	o.users++
	drop := sync.OnceFunc(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.users--; o.users == 0 {
			close(o.changed)
		}
	})
	timer := time.AfterFunc(optionsHold, drop)
	return func() { timer.Stop(); drop() }, nil
}
