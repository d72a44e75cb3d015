// Package process runs the decoder of a camera: a process of its own, which
// opens video and decodes pictures for the unit. The unit gives it one job, takes
// pictures out of the memory that they share, and kills it when it hangs, does not
// keep to the protocol, or is not needed any more.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gocv.io/x/gocv"
	"golang.org/x/sys/unix"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
)

const (
	// startBound is how long a decoder may take to load its libraries. It takes
	// 0.3 s on a quiet machine; the first time after a boot they are read from the
	// card, 250 MB.
	startBound = time.Minute
	// endBound is how long a killed decoder may take to end before it is left to
	// itself. One that waits inside a driver ends when the driver lets it.
	endBound = 750 * time.Millisecond
	// maxLeft bounds the decoders of a camera that were killed and have not ended.
	maxLeft = 3
	// pipeBytes is the room for video on its way to the decoder.
	pipeBytes = 1 << 20
	// maxWords bounds what is kept of a decoder's last words, in bytes.
	maxWords = 2048
)

// Tally counts the decoders of one camera, and notes for what it waits. The zero
// value is ready; it is safe for concurrent use.
type Tally struct {
	report        atomic.Pointer[string]
	waiting       atomic.Pointer[time.Time]
	crashed, hung atomic.Uint64
	left          atomic.Int32
}

// Report says how the decoders are confined; empty before the first.
func (t *Tally) Report() string {
	if s := t.report.Load(); s != nil {
		return *s
	}
	return ""
}

// Crashed is how many of them ended by themselves in the middle of their work:
// by a fault of a library, or for want of memory.
func (t *Tally) Crashed() uint64 { return t.crashed.Load() }

// Hung is how many were killed because they did not answer.
func (t *Tally) Hung() uint64 { return t.hung.Load() }

// Wait notes since when a stream that is there has sent no keyframe; the zero time:
// it has, or is gone.
func (t *Tally) Wait(since time.Time) { t.waiting.Store(&since) }

// Waiting is what [Tally.Wait] noted last.
func (t *Tally) Waiting() time.Time {
	if since := t.waiting.Load(); since != nil {
		return *since
	}
	return time.Time{}
}

// Left is how many were killed and have not ended yet.
func (t *Tally) Left() int { return int(t.left.Load()) }

// Process is one running decoder. Next, Picture and Close are for one goroutine
// at a time; Feed may be used beside them.
type Process struct {
	job    handover.Job
	where  string // for people
	tally  *Tally
	cmd    *exec.Cmd
	conn   *handover.Conn
	memory *handover.Memory
	video  *os.File // the video's way in; nil if there is none
	words  words

	send   sync.Mutex
	ready  chan struct{}
	opened chan handover.Message
	events chan handover.Message
	gone   chan struct{} // closed when no message comes any more; broken is valid then
	broken error         // what was wrong with the last message; nil: it ended
	exited chan struct{}

	mu       sync.Mutex
	theirs   uint64 // slots that belong to the decoder, one bit each
	controls []handover.Message
	told     chan struct{} // a token when the controls were told

	timer  *time.Timer
	end    error // of a video, once it was told
	killed atomic.Bool
	closed bool
}

// Start starts a decoder and waits until it is confined. With video it reads its
// video from [Process.Feed]. where names the camera for people.
func Start(ctx context.Context, j handover.Job, video bool, where string, t *Tally) (*Process, error) {
	if n := t.Left(); n >= maxLeft {
		return nil, &fault.Error{Op: "open", Path: where, Err: fmt.Errorf("%w: %d earlier decoders were killed and have not ended", fault.ErrBlocked, n),
			Advice: "unplug the camera and plug it in again, or restart the board: its driver hangs"}
	}
	path, err := find()
	if err != nil {
		return nil, err
	}
	p := &Process{job: j, where: where, tally: t, ready: make(chan struct{}), opened: make(chan handover.Message, 1),
		events: make(chan handover.Message, j.Slots+2), gone: make(chan struct{}), exited: make(chan struct{}),
		theirs: 1<<j.Slots - 1, told: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	p.timer.Stop()
	if err := p.start(path, video); err != nil {
		return nil, &fault.Error{Op: "open", Path: where, Err: fmt.Errorf("the decoder does not start: %w", err)}
	}
	go p.receive()
	go p.wait()
	if err := p.await(ctx, startBound, p.ready); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Process) start(path string, video bool) (err error) {
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			p.release()
		}
	}()
	var socket *os.File
	if p.conn, socket, err = handover.Pair(p.job); err != nil {
		return err
	}
	theirs = append(theirs, socket)
	if p.memory, err = handover.NewMemory(p.job); err != nil {
		return err
	}
	inherited := []*os.File{socket, p.memory.File()}
	if video {
		in, out, err := os.Pipe()
		if err != nil {
			return err
		}
		p.video = out
		theirs, inherited = append(theirs, in), append(inherited, in)
		// A smaller pipe does as well, with more turns.
		_, _ = unix.FcntlInt(in.Fd(), unix.F_SETPIPE_SZ, pipeBytes)
	}
	p.cmd = &exec.Cmd{
		Path: path, Args: []string{handover.Program}, Dir: "/", Env: environment(), ExtraFiles: inherited, Stderr: &p.words,
		WaitDelay: endBound,
		SysProcAttr: &syscall.SysProcAttr{
			Pdeathsig: syscall.SIGKILL,
			Setpgid:   true, // an interrupt from the keyboard is for the unit
		},
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	if err := p.conn.SendJob(); err != nil {
		p.kill()
		_ = p.cmd.Wait()
		return err
	}
	return nil
}

// receive takes the messages until there are no more.
func (p *Process) receive() {
	defer close(p.gone)
	isReady, isOpen := false, false
	for {
		m, err := p.conn.Receive()
		if err == nil {
			switch {
			case m.Kind == handover.Ready && !isReady:
				isReady = true
				p.tally.report.Store(&m.Text)
				close(p.ready)
			case m.Kind == handover.Opened && !isOpen:
				isOpen = true
				p.opened <- m
			case m.Kind == handover.Control:
				err = p.control(m)
			case m.Kind == handover.Frame && !p.take(m.Slot):
				err = fmt.Errorf("%w: the slot %d is not its own", handover.ErrProtocol, m.Slot)
			case m.Kind == handover.Frame, m.Kind == handover.Failed, m.Kind == handover.Ended:
				select {
				case p.events <- m:
				default:
					err = fmt.Errorf("%w: too many messages", handover.ErrProtocol)
				}
			default:
				err = fmt.Errorf("%w: the message %d out of turn", handover.ErrProtocol, m.Kind)
			}
		}
		if err != nil {
			if errors.Is(err, handover.ErrProtocol) {
				p.broken = err
				p.kill()
			}
			return
		}
	}
}

// take notes that a slot now belongs to the unit. It is false if it did before.
func (p *Process) take(slot int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.theirs&(1<<slot) != 0
	p.theirs &^= 1 << slot
	return was
}

// give gives a slot back.
func (p *Process) give(slot int) {
	p.mu.Lock()
	p.theirs |= 1 << slot
	p.mu.Unlock()
	p.tell(handover.Message{Kind: handover.Release, Slot: slot})
}

// tell sends a message. That it fails shows elsewhere: the decoder is gone.
func (p *Process) tell(m handover.Message) {
	p.send.Lock()
	defer p.send.Unlock()
	_ = p.conn.Send(m)
}

// wait waits for the process to end.
func (p *Process) wait() {
	_ = p.cmd.Wait() // ProcessState says it
	close(p.exited)
}

// await waits for a step of the decoder's start.
func (p *Process) await(ctx context.Context, bound time.Duration, step <-chan struct{}) error {
	p.timer.Reset(bound)
	defer p.timer.Stop()
	select {
	case <-step:
		return nil
	case <-p.gone:
		return p.lost()
	case <-ctx.Done():
		return ctx.Err()
	case <-p.timer.C:
		return p.Hung(bound)
	}
}

// Opened waits until the decoder has opened its video or device, and returns the
// rate that the video names; 0 if it names none. A decoder that hangs by the measure
// of hang, see [Watch], or has not opened it within bound, is lost with
// [fault.ErrBlocked].
func (p *Process) Opened(ctx context.Context, hang, bound time.Duration) (fps float64, err error) {
	watch := p.Watch()
	defer p.timer.Stop()
	for {
		p.timer.Reset(watch.next(bound))
		select {
		case m := <-p.opened:
			return m.FPS, nil
		case e := <-p.events:
			return 0, p.said(e)
		case <-p.gone:
			select {
			case e := <-p.events:
				return 0, p.said(e)
			default:
				return 0, p.lost()
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-p.timer.C:
			select {
			case m := <-p.opened: // it came as well: this process may be late itself
				return m.FPS, nil
			default:
			}
			if err := watch.late(hang, bound); err != nil {
				return 0, err
			}
		}
	}
}

// Next waits for the next picture, copies it into m, and returns its position.
// The copy is the unit's own: what the decoder writes afterwards changes nothing.
// [io.EOF] is a video's end; after any other error but one that matches
// [fault.ErrPicture] the decoder can only be closed.
func (p *Process) Next(ctx context.Context, bound time.Duration, m *gocv.Mat) (time.Duration, error) {
	position, late, err := p.next(ctx, bound, m)
	if late {
		err = fault.ErrTimeout
	}
	return position, err
}

// next is Next; late is that nothing came within bound, which is no error here. An error
// that matches [fault.ErrTimeout] is one that the decoder told.
func (p *Process) next(ctx context.Context, bound time.Duration, m *gocv.Mat) (position time.Duration, late bool, err error) {
	if p.closed {
		return -1, false, fault.ErrClosed
	}
	if p.end != nil {
		return -1, false, p.end
	}
	if err := ctx.Err(); err != nil {
		return -1, false, err
	}
	p.timer.Reset(bound)
	defer p.timer.Stop()
	select {
	case e := <-p.events:
		position, err = p.deliver(e, m)
		return position, false, err
	case <-p.gone:
	case <-ctx.Done():
		return -1, false, ctx.Err()
	case <-p.timer.C:
		late = true
	}
	select {
	case e := <-p.events: // it came as well: this process may be late itself
		position, err = p.deliver(e, m)
		return position, false, err
	default:
	}
	if !late {
		err = p.lost()
	}
	return -1, late, err
}

// Picture decodes one picture, whose bytes the caller keeps. jpegOnly refuses
// every other format. It returns as [Process.Next] does; a decoder that hangs by the
// measure of hang, see [Watch], or has not answered within bound, is lost with
// [fault.ErrBlocked].
func (p *Process) Picture(ctx context.Context, hang, bound time.Duration, b []byte, jpegOnly bool, m *gocv.Mat) error {
	if p.closed {
		return fault.ErrClosed
	}
	if len(b) > p.job.Input {
		return fmt.Errorf("%w: a picture of %d bytes", fault.ErrFrame, len(b))
	}
	copy(p.memory.Input(), b)
	watch := p.Watch()
	p.tell(handover.Message{Kind: handover.Decode, Length: len(b), Only: jpegOnly})
	for {
		_, late, err := p.next(ctx, watch.next(bound), m)
		if late {
			err = watch.late(hang, bound)
		}
		if err != nil {
			return err
		}
		if !late {
			p.memory.Trim(int64(len(b)) + 3*int64(m.Total()))
			return nil
		}
	}
}

func (p *Process) deliver(msg handover.Message, m *gocv.Mat) (time.Duration, error) {
	if msg.Kind != handover.Frame {
		return -1, p.said(msg)
	}
	if m.Cols() != msg.Width || m.Rows() != msg.Height || m.Type() != gocv.MatTypeCV8UC3 || !m.IsContinuous() {
		m.Close()
		*m = gocv.NewMatWithSize(msg.Height, msg.Width, gocv.MatTypeCV8UC3)
	}
	to, err := m.DataPtrUint8()
	if err != nil {
		return -1, err
	}
	copy(to, p.memory.Slot(msg.Slot))
	p.give(msg.Slot)
	return msg.Position, nil
}

// kill ends the process. It reports whether this call was the first.
func (p *Process) kill() bool {
	if p.killed.Swap(true) {
		return false
	}
	_ = p.cmd.Process.Kill() // fails only if it has ended
	return true
}

// Close kills the decoder and gives everything back. It waits no more than a
// second: a process that does not end by then, inside a driver, is left to the
// kernel. A second call does nothing.
func (p *Process) Close() {
	if p.closed {
		return
	}
	p.closed = true
	p.kill()
	p.conn.Close()
	<-p.gone
	timer := time.NewTimer(endBound)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.tally.left.Add(1)
		go func() {
			<-p.exited
			p.tally.left.Add(-1)
		}()
	}
	p.release()
}

func (p *Process) release() {
	if p.conn != nil {
		p.conn.Close()
	}
	if p.video != nil {
		p.video.Close()
	}
	if p.memory != nil {
		p.memory.Close()
	}
}

// Feed writes video to the decoder, which takes no longer than bound.
func (p *Process) Feed(b []byte, bound time.Duration) error {
	if err := p.video.SetWriteDeadline(time.Now().Add(bound)); err != nil {
		return err
	}
	_, err := p.video.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return p.Hung(bound)
	}
	return err
}

// EndFeed tells the decoder that no more video comes.
func (p *Process) EndFeed() error { return p.video.Close() }
