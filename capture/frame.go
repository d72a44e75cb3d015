package capture

import (
	"sync"
	"time"

	"gocv.io/x/gocv"
)

// Frame is one picture of a camera. Whoever receives it owns it and must
// Close it, once.
type Frame struct {
	Camera   string        // the camera's name
	Seq      uint64        // grows by one with every frame of the camera, dropped ones included; continues after a reconnection
	Image    gocv.Mat      // rows x cols x 3, BGR, 8 bit, upright; valid until Close, regions of it too
	Arrived  time.Time     // when it was read, with a monotonic reading
	Position time.Duration // the stream's own time of this frame since its start, never decreasing; -1 if unknown

	pool *matPool
}

// Close returns the image's buffer to the camera. Neither the Mat nor a region
// of it may be used afterwards: the camera writes a later frame there.
func (f *Frame) Close() error {
	if f.pool != nil {
		pool := f.pool
		f.pool = nil
		m := f.Image
		f.Image = gocv.Mat{}
		pool.put(m)
		return nil
	}
	return f.Image.Close()
}

// pooledMats is how many buffers a camera keeps for reuse: one being read
// into, one in the mailbox, one with the reader.
const pooledMats = 3

// matPool keeps a few Mats whose buffers fit the camera's next frames, so
// that 25 frames of 2.7 MB a second need no new memory.
type matPool struct {
	mu     sync.Mutex
	free   []gocv.Mat
	closed bool
}

func (p *matPool) get() gocv.Mat {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		m := p.free[n-1]
		p.free = p.free[:n-1]
		return m
	}
	return gocv.NewMat()
}

func (p *matPool) put(m gocv.Mat) {
	p.mu.Lock()
	keep := !p.closed && len(p.free) < pooledMats
	if keep {
		p.free = append(p.free, m)
	}
	p.mu.Unlock()
	if !keep {
		m.Close()
	}
}

// close frees the buffers in the pool. Those still in use are freed when they
// are returned.
func (p *matPool) close() {
	p.mu.Lock()
	free := p.free
	p.free, p.closed = nil, true
	p.mu.Unlock()
	for i := range free {
		free[i].Close()
	}
}
