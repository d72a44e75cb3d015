package link

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// Writes are cut into chunks, each of which may take this long: a slow link is
	// not a dead one.
	chunkTimeout = 20 * time.Second
	chunkSize    = 4 << 10
)

// conn is the network connection beneath paho. It bounds inbound packets, has a
// deadline for every chunk instead of one for a whole write, limits the bandwidth,
// counts the PUBLISH packets written, and knows when something was last received.
type conn struct {
	net.Conn

	made  time.Time
	heard atomic.Int64    // when something was last read, as a Duration since made
	limit *rate.Limiter   // bytes a second; nil for no limit
	ctx   context.Context // done once closed, so that nothing waits for the limit
	stop  context.CancelFunc

	in frames

	mu  sync.Mutex // paho writes pings from another goroutine: chunks must not mix
	out frames

	published atomic.Uint64 // PUBLISH packets written completely
	progress  chan struct{} // holds one token after something was written

	once     sync.Once
	closeErr error
}

// newConn wraps a connection: limit bounds an inbound packet in bytes, bandwidth
// what is written in bytes a second; 0 for no limit.
func newConn(c net.Conn, limit, bandwidth int) *conn {
	w := &conn{Conn: c, made: time.Now(), in: frames{limit: limit}, progress: make(chan struct{}, 1)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	if bandwidth > 0 {
		w.limit = rate.NewLimiter(rate.Limit(bandwidth), chunkSize)
	}
	w.out.onPacket = func(kind byte) {
		if kind == packetPublish {
			w.published.Add(1)
		}
	}
	return w
}

// Read notes that something was received, and ends the connection over a packet
// that is too large or malformed.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.made)))
	}
	if ferr := c.in.feed(b[:n]); ferr != nil {
		c.Close()
		return 0, ferr
	}
	return n, err
}

// Write writes in chunks, each with a deadline.
func (c *conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	written := 0
	for written < len(b) {
		chunk := b[written:min(written+chunkSize, len(b))]
		if c.limit != nil {
			if err := c.limit.WaitN(c.ctx, len(chunk)); err != nil {
				return written, net.ErrClosed
			}
		}
		if err := c.Conn.SetWriteDeadline(time.Now().Add(chunkTimeout)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(chunk)
		if ferr := c.out.feed(chunk[:n]); err == nil {
			err = ferr
		}
		written += n
		select {
		case c.progress <- struct{}{}:
		default:
		}
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// SetWriteDeadline does nothing: Write sets its own.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline bounds reading only; see SetWriteDeadline.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// Close can be called by any goroutine, any number of times.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.stop()
		c.closeErr = c.Conn.Close()
	})
	return c.closeErr
}

// silence is how long nothing was received.
func (c *conn) silence() time.Duration {
	return time.Since(c.made) - time.Duration(c.heard.Load())
}
