package outbox

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"platewatch/uplink/failure"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"
)

// Inspection is what an outbox file holds, read without changing it.
type Inspection struct {
	Unit        string    `json:"unit"`
	Entries     int       `json:"entries"`
	Bytes       int64     `json:"bytes"` // of the pending records
	FileBytes   int64     `json:"file_bytes"`
	Quarantined int       `json:"quarantined"`
	LastNumber  uint64    `json:"last_number"`
	Oldest      time.Time `json:"oldest,omitzero"` // accepted, by the unit's clock
	Pending     []Pending `json:"-"`
}

// Inspect reads an outbox file. It returns [ErrLocked] if a process has it open
// for writing. A damaged file is reported and not changed.
func Inspect(path string) (*Inspection, error) {
	fail := func(err error, advice string) (*Inspection, error) {
		return nil, &failure.Error{Op: "read the outbox", Path: path, Err: err, Advice: advice}
	}
	info, err := os.Stat(path)
	if err != nil {
		return fail(failure.WithoutPath(err), "check the path; the configuration names the outbox's file")
	}
	db, err := journal.Open(path, journal.OpenOptions{ReadOnly: true, LockTimeout: 200 * time.Millisecond})
	switch {
	case errors.Is(err, ErrLocked):
		return fail(err, "the daemon has it open while it runs: its status page shows the outbox; or stop the daemon and repeat the command")
	case errors.Is(err, ErrNewer):
		return fail(err, newerAdvice)
	case errors.Is(err, journal.ErrDamaged):
		return fail(err, "start the daemon: it salvages what is readable")
	case err != nil:
		return fail(failure.WithoutPath(err), "check that this user may read the file")
	}
	var s snapshot
	err = journal.Guard(func() error { return db.View(func(tx *bolt.Tx) error { return s.read(tx) }) })
	err = errors.Join(err, journal.Guard(db.Close))
	if err != nil {
		return fail(err, "start the daemon: it salvages what is readable")
	}
	is, err := readInstallations(path + ".installation")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(failure.WithoutPath(err), "check that this user may read the file")
	}
	in := &Inspection{
		Unit: s.unit, Entries: len(s.index), Bytes: s.bytes, FileBytes: info.Size(),
		Quarantined: len(s.quarantined), LastNumber: s.given, Pending: pendingList(func(number uint64) string {
			installation, _ := is.of(number)
			return message.FormatID(message.Origin(s.unit, installation), number)
		}, s.index),
	}
	if len(s.index) > 0 {
		in.Oldest = time.UnixMilli(s.index[0].accepted)
	}
	return in, nil
}

// Pending is one line of a list of the outbox. It has no plate text.
type Pending struct {
	ID       string    `json:"id"`
	Revision int       `json:"revision"`
	Urgency  int       `json:"urgency"`  // 1 is the most urgent
	Accepted time.Time `json:"accepted"` // by the unit's clock
	Bytes    int64     `json:"bytes"`
	Pictures bool      `json:"pictures"`
}

func pendingList(id func(number uint64) string, index []slot) []Pending {
	list := make([]Pending, len(index))
	for i, s := range index {
		list[i] = Pending{
			ID: id(s.number), Revision: int(s.revision), Urgency: int(s.urgency),
			Accepted: time.UnixMilli(s.accepted), Bytes: s.size + s.pictures, Pictures: s.pictures > 0,
		}
	}
	return list
}
