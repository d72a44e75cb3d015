package uplink

import (
	"errors"
	"testing"
	"time"

	"platewatch/uplink/internal/link"
)

func newTestFlow() *flow {
	f := &flow{maxMessages: 4, keepAlive: 10 * time.Second}
	f.connected()
	return f
}

// The states of the speed: unmeasured, slow, fast, unknown.
func TestFlowSpeed(t *testing.T) {
	f := newTestFlow()
	if f.slow() || f.window != firstWindow {
		t.Errorf("unmeasured: %+v", f)
	}
	f.acknowledged(50*time.Millisecond, 8<<10)
	if f.slow() || f.speed == 0 {
		t.Errorf("fast: %+v", f)
	}
	for range 40 { // 8 KiB with four seconds in queues
		f.acknowledged(4050*time.Millisecond, 8<<10)
	}
	if !f.slow() || f.window != minWindow || f.speed > 3<<10 {
		t.Errorf("slow: %+v", f)
	}
	for range 40 {
		f.acknowledged(60*time.Millisecond, 8<<10)
	}
	if f.slow() || f.window != 32<<10 { // 8 KiB in flight are no longer a quarter of it
		t.Errorf("fast again: %+v", f)
	}
	for name, err := range map[string]error{"silent": errSilent, "no acknowledgement": errAckTimeout, "lost after a keep-alive": link.ErrLost} {
		f := newTestFlow()
		f.acknowledged(50*time.Millisecond, 8<<10)
		fast := f.speed
		f.disconnected(err, 40_000, 20*time.Second)
		f.connected()
		if !f.speedUnknown || !f.slow() || f.window != minWindow {
			t.Errorf("%s: %+v", name, f)
		}
		if errors.Is(err, link.ErrLost) && f.speed != 2000 || !errors.Is(err, link.ErrLost) && f.speed != fast {
			t.Errorf("%s: speed %v", name, f.speed)
		}
		f.acknowledged(50*time.Millisecond, 500) // too little to tell
		if !f.speedUnknown {
			t.Errorf("%s: known after 500 bytes", name)
		}
		f.acknowledged(50*time.Millisecond, 4<<10)
		if f.speedUnknown {
			t.Errorf("%s: still unknown", name)
		}
	}
	for name, end := range map[string]func(f *flow){
		"nothing in flight":        func(f *flow) { f.disconnected(errSilent, 0, time.Minute) },
		"lost within a keep-alive": func(f *flow) { f.disconnected(link.ErrLost, 40_000, 9*time.Second) },
		"left on purpose":          func(f *flow) { f.disconnected(errMove, 40_000, time.Minute) },
	} {
		f := newTestFlow()
		if end(f); f.speedUnknown || f.speed != 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// The states of the message size: normal, suspect.
func TestFlowMessageSize(t *testing.T) {
	f := newTestFlow()
	fail := func() {
		f.connected()
		f.published++
		f.disconnected(errors.New("EOF"), 40_000, time.Second)
		f.connected()
	}
	for n := 1; n <= suspectAfter; n++ {
		if f.suspectMessageSize() {
			t.Fatalf("suspect after %d connections", n-1)
		}
		fail()
	}
	if !f.suspectMessageSize() || !f.mayPublish(0, 0) || f.mayPublish(1, 10) {
		t.Errorf("suspect: %+v", f)
	}
	f.disconnected(nil, 0, 0) // a connection over which no hit went says nothing
	if f.fruitlessConnects != suspectAfter {
		t.Errorf("%d fruitless connections", f.fruitlessConnects)
	}
	f.acked++
	if f.suspectMessageSize() || !f.mayPublish(1, 10) {
		t.Errorf("normal: %+v", f)
	}
	if f.disconnected(link.ErrLost, 0, 0); f.fruitlessConnects != 0 {
		t.Errorf("%d fruitless connections", f.fruitlessConnects)
	}
}

func TestFlowBounds(t *testing.T) {
	f := newTestFlow()
	for _, tc := range []struct {
		messages, bytes int
		want            bool
	}{{0, 1 << 30, true}, {3, 1000, true}, {4, 1000, false}, {1, firstWindow, false}} {
		if got := f.mayPublish(tc.messages, tc.bytes); got != tc.want {
			t.Errorf("%+v: %t", tc, got)
		}
	}
	// An unmeasured link is given the time of a slow one, an unknown one eight times that.
	if got := f.timeFor(16 << 10); got != 2*time.Second {
		t.Errorf("unmeasured: %v", got)
	}
	f.speedUnknown = true
	if got := f.timeFor(16 << 10); got != 16*time.Second {
		t.Errorf("unknown: %v", got)
	}
	if got := f.timeFor(1 << 30); got != maxKeepAlive {
		t.Errorf("a gigabyte: %v", got)
	}
	if got := f.keepAliveFor(1 << 20); got != 10*time.Second {
		t.Errorf("keep-alive, unmeasured: %v", got)
	}
	f.speed = 1000
	if got := f.keepAliveFor(30_000); got != 80*time.Second {
		t.Errorf("keep-alive at 1,000 bytes a second: %v", got)
	}
	f.bandwidth = 500
	if got := f.keepAliveFor(30_000); got != 160*time.Second || !f.slow() {
		t.Errorf("keep-alive at a bound of 500: %v, slow %t", got, f.slow())
	}
	if got := f.keepAliveFor(1 << 30); got != maxKeepAlive {
		t.Errorf("keep-alive of a gigabyte: %v", got)
	}
}
