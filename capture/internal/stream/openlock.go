package stream

import (
	"context"
	"fmt"
	"os"
	"time"

	"platewatch/capture/fault"
)

// optionsVariable is the only way to pass FFmpeg's options through OpenCV: an
// environment variable, one for the whole process, which is read at the start
// of every open.
const optionsVariable = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

// openLock lets one open at a time into FFmpeg. OpenCV (4.6 at least) has a lock
// around them: an open that waits for a camera holds up all others, and their
// time runs out before they begin. Waiting here costs an open none of its
// time, and no goroutine that would have to be abandoned. Whoever opens
// something over the network first makes sure that it answers.
//
// It also keeps two opens from reading each other's options. setenv is not
// safe beside a getenv in a C library on another thread; the variable is
// therefore written only when it has to change. A process whose cameras are
// all of one kind and transport writes it once, before the first open.
type openLock struct {
	held  chan struct{} // holds a token while an open is in progress
	value string
	set   func(value string) error
}

func newOpenLock(set func(string) error) *openLock {
	return &openLock{held: make(chan struct{}, 1), set: set}
}

// ffmpegOpens is the process's only lock.
var ffmpegOpens = newOpenLock(func(v string) error { return os.Setenv(optionsVariable, v) })

// acquire waits for the lock, for at most patience, and sets the options. The
// caller calls release once, when the open has returned, even if nobody waits
// for it any more.
func (l *openLock) acquire(ctx context.Context, patience time.Duration, options string) (release func(), err error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.held <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fmt.Errorf("%w: waiting for another camera to finish opening", fault.ErrBlocked)
	}
	if l.value != options {
		if err := l.set(options); err != nil {
			<-l.held
			return nil, err
		}
		l.value = options
	}
	return func() { <-l.held }, nil
}

// openPatience is how long an open waits for the others before it: longer than
// one of them can take.
const openPatience = 20 * time.Second
