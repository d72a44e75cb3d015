package outbox

import (
	"time"

	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"
)

// Settings are the outbox's bounds. Zero values take the defaults.
//
// At a bound, pictures go before hits, and in both cases those of the least
// urgent and among them the oldest go first, each counted. A new hit that is
// less urgent than every pending one is itself the one that goes: Accept then
// returns [ErrFull].
type Settings struct {
	MaxBytes   int64 // of all records together; default 64 MiB. The file can be about twice that.
	MaxEntries int   // default 20,000: 8 hours of a hit every two seconds, and some
	// MaxAge is how long a hit may wait. Default 30 days. Only a certain age
	// counts: time on the monotonic clock, or on a wall clock that was set from
	// a time source both then and now.
	MaxAge time.Duration
	Limits map[int]Limit // by priority (1 is the most urgent), within the bounds of all

	// MaxMemory bounds what is kept in memory while the disk takes no writes.
	// Default 8 MiB.
	MaxMemory int64

	// HistoricalAfter is the age at which a hit counts as delivered late.
	// Until then it is live, and live hits go first. Default 30 s.
	HistoricalAfter time.Duration

	// ClockSet tells whether the wall clock is set from a time source; nil: it
	// is not believed.
	ClockSet func() bool

	// A larger picture is left out of its hit and counted. Defaults 48 KiB
	// and 160 KiB: with base64 a message stays below 300 KiB.
	MaxPlatePicture   int
	MaxContextPicture int
	// MaxMessage bounds a hit without its pictures, as JSON. A larger one is
	// refused with [ErrTooLarge]. Default 64 KiB.
	MaxMessage int

	// Now is the clock; default [time.Now]. What is read from it must carry a
	// monotonic reading for ages to be certain.
	Now func() time.Time
	// Commit carries out a transaction: tests put a full or failing disk here.
	Commit func(db *bolt.DB, f func(*bolt.Tx) error) error
	// MaintainEvery is how often a failing disk is retried and hits over their
	// age are dropped. Default 5 s.
	MaintainEvery time.Duration

	// LockTimeout is how long to wait for another process to let go of the
	// file. Default 1 s.
	LockTimeout time.Duration
}

func (o Settings) withDefaults() Settings {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = 8 << 20
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 30 * 24 * time.Hour
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
	def(&o.MaxPlatePicture, 48<<10)
	def(&o.MaxContextPicture, 160<<10)
	def(&o.MaxMessage, 64<<10)
	o.MaxMessage = min(o.MaxMessage, journal.MaxBody)
	if o.LockTimeout <= 0 {
		o.LockTimeout = time.Second
	}
	return o
}

// file is how the outbox's file is opened.
func (o *Settings) file(readOnly bool) journal.OpenOptions {
	return journal.OpenOptions{ReadOnly: readOnly, LockTimeout: o.LockTimeout, MaxBytes: o.MaxBytes}
}
