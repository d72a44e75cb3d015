// Package worker makes calls that may block for longer than they promise, such
// as those of OpenCV and of camera drivers, so that the caller can give a call
// up.
package worker

import (
	"context"
	"sync/atomic"
	"time"

	"platewatch/capture/fault"
)

const (
	// overrun is how much longer than its own bound a call may take before it
	// is abandoned.
	overrun = time.Second
	// cancelGrace is how long a call may go on after its context has ended: most
	// return within a frame, and then nothing has to be abandoned.
	cancelGrace = 1500 * time.Millisecond
	// closeBound is how long Close waits for the last call.
	closeBound = 750 * time.Millisecond
)

// Abandoned counts the calls that one camera has stopped waiting for. The zero
// value is ready; it is safe for concurrent use.
type Abandoned struct {
	total   atomic.Uint64
	blocked atomic.Int32
}

// Total is how many calls were abandoned so far.
func (a *Abandoned) Total() uint64 { return a.total.Load() }

// Blocked is how many of them have not returned yet.
func (a *Abandoned) Blocked() int { return int(a.blocked.Load()) }

// Worker makes one call at a time, on a goroutine of its own. It is not safe
// for concurrent use.
type Worker struct {
	work      chan func()
	done      chan struct{} // one token per call that returned
	exited    chan struct{}
	timer     *time.Timer
	abandoned *Abandoned
	state     atomic.Int32
	closed    bool
}

const (
	working int32 = iota
	givenUp
	exited
)

// New starts the goroutine. last runs on it at the end, also after a call that
// was abandoned and then returned: what the calls use is closed there.
func New(a *Abandoned, last func()) *Worker {
	w := &Worker{
		work:      make(chan func()),
		done:      make(chan struct{}, 1),
		exited:    make(chan struct{}),
		timer:     time.NewTimer(time.Hour),
		abandoned: a,
	}
	w.timer.Stop()
	go func() {
		defer close(w.exited)
		for call := range w.work {
			call()
			w.done <- struct{}{}
		}
		last()
		if !w.state.CompareAndSwap(working, exited) {
			w.abandoned.blocked.Add(-1)
		}
	}()
	return w
}

// Closed tells whether the worker was closed or lost to an abandoned call.
func (w *Worker) Closed() bool { return w.closed }

// Do runs call and waits for it: for bound + 1 s, or for 1.5 s once ctx
// has ended. When call does not return in time, the worker is lost, whatever
// call writes to must not be touched any more, and the error is ctx's or
// [fault.ErrBlocked].
func (w *Worker) Do(ctx context.Context, bound time.Duration, call func()) error {
	if w.closed {
		return fault.ErrClosed
	}
	deadline := time.Now().Add(bound + overrun)
	w.timer.Reset(bound + overrun)
	defer w.timer.Stop()
	w.work <- call // the goroutine is idle: this does not wait
	cancelled := ctx.Done()
	for {
		select {
		case <-w.done:
			return nil
		case <-cancelled:
			cancelled = nil
			w.timer.Reset(min(time.Until(deadline), cancelGrace))
		case <-w.timer.C:
			w.closed = true
			close(w.work)
			w.abandon()
			if err := ctx.Err(); err != nil {
				return err
			}
			return fault.ErrBlocked
		}
	}
}

// Close ends the goroutine and waits at most 750 ms for its last call. A second
// call does nothing.
func (w *Worker) Close() {
	if w.closed {
		return
	}
	w.closed = true
	close(w.work)
	w.timer.Reset(closeBound)
	defer w.timer.Stop()
	select {
	case <-w.exited:
	case <-w.timer.C:
		w.abandon()
	}
}

func (w *Worker) abandon() {
	// Counted before the state changes: the goroutine subtracts it again.
	w.abandoned.blocked.Add(1)
	if !w.state.CompareAndSwap(working, givenUp) {
		w.abandoned.blocked.Add(-1) // it returned this very moment
		return
	}
	w.abandoned.total.Add(1)
}
