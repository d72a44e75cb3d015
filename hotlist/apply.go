package hotlist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/internal/listfile"
	"platewatch/hotlist/signed"
)

// Update is a signed manifest and what applying it takes here.
type Update struct {
	Manifest signed.Manifest
	Key      signed.TrustedKey
	// Held: this version is in use already; there is nothing to do.
	Held bool
	// Parts are those that [DB.Apply] will ask for, in this order: of a delta
	// from what is in use, or, if there is none, of the whole list.
	Parts []signed.Part
	// Delta is the one that Parts are of, nil for the whole list.
	Delta *signed.Delta
}

// ApplyReport tells what an update did.
type ApplyReport struct {
	ImportReport
	Signed entry.Signed `json:"signed"`
	// Held: the version was in use already, and nothing was done.
	Held bool `json:"held,omitempty"`
	// Full: the whole list came, and not a delta.
	Full bool `json:"full"`
}

// Examine verifies a manifest and tells what applying it takes, without
// applying it. list is the list that it should be for (the one in the topic
// that it came by), or empty. Errors wrap [ErrForged], [ErrRollback] or
// [ErrRefused]; they are not recorded.
func (db *DB) Examine(list string, manifest []byte) (Update, error) {
	key, err := db.key()
	if errors.Is(err, fs.ErrNotExist) { // nothing was ever imported
		key, err = folder.OpenKey(db.dir, db.o.KeyFile, !db.readOnly)
	}
	if err != nil {
		return Update{}, &entry.Error{Op: "apply", Path: db.dir, Err: err, Advice: folder.Advice(err)}
	}
	u, err := db.examine(list, manifest, key)
	if err != nil {
		return u, db.applyError(list, err)
	}
	return u, nil
}

func (db *DB) examine(list string, manifest []byte, key folder.Key) (Update, error) {
	m, signer, err := signed.VerifyManifest(manifest, db.o.Trust)
	if err != nil {
		return Update{}, err
	}
	u := Update{Manifest: m, Key: signer, Parts: m.Full}
	if list != "" && m.List != list {
		return u, fmt.Errorf("%w: it is the list %s, and came as %s", entry.ErrForged, m.List, list)
	}
	var current *entry.List
	if l, err := db.retain(m.List); err == nil {
		current = &l.List
		l.Release()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return u, err
	}
	trusted, err := readTrust(db.dir, m.List, key)
	if err != nil {
		if !errors.Is(err, entry.ErrDamaged) {
			return u, err
		}
		db.log.Error("what was remembered of a signed list is damaged; the version in use counts", "list", m.List)
	}
	floor, digest := trusted.Version, trusted.Digest
	if current != nil && current.Signed != nil && current.Signed.Version > floor {
		floor, digest = current.Signed.Version, current.Digest
	}
	switch {
	case m.Version < floor:
		return u, fmt.Errorf("%w: version %d of list %s, and %d was accepted before", entry.ErrRollback, m.Version, m.List, floor)
	case m.Version == floor && m.Digest != digest:
		return u, fmt.Errorf("%w: another version %d of list %s was accepted before", entry.ErrRollback, m.Version, m.List)
	}
	if current == nil {
		return u, nil
	}
	if current.Digest == m.Digest && current.Signed != nil && current.Signed.Version == m.Version {
		u.Held, u.Parts = true, nil
		return u, nil
	}
	if i := slices.IndexFunc(m.Deltas, func(d signed.Delta) bool { return d.Base == current.Digest }); i >= 0 {
		u.Delta, u.Parts = &m.Deltas[i], m.Deltas[i].Parts
	}
	return u, nil
}

// Apply takes over a signed version of a list: it verifies the manifest before
// it parses it, asks for the parts it needs, verifies each, builds the list
// beside the one in use, compares the whole with the digest that was signed,
// and swaps it in. If anything is wrong the list in use stays, and the refusal
// is recorded for [DB.States] and in the audit trail.
//
// list is the list that the manifest should be for, or empty. Applying what is
// in use already does nothing and is no error, so a retained message may come
// again and again.
func (db *DB) Apply(ctx context.Context, list string, manifest []byte, parts signed.PartSource) (ApplyReport, error) {
	if db.readOnly {
		return ApplyReport{}, &entry.Error{Op: "apply", Path: db.dir, Err: entry.ErrReadOnly}
	}
	key, err := folder.OpenKey(db.dir, db.o.KeyFile, true)
	if err != nil {
		return ApplyReport{}, &entry.Error{Op: "apply", Path: db.dir, Err: err, Advice: folder.Advice(err)}
	}
	unlock, err := folder.Lock(ctx, db.dir, folder.LockWait)
	if err != nil {
		return ApplyReport{}, &entry.Error{Op: "apply", Path: db.dir, Err: err, Advice: folder.Advice(err)}
	}
	defer unlock()
	// What another process changed meanwhile counts.
	if _, err := db.refreshLocked(ctx); err != nil {
		return ApplyReport{}, err
	}
	u, err := db.examine(list, manifest, key)
	report := ApplyReport{Held: u.Held}
	if err == nil && !u.Held {
		report, err = db.apply(ctx, u, key, parts)
	}
	if err != nil {
		if errors.Is(err, entry.ErrRefused) {
			db.recordRefusal(ctx, cmpName(list, u.Manifest.List), u, key, err)
		}
		return report, db.applyError(cmpName(list, u.Manifest.List), err)
	}
	if u.Held {
		return report, nil
	}
	if err := recordImport(ctx, db.dir, key, audit.Record{Kind: audit.Apply}, &report.ImportReport); err != nil {
		return report, err
	}
	_, err = db.refreshLocked(ctx)
	return report, err
}

// cmpName is the list that is meant.
func cmpName(told, manifest string) string {
	if told != "" {
		return told
	}
	return manifest
}

func (db *DB) applyError(list string, err error) error {
	advice := "the list in use is unchanged"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		advice = "a part of the update is missing; " + advice
	case errors.Is(err, entry.ErrForged):
		advice = "get the update from where it is signed, and check which keys the configuration trusts; " + advice
	case errors.Is(err, entry.ErrRollback):
		advice = "sign a newer version; " + advice
	}
	path := db.dir
	if entry.CheckListName(list) == nil {
		path = folder.ListPath(db.dir, list)
	}
	return &entry.Error{Op: "apply", Path: path, Err: err, Advice: advice}
}

// apply builds and installs the list. The folder is locked.
func (db *DB) apply(ctx context.Context, u Update, key folder.Key, parts signed.PartSource) (ApplyReport, error) {
	m := &u.Manifest
	by := &entry.Signed{Version: m.Version, Key: u.Key.ID(), Signer: u.Key.Name, Created: m.Created.UTC(), Expires: m.Expires.UTC()}
	im := &rebuild{dir: db.dir, hotlistKey: key, keys: listfile.NewKeys(key, listfile.NewSalt()), began: time.Now(), signed: by, delta: u.Delta != nil,
		o: ImportOptions{List: m.List, Version: strconv.FormatUint(m.Version, 10), Options: importer.Options{Source: "signed update"}, AllowEmpty: true, LockWait: folder.LockWait}}
	fill := func(ctx context.Context, to *listfile.Sorter) error {
		for _, p := range u.Parts {
			if err := im.addPart(ctx, p, parts, m.Entries, to); err != nil {
				return err
			}
		}
		return nil
	}
	report, err := im.run(ctx, fill, func(l entry.List) error {
		if l.Digest != m.Digest || l.Entries != m.Entries {
			return fmt.Errorf("%w: the parts make %d entries that are not the %d that were signed", entry.ErrForged, l.Entries, m.Entries)
		}
		return nil
	})
	if err != nil {
		return ApplyReport{}, err
	}
	// The list knows its version itself: a power cut before this is written
	// opens no way back.
	err = writeTrust(db.dir, m.List, key, trustRecord{Version: m.Version, Digest: m.Digest, Signed: by})
	return ApplyReport{ImportReport: report, Signed: *by, Full: u.Delta == nil}, err
}

// addPart adds a part's changes to the sorter.
func (im *rebuild) addPart(ctx context.Context, p signed.Part, parts signed.PartSource, entries int, to *listfile.Sorter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := parts(ctx, p)
	if err != nil {
		return err
	}
	b, err := signed.ReadPart(r, p)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	err = signed.ReadChanges(b, func(c *signed.Change) error {
		if im.report.Lines++; im.report.Lines > entry.MaxEntries || !im.delta && im.report.Lines > entries {
			return errors.New("it has more entries than it says")
		}
		payload := markRemoved
		if c.Remove {
			if !im.delta {
				return errors.New("a whole list takes entries away")
			}
		} else {
			im.payload = listfile.AppendPayload(im.payload[:0], &c.Entry)
			payload = im.payload
		}
		im.sorted++
		return to.Add(im.sortKey(&c.Entry, im.report.Lines), payload)
	})
	if err != nil {
		return fmt.Errorf("%w: part %d: %w", entry.ErrRefused, p.N, err)
	}
	return nil
}

// recordRefusal remembers why an update was refused, once.
func (db *DB) recordRefusal(ctx context.Context, list string, u Update, key folder.Key, why error) {
	if entry.CheckListName(list) != nil {
		return
	}
	if _, err := os.Stat(trustPath(db.dir, list)); errors.Is(err, fs.ErrNotExist) {
		if states, err := db.States(time.Now(), false); err != nil || len(states) >= folder.MaxLists {
			return // names come from outside: they must not fill the disk
		}
	}
	r, err := readTrust(db.dir, list, key)
	if err != nil {
		return // it is reported as it is
	}
	n := Refusal{Version: u.Manifest.Version, Reason: why.Error(), At: time.Now().UTC().Truncate(time.Second)}
	if r.Refused != nil && r.Refused.Reason == n.Reason && r.Refused.Version == n.Version {
		return
	}
	r.Refused = &n
	record := audit.Record{Kind: audit.Refuse, List: list, Refused: n.Reason}
	if n.Version > 0 {
		record.Version, record.Signer = strconv.FormatUint(n.Version, 10), u.Key.Name+" "+u.Key.ID()
	}
	if err := audit.New(db.dir, key).Append(ctx, record); err != nil {
		db.log.Error("a refused update could not be recorded", "list", list, "err", err)
	}
	if err := writeTrust(db.dir, list, key, r); err != nil {
		db.log.Error("a refused update could not be recorded", "list", list, "err", err)
	}
}
