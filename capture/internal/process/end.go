package process

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
)

// said is the error that the decoder tells.
func (p *Process) said(m handover.Message) error {
	if m.Kind == handover.Ended {
		p.end = io.EOF
		return p.end
	}
	e := &fault.Error{Op: "decode", Err: &told{m.Text, m.Class}, Advice: m.Advice}
	if p.job.Mode == handover.Pictures {
		e.Class = fault.ErrPicture
	} else {
		e.Path = p.where
		p.end = e
	}
	return e
}

// told is an error in the decoder's words.
type told struct {
	text  string
	class error
}

func (e *told) Error() string { return e.text }
func (e *told) Unwrap() error { return e.class }

// Hung kills a decoder that did not answer for so long, and is the error that says so.
func (p *Process) Hung(bound time.Duration) error {
	if p.kill() {
		p.tally.hung.Add(1)
	}
	return &fault.Error{Op: "decode", Path: p.where, Err: fmt.Errorf("%w (%v), and was killed", fault.ErrBlocked, bound.Round(100*time.Millisecond))}
}

// lost says why no message comes any more.
func (p *Process) lost() error {
	if p.broken != nil {
		return &fault.Error{Op: "decode", Path: p.where, Err: p.broken}
	}
	timer := time.NewTimer(endBound)
	defer timer.Stop()
	how := "it closed the connection"
	select {
	case <-p.exited:
		how = p.cmd.ProcessState.String()
	case <-timer.C:
	}
	if p.killed.Load() {
		return fault.ErrClosed
	}
	p.tally.crashed.Add(1)
	e := &fault.Error{Op: "decode", Path: p.where, Err: fmt.Errorf("%w: %s", fault.ErrDecoder, how)}
	last := p.words.last()
	switch {
	case outOfMemory(last):
		e.Err = fmt.Errorf("%w: it needed more than its %d MiB of memory", fault.ErrDecoder, p.job.Memory>>20)
		e.Advice = "set the camera to a smaller picture"
	case p.cmd.ProcessState != nil && strings.Contains(how, "killed"):
		e.Err = fmt.Errorf("%w: it was killed, as the kernel does when memory runs out", fault.ErrDecoder)
		e.Advice = "set the camera to a smaller picture, or the service's MemoryMax higher"
	case last != "":
		e.Err = fmt.Errorf("%w: %s: %s", fault.ErrDecoder, how, last)
	}
	return e
}

// outOfMemory knows the last words of Go, C++ and FFmpeg.
func outOfMemory(words string) bool {
	for _, w := range []string{"out of memory", "bad_alloc", "annot allocate memory", "Insufficient memory"} {
		if strings.Contains(words, w) {
			return true
		}
	}
	return false
}

// words keeps the end of what a decoder prints.
type words struct {
	mu sync.Mutex
	b  []byte
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, b...)
	if n := len(w.b) - maxWords; n > 0 && len(w.b) > 2*maxWords {
		w.b = append(w.b[:0], w.b[n:]...)
	}
	return len(b), nil
}

// last is the first line of what it said in the end: the reason, before a stack
// trace.
func (w *words) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	line, _, _ := strings.Cut(strings.TrimSpace(string(w.b)), "\n")
	return handover.Clean(line)
}
