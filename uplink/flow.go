package uplink

import (
	"errors"
	"time"

	"platewatch/uplink/internal/link"
)

// flow decides what a link can carry: how much may be in flight, whether hits go
// without their pictures first, and how long messages in flight may take. It
// learns from acknowledgements and from how connections end, and keeps what it
// learned over connections. Its states, of two kinds:
//
//	speed                      acknowledgement              acknowledgement
//	           ┌────────────┐  below slowLink  ┌──────┐  above slowLink  ┌──────┐
//	 start ──▶ │ unmeasured │ ───────────────▶ │ slow │ ◀──────────────▶ │ fast │
//	           └─────┬──────┘                  └──┬───┘                  └──┬───┘
//	                 │                            │                        │
//	                 └──── a connection ends with messages in flight ──────┘
//	                       │ (silent, or after a keep-alive)   ▲
//	                       ▼                                   │
//	                  ┌─────────┐  acknowledgement             │
//	                  │ unknown │ ─────────────────────────────┘ slow or fast, as measured
//	                  └─────────┘
//
//	message size   ┌────────┐ three connections without an acknowledged hit ┌─────────┐
//	     start ──▶ │ normal │ ────────────────────────────────────────────▶ │ suspect │
//	               └────────┘ ◀──────────────────────────────────────────── └─────────┘
//	                                    a hit is acknowledged
//
// A link that is slow, unknown, or bounded by configuration gets hits without
// their pictures first. Where the message size is suspect, one message at a time
// goes, without pictures: a broker may close the connection over a message's
// size, and the hits behind it must not suffer.
//
// What is in flight follows the idea of LEDBAT (RFC 6817): the delay of an
// acknowledgement beyond the shortest one seen on this connection is time spent
// in queues, which grow with what is in flight. A ping behind a long queue looks
// like a dead link.
type flow struct {
	bandwidth   float64       // bound of what is sent, in bytes a second; 0 for none
	maxMessages int           // in flight
	keepAlive   time.Duration // on a link that is not slow

	// Kept over connections.
	speed             float64 // in bytes a second, as measured; 0 before that
	speedUnknown      bool    // the last connection died with messages in flight; its speed is not known yet
	fruitlessConnects int     // connections in a row without an acknowledged hit

	// Of the connection there is.
	window    int           // bytes that may be in flight
	shortest  time.Duration // delay of an acknowledgement; 0 if none came yet
	published uint64        // hits
	acked     uint64        // hits
}

const (
	firstWindow = 64 << 10
	minWindow   = 4 << 10
	maxWindow   = 4 << 20
	// Queueing above longQueue halves the window, below shortQueue doubles it.
	shortQueue = 500 * time.Millisecond
	longQueue  = 2 * time.Second
	// slowLink is the speed in bytes a second below which a link is slow, and
	// which is assumed of one that was not measured.
	slowLink = 8 << 10
	// tooSmall is what must be in flight for an acknowledgement to tell a speed.
	tooSmall = 1 << 10
	// suspectAfter is how many fruitless connections in a row make the message
	// size suspect.
	suspectAfter = 3
	// maxKeepAlive bounds the keep-alive on a slow link, and the time that
	// messages in flight are given.
	maxKeepAlive = 10 * time.Minute
)

// connected begins a connection.
func (f *flow) connected() {
	f.window, f.shortest, f.published, f.acked = firstWindow, 0, 0, 0
	if f.slow() {
		f.window = minWindow
	}
}

// acknowledged learns from a message that took delay, with behind bytes in
// flight when it was published, its own included.
func (f *flow) acknowledged(delay time.Duration, behind int) {
	delay = max(delay, time.Microsecond)
	if f.shortest == 0 || delay < f.shortest {
		f.shortest = delay
	}
	queueing := delay - f.shortest
	switch {
	case queueing > longQueue:
		f.window = max(f.window/2, minWindow)
	case queueing < shortQueue && behind > f.window/4:
		f.window = min(f.window*2, maxWindow)
	}
	if behind < tooSmall {
		return
	}
	f.speedUnknown = false
	speed := float64(behind) / max(queueing.Seconds(), 0.001)
	if f.speed > 0 {
		speed = f.speed + (speed-f.speed)/4
	}
	f.speed = speed
}

// disconnected learns from the end of a connection. The first of the messages in
// flight, if there are any, has size bytes and waited that long. If the broker
// ended the connection after a keep-alive, nothing came through in one and a
// half of them: the link is slow. One that went silent may just be dead.
func (f *flow) disconnected(err error, size int, waited time.Duration) {
	switch {
	case f.acked > 0:
		f.fruitlessConnects = 0
	case f.published > 0:
		f.fruitlessConnects++
	}
	if size == 0 {
		return
	}
	switch {
	case errors.Is(err, errSilent), errors.Is(err, errAckTimeout):
		f.speedUnknown = true
	case errors.Is(err, link.ErrLost) && waited >= f.keepAlive:
		f.speedUnknown = true
		atMost := float64(size) / waited.Seconds()
		if f.speed == 0 || atMost < f.speed {
			f.speed = atMost
		}
	}
}

// mayPublish bounds what is in flight, in messages and in bytes.
func (f *flow) mayPublish(messages, bytes int) bool {
	if messages == 0 {
		return true
	}
	return !f.suspectMessageSize() && messages < f.maxMessages && bytes < f.window
}

// slow is true on a link where a hit should not wait for its pictures.
func (f *flow) slow() bool {
	return f.bandwidth > 0 || f.speedUnknown || f.speed > 0 && f.speed < slowLink
}

// suspectMessageSize is true while one message at a time goes, without pictures.
func (f *flow) suspectMessageSize() bool { return f.fruitlessConnects >= suspectAfter && f.acked == 0 }

// timeFor is how long so many bytes in flight may take on this link.
func (f *flow) timeFor(bytes int) time.Duration {
	speed := f.speed
	switch {
	case f.speedUnknown:
		speed = slowLink / 8
	case speed == 0:
		speed = slowLink
	}
	if f.bandwidth > 0 {
		speed = min(speed, f.bandwidth)
	}
	return min(time.Duration(float64(bytes)/max(speed, 1)*float64(time.Second)), maxKeepAlive)
}

// keepAliveFor is the keep-alive to tell a broker. It ends a connection over
// which no whole packet comes for one and a half times as long, so on a slow link
// the largest message, in bytes as it is stored, has to get through in that time.
func (f *flow) keepAliveFor(largest int64) time.Duration {
	speed := f.speed
	if f.bandwidth > 0 && (speed == 0 || f.bandwidth < speed) {
		speed = f.bandwidth
	}
	if speed == 0 {
		return f.keepAlive
	}
	bytes := 2 * float64(largest) * 4 / 3 // base64, and as much again of other messages
	return max(f.keepAlive, min(time.Duration(bytes/speed*float64(time.Second)), maxKeepAlive))
}
