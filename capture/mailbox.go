package capture

import (
	"context"
	"io"
	"sync"
)

// mailbox holds one frame: the newest that has not been taken.
type mailbox struct {
	mu     sync.Mutex
	frame  *Frame
	full   chan struct{} // a token when a frame was put
	taken  chan struct{} // a token when a frame was taken
	ended  chan struct{} // closed when no more frames come
	closed bool
}

func newMailbox() *mailbox {
	return &mailbox{full: make(chan struct{}, 1), taken: make(chan struct{}, 1), ended: make(chan struct{})}
}

// put replaces the frame and returns the one that was not taken, or nil. After
// end it returns f itself.
func (b *mailbox) put(f *Frame) (dropped *Frame) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return f
	}
	dropped, b.frame = b.frame, f
	signal(b.full)
	return dropped
}

// empty waits until the frame has been taken, and reports whether ctx let it.
func (b *mailbox) empty(ctx context.Context) bool {
	for {
		b.mu.Lock()
		empty := b.frame == nil
		b.mu.Unlock()
		if empty {
			return true
		}
		select {
		case <-b.taken:
		case <-ctx.Done():
			return false
		}
	}
}

// take waits for a frame. It returns [io.EOF] after end, once a frame left in
// the box has been taken.
func (b *mailbox) take(ctx context.Context) (*Frame, error) {
	for {
		if f := b.remove(); f != nil {
			return f, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		select {
		case <-b.full:
		case <-b.ended:
			if f := b.remove(); f != nil {
				return f, nil
			}
			return nil, io.EOF
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *mailbox) remove() *Frame {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.frame
	b.frame = nil
	if f != nil {
		signal(b.taken)
	}
	return f
}

// end lets take return io.EOF from now on.
func (b *mailbox) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.ended)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
