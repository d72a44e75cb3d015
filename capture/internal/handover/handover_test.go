package handover

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"platewatch/capture/fault"
)

var job = Job{Mode: Pictures, Slots: 3, MaxSide: 100, MaxPixels: 5000, Input: 1000}

// A message comes back as it was sent.
func TestRoundTrip(t *testing.T) {
	for _, m := range []Message{
		{Kind: Ready, Text: "confined"},
		{Kind: Opened, FPS: 25},
		{Kind: Frame, Slot: 2, Width: 100, Height: 50, Position: time.Second},
		{Kind: Frame, Width: 1, Height: 1, Position: -1},
		{Kind: Failed, Text: "is damaged", Advice: "save it again", Class: fault.ErrDamaged},
		{Kind: Control, Index: 1, Count: 2, Text: "gain", Asked: 400, Value: 100, Min: -5, Max: 100},
		{Kind: Release, Slot: 1}, {Kind: Decode, Length: 1000, Only: true}, {Kind: Steer, Bright: 170, Clipped: 0.5}, {Kind: Ended},
	} {
		if got, err := parse(m.append(nil), job); err != nil || got != m {
			t.Errorf("sent %+v, got %+v, %v", m, got, err)
		}
	}
}

// A message that a compromised decoder might send is refused, whichever field is
// wrong.
func TestRefuses(t *testing.T) {
	for _, m := range []Message{
		{}, {Kind: 99},
		{Kind: Frame, Slot: 3, Width: 1, Height: 1}, {Kind: Frame, Slot: 255, Width: 1, Height: 1},
		{Kind: Frame, Width: 101, Height: 1}, {Kind: Frame, Width: 100, Height: 100}, {Kind: Frame, Width: math.MaxInt32, Height: math.MaxInt32},
		{Kind: Frame, Width: 0, Height: 1}, {Kind: Frame, Width: 1, Height: 1, Position: -2}, {Kind: Frame, Width: 1, Height: 1, Position: math.MaxInt64},
		{Kind: Opened, FPS: math.NaN()}, {Kind: Opened, FPS: -1}, {Kind: Opened, FPS: math.Inf(1)},
		{Kind: Control, Index: 2, Count: 2}, {Kind: Control, Index: 1, Count: 200}, {Kind: Decode, Length: 1001}, {Kind: Steer, Bright: math.NaN()},
	} {
		if got, err := parse(m.append(nil), job); !errors.Is(err, ErrProtocol) {
			t.Errorf("%+v is taken as %+v, %v", m, got, err)
		}
	}
	whole := Message{Kind: Ended}.append(nil)
	for _, b := range [][]byte{nil, whole[:len(whole)-1], append(whole, 0)} {
		if _, err := parse(b, job); !errors.Is(err, ErrProtocol) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
}

// FuzzHandover: whatever a decoder sends, the fields that are accepted are in range,
// and its text cannot forge a log line.
func FuzzHandover(f *testing.F) {
	f.Add(Message{Kind: Frame, Slot: 1, Width: 100, Height: 50}.append(nil))
	f.Add(Message{Kind: Failed, Text: "a\nb\x1b[31m\xff", Advice: "x", Class: fault.ErrTooLarge}.append(nil))
	f.Add(Message{Kind: Control, Index: 1, Count: 2}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b, job)
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		if m.Kind == Frame && (m.Slot >= job.Slots || 3*m.Width*m.Height > job.slotBytes() || m.Width < 1 || m.Height < 1) {
			t.Fatalf("%+v", m)
		}
		for _, s := range []string{m.Text, m.Advice} {
			if len(s) > maxText || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("the text %q", s)
			}
		}
	})
}

// A process that has the descriptor of the memory cannot resize it: a read beyond a
// smaller size would kill the unit.
func TestMemoryIsSealed(t *testing.T) {
	m, err := NewMemory(job)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, size := range []int64{0, 1, job.memoryBytes() + 1} {
		if err := unix.Ftruncate(int(m.File().Fd()), size); !errors.Is(err, unix.EPERM) {
			t.Errorf("a size of %d: %v", size, err)
		}
	}
	if n := len(m.Slot(2)); n != job.slotBytes() || cap(m.Slot(2)) != n || len(m.Input()) != job.Input {
		t.Errorf("a slot of %d bytes", n)
	}
}
