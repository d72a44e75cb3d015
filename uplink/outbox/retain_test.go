package outbox

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

// bench is a unit whose clocks a test moves: the wall clock, and the time for which it
// runs.
type bench struct {
	t       *testing.T
	path    string
	wall    time.Time
	set     bool
	running time.Duration
	deleted int
	o       *Outbox
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "outbox.db"), wall: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), set: true}
	b.start()
	return b
}

const limit = 24 * time.Hour

func (b *bench) start() {
	b.t.Helper()
	o, err := Open(b.path, "unit-7", Settings{Retention: limit, MaxAge: 200 * 365 * limit, MaintainEvery: time.Hour, // the test calls it
		ClockSet: func() bool { return b.set }, Now: func() time.Time { return b.wall }, Deleted: func(n int) { b.deleted += n }}, uplinktest.Log(b.t))
	if err != nil {
		b.t.Fatal(err)
	}
	b.running = 0
	o.mu.Lock()
	o.keepFor.elapsed = func() time.Duration { return b.running }
	o.mu.Unlock()
	b.o = o
	b.t.Cleanup(func() { b.o.Close() })
}

// powerCut drops what the outbox would write on closing, and starts it again after a
// time.
func (b *bench) powerCut(off time.Duration) {
	b.t.Helper()
	copied := filepath.Join(b.t.TempDir(), "outbox.db")
	for _, name := range []string{"", ".number", agesSuffix} {
		if text, err := os.ReadFile(b.path + name); err == nil {
			if err := os.WriteFile(copied+name, text, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.o.Close()
	b.path = copied
	b.wall = b.wall.Add(off)
	b.start()
	b.run(0)
}

// run lets the unit run, in steps.
func (b *bench) run(d time.Duration) {
	for {
		b.o.mu.Lock()
		b.o.maintain()
		b.deleted += b.o.takeDeleted()
		b.o.mu.Unlock()
		if d <= 0 {
			return
		}
		step := min(d, 3*time.Hour)
		b.wall, b.running, d = b.wall.Add(step), b.running+step, d-step
	}
}

func (b *bench) accept(plate string) string {
	b.t.Helper()
	h := uplinktest.WithPictures(uplinktest.Hit(plate), 1000, 9000)
	h.Clock = message.ClockUnsynchronised
	if b.set {
		h.Clock = message.ClockSynchronised
	}
	return uplinktest.MustAccept(b.t, b.o, h)
}

// left is how many hits wait, and how many the bytes of the file still hold.
func (b *bench) left() (pending, inBytes int) {
	b.t.Helper()
	h, err := Examine(b.path, b.path, b.wall)
	if err != nil {
		b.t.Fatal(err)
	}
	return len(b.o.List()), h.Hits
}

func (b *bench) want(when string, pending int) {
	b.t.Helper()
	if p, n := b.left(); p != pending || n != pending {
		b.t.Errorf("%s: %d hits wait and %d are in the file's bytes, want %d", when, p, n, pending)
	}
}

// TestRetention: a hit stays for its time to the minute, pending or not, and its bytes
// go with it.
func TestRetention(t *testing.T) {
	b := newBench(t)
	b.accept("FIRST1")
	b.run(12 * time.Hour)
	second := b.accept("SECOND2")
	b.run(12*time.Hour - time.Minute)
	b.want("a minute before", 2)
	b.run(2 * time.Minute)
	b.want("a minute after", 1)
	if b.deleted != 1 {
		t.Errorf("%d were told", b.deleted)
	}
	// A delivered one leaves its bytes behind, until its time.
	b.remove(second)
	if p, n := b.left(); p != 0 || n != 1 {
		t.Errorf("after the delivery %d wait, %d are left", p, n)
	}
	b.run(12 * time.Hour)
	b.want("at the end", 0)
	if text, err := os.ReadFile(b.path); err != nil || bytes.Contains(text, []byte("SECOND2")) {
		t.Errorf("the file still holds the plate, %v", err)
	}
	// And the file is whole.
	b.powerCut(0)
	b.accept("THIRD3")
	b.want("after all", 1)
}

func (b *bench) remove(id string) {
	b.t.Helper()
	for _, p := range b.o.index {
		if b.o.id(p.number) == id {
			if err := b.o.Remove(Ref{p.seq, p.number, p.revision}); err != nil {
				b.t.Fatal(err)
			}
			return
		}
	}
	b.t.Fatalf("%s does not wait", id)
}

// TestRetentionClocks goes over power cuts, jumps and clocks that were never set.
func TestRetentionClocks(t *testing.T) {
	for name, tc := range map[string]struct {
		act  func(b *bench)
		want int // of one hit
	}{
		"set, off for a day":           {func(b *bench) { b.accept("A"); b.powerCut(limit + time.Minute) }, 0},
		"set, off for less":            {func(b *bench) { b.accept("A"); b.powerCut(limit - time.Minute) }, 1},
		"never set, running":           {func(b *bench) { b.set = false; b.accept("A"); b.run(limit + time.Minute) }, 0},
		"never set, running in pieces": {func(b *bench) { b.unset(); b.accept("A"); b.pieces(25) }, 0},
		"never set, a little less":     {func(b *bench) { b.unset(); b.accept("A"); b.pieces(23) }, 1},
		"jump back while it runs":      {func(b *bench) { b.accept("A"); b.wall = b.wall.AddDate(-50, 0, 0); b.run(limit + time.Minute) }, 0},
		"jump ahead, not set":          {func(b *bench) { b.accept("A"); b.set = false; b.wall = b.wall.AddDate(50, 0, 0); b.run(time.Hour) }, 1},
		"1970 after a power cut": {func(b *bench) {
			b.accept("A")
			b.run(time.Hour)
			b.set = false
			b.wall = time.Unix(0, 0)
			b.powerCut(0)
			b.run(limit)
		}, 0},
		"accepted in 1970, then set": {func(b *bench) {
			b.run(time.Hour)
			b.accept("0")
			b.removeFirst()
			b.run(time.Hour)
			b.unset()
			b.wall = time.Unix(0, 0)
			b.powerCut(0)
			b.accept("A")
			b.run(time.Hour)
			b.powerCut(0)
			b.set = true
			b.wall = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
			b.run(time.Minute)
		}, 0},
		"accepted in 1970, set at once": {func(b *bench) {
			b.unset()
			b.wall = time.Unix(0, 0)
			b.accept("A")
			b.run(time.Hour)
			b.set = true
			b.wall = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
			b.run(time.Hour)
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			tc.act(b)
			if got, _ := b.left(); got != tc.want {
				t.Errorf("%d hits wait, want %d", got, tc.want)
			}
		})
	}
}

func (b *bench) unset() { b.set = false }

func (b *bench) removeFirst() { b.remove(b.o.id(b.o.index[0].number)) }

// pieces runs an hour after each power cut.
func (b *bench) pieces(n int) {
	for range n {
		b.run(time.Hour)
		b.powerCut(time.Hour)
	}
}

// TestRetentionOfDamage: the damaged file that a salvage kept goes too, and so do hits
// in quarantine.
func TestRetentionOfDamage(t *testing.T) {
	b := newBench(t)
	b.accept("A")
	kept := b.path + ".corrupt"
	if err := os.WriteFile(kept, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(kept, b.wall, b.wall); err != nil {
		t.Fatal(err)
	}
	p := b.o.index[0]
	if err := b.o.Quarantine(Ref{p.seq, p.number, p.revision}, "test"); err != nil {
		t.Fatal(err)
	}
	b.run(limit - time.Minute)
	if _, err := os.Stat(kept); err != nil || len(b.o.quarantined) != 1 {
		t.Errorf("too early: %v, %d in quarantine", err, len(b.o.quarantined))
	}
	b.run(3 * time.Minute)
	if _, err := os.Stat(kept); err == nil || len(b.o.quarantined) != 0 {
		t.Errorf("%v, %d in quarantine", err, len(b.o.quarantined))
	}
	if _, n := b.left(); n != 0 || b.deleted != 2 {
		t.Errorf("%d left, %d told", n, b.deleted)
	}
}
