package hotlist

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

// A client that may publish manifests can have many of them refused each second. So the
// trail gets the first refusal of a kind at once, and after that one record a minute
// with their number; once a day has had refusalsADay such records, one an hour. That is
// at most 102 records a day: of the 64 MiB that the trail keeps, three years of an
// attack fill 28 MiB.
const (
	refusalEvery = time.Minute
	refusalSlow  = time.Hour
	refusalsADay = 30
)

// refusals counts refused updates between two records of them.
type refusals struct {
	kinds map[error]*refusalCount
	// latest is the last refusal of each list, which is reported at once, and is in the
	// list's trust file once it is recorded.
	latest map[string]Refusal
	day    time.Time        // when the count of a day began
	today  int              // records since then
	now    func() time.Time // tests put another clock here; nil: time.Now
}

// refusalCount is what was refused for one kind of reason.
type refusalCount struct {
	recorded time.Time // the last record
	pending  int       // refused since then
	last     audit.Record
}

// kindOfRefusal is the kind of reason.
func kindOfRefusal(err error) error {
	for _, kind := range []error{entry.ErrForged, entry.ErrRollback} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return entry.ErrRefused
}

// add takes a refusal and reports whether it is to be recorded now; r then stands for
// all since the last record.
func (rs *refusals) add(kind error, r *audit.Record) bool {
	c := rs.kinds[kind]
	if c == nil {
		c = &refusalCount{}
		if rs.kinds == nil {
			rs.kinds = map[error]*refusalCount{}
		}
		rs.kinds[kind] = c
	}
	c.pending++
	c.last = *r
	return rs.due(c, r)
}

// due reports whether a record is to be written now, and fills it in.
func (rs *refusals) due(c *refusalCount, r *audit.Record) bool {
	now := rs.now
	if now == nil {
		now = time.Now
	}
	since := func(at time.Time) time.Duration { return now().Sub(at) }
	every := refusalEvery
	if rs.day.IsZero() || since(rs.day) >= 24*time.Hour {
		rs.day, rs.today = now(), 0
	}
	if rs.today >= refusalsADay {
		every = refusalSlow
	}
	if c.pending == 0 || !c.recorded.IsZero() && since(c.recorded) < every {
		return false
	}
	*r = c.last
	if c.pending > 1 {
		r.Times = c.pending
	}
	c.pending, c.recorded = 0, now()
	rs.today++
	return true
}

// overdue returns the records of refusals that were counted and not recorded yet.
func (rs *refusals) overdue() (records []audit.Record) {
	for _, c := range rs.kinds {
		var r audit.Record
		if rs.due(c, &r) {
			records = append(records, r)
		}
	}
	return records
}

// recordRefusal records why an update was refused: see [refusals]. The caller holds
// the directory's lock.
func (db *DB) recordRefusal(ctx context.Context, list string, u Update, key folder.Key, why error) {
	if entry.CheckListName(list) != nil {
		return
	}
	if _, err := os.Stat(trustPath(db.dir, list)); errors.Is(err, fs.ErrNotExist) {
		if states, err := db.States(time.Now(), false); err != nil || len(states) >= folder.MaxLists {
			return // names come from outside and must not fill the disk
		}
	}
	trust, err := readTrust(db.dir, list, key)
	if err != nil {
		return // the damage itself is reported
	}
	n := Refusal{Version: u.Manifest.Version, Reason: why.Error(), At: time.Now().UTC().Truncate(time.Second)}
	db.refusing.Lock()
	last, again := db.refusals.latest[list]
	db.refusing.Unlock()
	if trust.Refused != nil && !again {
		last, again = *trust.Refused, true
	}
	if again && last.Reason == n.Reason && last.Version == n.Version {
		return
	}
	record := audit.Record{Kind: audit.Refuse, List: list, Refused: n.Reason}
	if n.Version > 0 {
		record.Version, record.Signer = strconv.FormatUint(n.Version, 10), u.Key.Name+" "+u.Key.ID()
	}
	db.refusing.Lock()
	if db.refusals.latest == nil {
		db.refusals.latest = map[string]Refusal{}
	}
	db.refusals.latest[list] = n
	now := db.refusals.add(kindOfRefusal(why), &record)
	db.refusing.Unlock()
	if !now {
		return
	}
	trust.Refused = &n
	if err := audit.New(db.dir, key).Append(ctx, record); err != nil {
		db.log.Error("refused update not recorded", "list", list, "error", err)
	}
	if err := writeTrust(db.dir, list, key, trust); err != nil {
		db.log.Error("refused update not recorded", "list", list, "error", err)
	}
}

// flushRefusals records refusals that were only counted until now.
func (db *DB) flushRefusals(ctx context.Context) {
	if db.readOnly {
		return
	}
	db.refusing.Lock()
	records := db.refusals.overdue()
	db.refusing.Unlock()
	if len(records) == 0 {
		return
	}
	trail, err := db.Trail()
	if err == nil {
		err = trail.Append(ctx, records...)
	}
	if err != nil {
		db.log.Error("refused updates not recorded", "error", err)
	}
}
