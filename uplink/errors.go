package uplink

import "errors"

// Error says what the uplink could not do, to which file or address, and what
// a person can do about it. Path never contains a password.
type Error struct {
	Op     string // in one or two words: "open the outbox"
	Path   string // file, address or id; may be empty
	Err    error
	Advice string // may be empty
}

func (e *Error) Error() string {
	s := "cannot " + e.Op
	if e.Path != "" {
		s += " " + e.Path
	}
	return s + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what a person can do about it.
func (e *Error) Hint() string { return e.Advice }

var (
	// ErrFull: the outbox is at its bound and every pending hit is more
	// urgent than the new one, so the new one is the one that goes. Counted
	// in [OutboxStats.DroppedEntries].
	ErrFull = errors.New("the outbox is full of more urgent hits")
	// ErrTooLarge: the message is over its bound even without pictures.
	ErrTooLarge = errors.New("the message is too large even without pictures")
	// ErrUnknownID: an update names an id that this outbox did not give out,
	// or that was dropped or delivered too long ago.
	ErrUnknownID = errors.New("no pending or recently delivered hit has this id")
	// ErrLocked: another process, usually the daemon, has the outbox open.
	ErrLocked = errors.New("another process has it open")
	// ErrClosed: the outbox was closed.
	ErrClosed = errors.New("the outbox is closed")
	// ErrPlaintext: a broker that is not on this machine needs TLS.
	ErrPlaintext = errors.New("a broker on another machine needs TLS")

	errDamaged = errors.New("the file is damaged")
)
