package outbox

import (
	"errors"

	"platewatch/uplink/outbox/internal/journal"
)

var (
	// ErrFull: the outbox is at its bound and every pending hit is more urgent
	// than the new one, which is rejected. Counted in
	// [message.OutboxHealth.DroppedEntries].
	ErrFull = errors.New("the outbox is full of more urgent hits")
	// ErrTooLarge: the message exceeds its bound even without pictures.
	ErrTooLarge = errors.New("the message is too large even without pictures")
	// ErrUnknownID: an update names an id that this outbox did not give out,
	// or that was dropped or delivered too long ago.
	ErrUnknownID = errors.New("no pending or recently delivered hit has this id")
	// ErrLocked: another process, usually the daemon, has the outbox open.
	ErrLocked = journal.ErrLocked
	// ErrNewer: a later version of this program wrote the outbox.
	ErrNewer = journal.ErrNewer
	// ErrClosed: the outbox was closed.
	ErrClosed = errors.New("the outbox is closed")
)
