package process

import (
	"time"

	"golang.org/x/sys/unix"
)

const (
	// HangBound is how long a decoder that has work may go without an answer before it
	// can count as one that hangs, see [Watch]. A 4K picture takes a tenth of a second of
	// processor time, on a slow board half of one.
	HangBound = 2 * time.Second
	// LookEach is how often a decoder that owes an answer is looked at.
	LookEach = HangBound / 8
	// idleShare is the part of a bound below which the processor time that a decoder used
	// within it is none: one that waits uses none at all.
	idleShare = 100
)

// A Watch tells a decoder that hangs from one that is starved, from the moment on at
// which it was asked for something. A clock on the wall cannot: on a busy board a
// decoder that works may get so little of the processor that its answer takes many times
// as long, and killed for that, it would be started anew, and killed again, for ever. What
// tells them apart is the processor time that it used meanwhile. One that is stopped, or
// waits for something that never comes, uses none; one that loops uses more than any
// answer takes; one that is starved uses little, and goes on. How long that one is waited
// for is the caller's to say.
//
// A Watch is for one goroutine at a time.
type Watch struct {
	process *Process
	asked   sample
	moved   sample // when it was last seen to have used some more
}

// sample is what the decoder had used at a time.
type sample struct {
	at   time.Time
	used time.Duration
}

// Watch begins to watch the decoder, which is about to be asked for something.
func (p *Process) Watch() *Watch {
	used, _ := p.clock()
	now := sample{time.Now(), used}
	return &Watch{p, now, now}
}

// Hangs tells that the decoder hangs: it has not answered for bound, and used next to no
// processor time in the last of it, or in all as much as bound. To know the last of it, a
// Watch must be asked again and again, about each [LookEach]. A decoder that has ended
// does not hang.
func (w *Watch) Hangs(bound time.Duration) bool {
	used, alive := w.process.clock()
	return alive && w.hangs(sample{time.Now(), used}, bound)
}

func (w *Watch) hangs(now sample, bound time.Duration) bool {
	if now.used-w.moved.used >= bound/idleShare {
		w.moved = now
	}
	if now.at.Sub(w.asked.at) < bound {
		return false
	}
	return now.at.Sub(w.moved.at) >= bound || now.used-w.asked.used >= bound
}

// next is how long to wait for the answer before the next look at the decoder.
func (w *Watch) next(bound time.Duration) time.Duration {
	return min(LookEach, bound-time.Since(w.asked.at))
}

// late kills the decoder, and is the error that says so, when it hangs by the measure of
// hang, or has not answered for bound, whatever it does.
func (w *Watch) late(hang, bound time.Duration) error {
	switch hangs := w.Hangs(hang); {
	case time.Since(w.asked.at) >= bound:
		return w.process.Hung(bound)
	case hangs:
		return w.process.Hung(hang)
	}
	return nil
}

// clock is what all threads of the decoder have used; false when it has ended. It waits
// for nothing.
func (p *Process) clock() (used time.Duration, alive bool) {
	select {
	case <-p.exited: // the number may be another process's by now
		return 0, false
	default:
	}
	// clock_getcpuclockid(3): the process's number, and 2 for all of its time.
	clock := int32(^p.cmd.Process.Pid)<<3 | 2
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}

// ProcessorTime is what all threads of the decoder have used.
func (p *Process) ProcessorTime() (time.Duration, error) {
	if used, alive := p.clock(); alive {
		return used, nil
	}
	<-p.exited // a process that has ended has no clock
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), nil
}
