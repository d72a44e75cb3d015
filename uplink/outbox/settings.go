package outbox

import (
	"fmt"
	"iter"
	"time"

	"platewatch/uplink/failure"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"
)

// Settings are the outbox's bounds. Zero values take the defaults.
//
// At a bound, pictures are evicted before hits, and in both cases those of the
// least urgent and among them the oldest first, each counted. A new hit that is
// less urgent than every pending one is itself rejected: Accept then returns
// [ErrFull].
type Settings struct {
	// MaxBytes bounds all records together. Default 64 MiB. The file can be
	// about twice that.
	MaxBytes int64 `toml:"max_bytes" unit:"bytes"`
	// MaxAge is how long a hit may wait. Default 30 days. Only a certain age
	// counts: time on the monotonic clock, or on a wall clock that was set from
	// a time source both then and now.
	MaxAge time.Duration `toml:"max_age"`
	// Retention is how long a hit and its pictures stay on the unit, delivered or not,
	// whatever the clock says: see retain.go. Default 30 days.
	Retention time.Duration `toml:"retention"`
	// Settle is for how long a hit waits for a better revision before it is sent: see
	// settle.go. 0: it does not wait.
	Settle time.Duration `toml:"settle"`
	// MaxMemory bounds what is kept in memory while the disk cannot be written.
	// Default 8 MiB.
	MaxMemory int64 `toml:"max_memory" unit:"bytes"`
	// Limits bound single priorities, within the bounds of all.
	Limits []Limit `toml:"limit"`

	// MaxEntries bounds the number of hits. Default 20,000, which is 11 hours of
	// a hit every two seconds.
	MaxEntries int `toml:"-"`

	// HistoricalAfter is the age at which a hit counts as delivered late.
	// Until then it is live, and live hits go first. Default 30 s.
	HistoricalAfter time.Duration `toml:"-"`

	// Machine are facts by which this machine is known again, such as serial numbers.
	// With them ids carry an installation's identity; nil: they carry none.
	Machine []string `toml:"-"`

	// ClockSet tells whether the wall clock is set from a time source; nil: it
	// is not trusted.
	ClockSet func() bool `toml:"-"`

	// A larger picture is left out of its hit and counted, in bytes of JPEG.
	// Defaults [message.MaxPlateBytes] and [message.MaxContextBytes].
	MaxPlatePicture   int `toml:"-"`
	MaxContextPicture int `toml:"-"`
	// MaxMessage bounds a hit without its pictures, in bytes of JSON. A larger
	// one is refused with [ErrTooLarge]. Default 64 KiB.
	MaxMessage int `toml:"-"`

	// LockTimeout is how long to wait for another process to release the file.
	// Default 1 s.
	LockTimeout time.Duration `toml:"-"`

	// MaintainEvery is how often a failing disk is retried and expired hits are
	// dropped. Default 5 s.
	MaintainEvery time.Duration `toml:"-"`

	// Deleted, if set, is told how many hits were deleted because of Retention.
	Deleted func(hits int) `toml:"-"`

	// Key is what the text and the pictures of hits are encrypted under on disk, 32
	// bytes; nil: they are not.
	Key []byte `toml:"-"`

	// Now is the clock. Default [time.Now]. Ages within a run are certain only
	// if its times carry a monotonic reading.
	Now func() time.Time `toml:"-"`
	// Commit carries out a transaction: tests put a full or failing disk here.
	Commit func(db *bolt.DB, f func(*bolt.Tx) error) error `toml:"-"`
}

// Limit bounds the pending hits of one priority.
type Limit struct {
	Priority int           `toml:"priority"`               // 1 is the most urgent
	MaxBytes int64         `toml:"max_bytes" unit:"bytes"` // of their records; 0: only [Settings.MaxBytes]
	MaxAge   time.Duration `toml:"max_age"`                // older ones expire; 0: [Settings.MaxAge]
}

// Default returns the settings that the configuration file starts from.
func Default() Settings {
	return Settings{MaxBytes: 64 << 20, MaxAge: 30 * 24 * time.Hour, Retention: 30 * 24 * time.Hour, Settle: 2 * time.Second, MaxMemory: 8 << 20}
}

const (
	kib, mib, gib = 1 << 10, 1 << 20, 1 << 30

	longestAge = 10 * 365 * 24 * time.Hour
)

// Problems yields what the configuration file may not set, by its key.
func (s Settings) Problems() iter.Seq2[string, error] {
	return failure.Problems(func(add failure.Add) {
		add.Size("max_bytes", s.MaxBytes, mib, 64*gib)
		add.Duration("max_age", s.MaxAge, time.Minute, longestAge)
		add.Duration("retention", s.Retention, time.Minute, longestAge)
		if s.Settle != 0 {
			add.Duration("settle", s.Settle, 100*time.Millisecond, 10*time.Second)
		}
		add.Size("max_memory", s.MaxMemory, 64*kib, gib)
		seen := map[int]bool{}
		for i, l := range s.Limits {
			at := fmt.Sprintf("limit[%d]", i)
			add.Whole(at+".priority", l.Priority, 1, 255)
			if seen[l.Priority] {
				add(at+".priority", "write one section for each priority", "= %d is defined twice", l.Priority)
			}
			seen[l.Priority] = true
			if l.MaxBytes != 0 {
				add.Size(at+".max_bytes", l.MaxBytes, 64*kib, 64*gib)
			}
			if l.MaxAge != 0 {
				add.Duration(at+".max_age", l.MaxAge, time.Minute, longestAge)
			}
			if l.MaxBytes == 0 && l.MaxAge == 0 {
				add(at, "add max_bytes or max_age, or remove it", "bounds nothing")
			}
		}
	})
}

// withDefaults fills in what was left out.
func (o Settings) withDefaults() Settings {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	defaults := Default()
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaults.MaxBytes
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = defaults.MaxMemory
	}
	if o.MaxAge <= 0 {
		o.MaxAge = defaults.MaxAge
	}
	if o.Retention <= 0 {
		o.Retention = defaults.Retention
	}
	if o.HistoricalAfter <= 0 {
		o.HistoricalAfter = 30 * time.Second
	}
	if o.ClockSet == nil {
		o.ClockSet = func() bool { return false }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Commit == nil {
		o.Commit = func(db *bolt.DB, f func(*bolt.Tx) error) error { return db.Update(f) }
	}
	if o.MaintainEvery <= 0 {
		o.MaintainEvery = retryDisk
	}
	def(&o.MaxEntries, 20_000)
	def(&o.MaxPlatePicture, message.MaxPlateBytes)
	def(&o.MaxContextPicture, message.MaxContextBytes)
	def(&o.MaxMessage, 64<<10)
	o.MaxMessage = min(o.MaxMessage, journal.MaxBody)
	if o.LockTimeout <= 0 {
		o.LockTimeout = time.Second
	}
	return o
}

// file is how the outbox's file is opened.
func (o *Outbox) file(readOnly bool) journal.OpenOptions {
	return journal.OpenOptions{ReadOnly: readOnly, LockTimeout: o.opts.LockTimeout, MaxBytes: o.opts.MaxBytes, Sealer: o.sealer}
}

// limit is what holds for hits of this urgency.
func (o *Settings) limit(urgency uint8) Limit {
	l := Limit{Priority: int(urgency)}
	for _, given := range o.Limits {
		if given.Priority == l.Priority {
			l = given
		}
	}
	if l.MaxAge <= 0 {
		l.MaxAge = o.MaxAge
	}
	return l
}
