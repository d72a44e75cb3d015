// Package testdrive shows for a limited time what a unit reads, text included, to the
// technician who tries it. Outside of a test drive the text of plates that match no
// list is shown nowhere. What was read stays in memory, at most [most] reads of it, and
// is gone when the drive ends.
package testdrive

import (
	"iter"
	"slices"
	"sync"
	"time"

	"platewatch/cmd/platewatch/internal/setting"
)

// most is how many reads are kept.
const most = 20

// Settings are what the configuration file says of test drives.
type Settings struct {
	For time.Duration `toml:"test_drive"` // how long one takes at most; 0: there are none
}

// Default allows ten minutes.
func Default() Settings { return Settings{For: 10 * time.Minute} }

// Problems yields the settings that cannot be used, by their keys.
func (s Settings) Problems() iter.Seq2[string, error] {
	var err error
	if s.For != 0 {
		err = setting.Duration(s.For, time.Minute, time.Hour)
	}
	return setting.Failed(setting.Check{Key: "test_drive", Err: err})
}

// Read is one passage that was read during a drive.
type Read struct {
	Number     uint64 // within the drive, from 1
	At         time.Time
	Camera     string
	Text       string
	Confidence float64 // 0–1, that the text is exactly right
	Picture    []byte  // JPEG of the plate; nil for none
}

// Drive is the test drive of a unit: none, or one. It is safe for concurrent use. The
// zero value is ready.
type Drive struct {
	mu    sync.Mutex
	who   string
	until time.Time // carries the monotonic clock
	reads []Read    // oldest first
	count uint64
	timer *time.Timer
	ended func()
}

// State is what everybody may know of a drive.
type State struct {
	Who  string
	Left time.Duration
}

// Start begins a drive, if none runs: stop ends this one, and no later one. ended is
// called once when it ends, however it does.
func (d *Drive) Start(who string, lasts time.Duration, ended func()) (stop func(), ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running() {
		return nil, false
	}
	d.who, d.until, d.reads, d.count, d.ended = who, time.Now().Add(lasts), nil, 0, ended
	until := d.until
	stop = func() { d.stop(until) }
	d.timer = time.AfterFunc(lasts, stop)
	return stop, true
}

// Stop ends the drive and forgets what was read.
func (d *Drive) Stop() {
	d.mu.Lock()
	until := d.until
	d.mu.Unlock()
	d.stop(until)
}

// stop ends the drive that ends at a time, unless it has ended already.
func (d *Drive) stop(until time.Time) {
	d.mu.Lock()
	if d.ended == nil || !d.until.Equal(until) {
		d.mu.Unlock()
		return
	}
	ended := d.ended
	d.timer.Stop()
	d.who, d.until, d.reads, d.ended = "", time.Time{}, nil, nil
	d.mu.Unlock()
	ended()
}

func (d *Drive) running() bool { return d.ended != nil && time.Until(d.until) > 0 }

// State tells who drives and for how long still; false while nobody does.
func (d *Drive) State() (State, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.running() {
		return State{}, false
	}
	return State{d.who, time.Until(d.until)}, true
}

// Running reports whether there is a drive: what is read is to be added.
func (d *Drive) Running() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running()
}

// Add keeps a read, for as long as the drive takes. Without a drive it does nothing.
func (d *Drive) Add(r Read) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.running() {
		return
	}
	d.count++
	r.Number, r.At = d.count, time.Now()
	if len(d.reads) == most {
		d.reads = slices.Delete(d.reads, 0, 1)
	}
	d.reads = append(d.reads, r)
}

// Reads returns what was read, newest first; nothing without a drive.
func (d *Drive) Reads() []Read {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.running() {
		return nil
	}
	out := slices.Clone(d.reads)
	slices.Reverse(out)
	return out
}
