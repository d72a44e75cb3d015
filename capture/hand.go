package capture

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// callOverrun is how much longer than its own bound a call into the video
	// library may take before it is abandoned.
	callOverrun = time.Second
	// cancelGrace is how long a call may go on after its context has ended: most
	// come back within a frame, and then nothing has to be abandoned.
	cancelGrace = 1500 * time.Millisecond
	// closeBound is how long closing waits for the library.
	closeBound = 750 * time.Millisecond
	// maxBlockedCalls bounds the goroutines and captures that a camera can lose
	// to calls that do not come back.
	maxBlockedCalls = 3
)

// blockedCalls counts the calls that one camera has given up waiting for.
type blockedCalls struct {
	total atomic.Uint64
	out   atomic.Int32 // of those, still not back
}

// hand makes the calls into the video library for one capture, one at a time
// and on a goroutine of its own, so that the caller can give a call up. It is
// not safe for concurrent use.
type hand struct {
	work    chan func()
	done    chan struct{} // one token per call that came back
	exited  chan struct{}
	timer   *time.Timer
	blocked *blockedCalls
	state   atomic.Int32
	closed  bool
}

const (
	handWorking int32 = iota
	handAbandoned
	handExited
)

// newHand starts the goroutine. last runs on it at the end, also at the end of
// a call that was abandoned: there the capture is closed.
func newHand(b *blockedCalls, last func()) *hand {
	h := &hand{
		work:    make(chan func()),
		done:    make(chan struct{}, 1),
		exited:  make(chan struct{}),
		timer:   time.NewTimer(time.Hour),
		blocked: b,
	}
	h.timer.Stop()
	go func() {
		defer close(h.exited)
		for call := range h.work {
			call()
			h.done <- struct{}{}
		}
		last()
		if !h.state.CompareAndSwap(handWorking, handExited) {
			h.blocked.out.Add(-1)
		}
	}()
	return h
}

// do runs call and waits for it: for bound + callOverrun, or for cancelGrace
// once ctx has ended. When it does not come back in time the hand is lost,
// whatever call writes to must not be touched any more, and the error is
// ctx's or [ErrBlocked].
func (h *hand) do(ctx context.Context, bound time.Duration, call func()) error {
	if h.closed {
		return ErrClosed
	}
	deadline := time.Now().Add(bound + callOverrun)
	h.timer.Reset(bound + callOverrun)
	defer h.timer.Stop()
	h.work <- call // the goroutine is idle: this does not wait
	cancelled := ctx.Done()
	for {
		select {
		case <-h.done:
			return nil
		case <-cancelled:
			cancelled = nil
			h.timer.Reset(min(time.Until(deadline), cancelGrace))
		case <-h.timer.C:
			h.closed = true
			close(h.work)
			h.abandon()
			if err := ctx.Err(); err != nil {
				return err
			}
			return ErrBlocked
		}
	}
}

// close ends the goroutine and waits for its last call for at most closeBound.
func (h *hand) close() {
	if h.closed {
		return
	}
	h.closed = true
	close(h.work)
	h.timer.Reset(closeBound)
	defer h.timer.Stop()
	select {
	case <-h.exited:
	case <-h.timer.C:
		h.abandon()
	}
}

func (h *hand) abandon() {
	// Counted before the state changes: the goroutine takes it back.
	h.blocked.out.Add(1)
	if !h.state.CompareAndSwap(handWorking, handAbandoned) {
		h.blocked.out.Add(-1) // it came back this very moment
		return
	}
	h.blocked.total.Add(1)
}
