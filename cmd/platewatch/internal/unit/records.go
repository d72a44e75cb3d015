package unit

import (
	"context"

	"platewatch/hotlist/audit"
)

// maxUnrecorded is how many hits may wait for the audit trail. An append waits for the
// disk and for other processes that write to the trail, so it is not made in the way of
// frames. At the bound, which a disk has to hang for, the camera's pipeline appends its
// hit itself, as nothing is done without a record; records of hits that wait are lost
// in a power cut, the hits are not.
const maxUnrecorded = 256

// record hands the records of a hit on to [Unit.keepRecords].
func (u *Unit) record(records []audit.Record) {
	select {
	case u.unrecorded <- records:
	default:
		u.appendRecords(records)
	}
}

// keepRecords appends the records of hits to the audit trail until ctx is done.
func (u *Unit) keepRecords(ctx context.Context) error {
	for {
		select {
		case records := <-u.unrecorded:
			u.appendRecords(append(records, u.waitingRecords()...))
		case <-ctx.Done():
			return nil // Close appends the rest
		}
	}
}

// waitingRecords takes the records that wait.
func (u *Unit) waitingRecords() (all []audit.Record) {
	for {
		select {
		case records := <-u.unrecorded:
			all = append(all, records...)
		default:
			return all
		}
	}
}

// appendRecords appends records of hits. The hits are in the outbox already and are
// delivered even if this fails.
func (u *Unit) appendRecords(records []audit.Record) {
	if len(records) == 0 {
		return
	}
	if err := u.trail.Append(context.Background(), records...); err != nil {
		u.log.Error("hits not recorded in the audit trail", "first", records[0].Hit, "records", len(records), "error", err)
	}
}
