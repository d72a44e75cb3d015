package hotlist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

// Update is a signed manifest, and the parts needed to apply it here.
type Update struct {
	Manifest signed.Manifest
	Key      signed.TrustedKey
	// Held: this version is in use already.
	Held bool
	// Parts are those that [DB.Apply] will request, in this order: of a delta from the
	// version in use or, if there is none, of the whole list.
	Parts []signed.Part
	// Delta is the delta that Parts belong to; nil: the whole list.
	Delta *signed.Delta
}

// ApplyReport is the result of [DB.Apply].
type ApplyReport struct {
	ImportReport
	Signed entry.Signed `json:"signed"`
	// Held: the version was in use already; nothing was done.
	Held bool `json:"held,omitempty"`
	// Full: the whole list was applied, not a delta.
	Full bool `json:"full"`
}

// Examine verifies a manifest and returns the parts needed to apply it. list is the
// list that it must be for (that of the topic it arrived by); empty: any. Errors wrap
// [entry.ErrForged], [entry.ErrRollback] or [entry.ErrRefused]; they are not recorded.
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
	m, signer, err := signed.VerifyManifest(manifest, db.policy.Load().Trust)
	if err != nil {
		return Update{}, err
	}
	u := Update{Manifest: m, Key: signer, Parts: m.Full}
	if list != "" && m.List != list {
		return u, fmt.Errorf("%w: the manifest of list %s arrived as that of %s", entry.ErrForged, m.List, list)
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
		db.log.Error("trust file damaged, the version in use counts", "list", m.List)
	}
	floor, digest := trusted.Version, trusted.Digest
	if current != nil && current.Signed != nil && current.Signed.Version > floor {
		floor, digest = current.Signed.Version, current.Digest
	}
	// Older list and trust files may have been put back; the trail still knows.
	accepted, err := audit.New(db.dir, key).Accepted()
	if err != nil {
		db.log.Error("audit trail damaged, the trust file counts", "list", m.List, "error", err)
	}
	if v := accepted[m.List]; v > floor {
		floor, digest = v, m.Digest // the content of that version is not known any more
	}
	switch {
	case m.Version < floor:
		return u, fmt.Errorf("%w: list %s, version %d after %d", entry.ErrRollback, m.List, m.Version, floor)
	case m.Version == floor && m.Digest != digest:
		return u, &versionConflict{m.List, m.Version}
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

// versionConflict is an [entry.ErrRollback] by an update with the number of the
// accepted version and other content.
type versionConflict struct {
	list    string
	version uint64
}

func (e *versionConflict) Error() string {
	return fmt.Sprintf("another version %d of list %s was accepted before", e.version, e.list)
}

// Unwrap makes it an [entry.ErrRollback].
func (e *versionConflict) Unwrap() error { return entry.ErrRollback }

// Apply installs a signed version of a list: it verifies the manifest, requests the
// parts it needs, verifies each, builds the new version, compares it with the signed
// digest, and installs it. If anything is wrong, the list in use is unchanged, and the
// refusal is recorded for [DB.States] and in the audit trail.
//
// list is the list that the manifest must be for; empty: any. Applying the version in
// use does nothing and is not an error, so that a retained message may arrive again.
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
	// Another process may have changed the lists meanwhile.
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
	db.refusing.Lock()
	delete(db.refusals.latest, u.Manifest.List)
	db.refusing.Unlock()
	if err := recordImport(ctx, db.dir, key, audit.Record{Kind: audit.Apply}, &report.ImportReport); err != nil {
		return report, err
	}
	_, err = db.refreshLocked(ctx)
	return report, err
}

// cmpName returns the name of the list that an update is for.
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
		advice = "get the update from its signer, and check which keys the configuration trusts; " + advice
	case errors.Is(err, entry.ErrRollback):
		advice = "sign a newer version; " + advice
	}
	path := db.dir
	if entry.CheckListName(list) == nil {
		path = folder.ListPath(db.dir, list)
	}
	return &entry.Error{Op: "apply", Path: path, Err: err, Advice: advice}
}

// apply builds and installs the list. The caller holds the lock.
func (db *DB) apply(ctx context.Context, u Update, key folder.Key, parts signed.PartSource) (ApplyReport, error) {
	m := &u.Manifest
	by := &entry.Signed{Version: m.Version, Key: u.Key.ID(), Signer: u.Key.Name, Created: m.Created.UTC(), Expires: m.Expires.UTC()}
	im := &rebuild{dir: db.dir, hotlistKey: key, keys: listfile.NewKeys(key, listfile.NewSalt()), began: time.Now(), signed: by, delta: u.Delta != nil,
		o: ImportOptions{List: m.List, Version: strconv.FormatUint(m.Version, 10), Options: importer.Options{Source: "signed update"}, AllowEmpty: true, LockWait: folder.LockWait, Purpose: db.o.Purpose}}
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
			return fmt.Errorf("%w: the %d entries of the parts are not the %d that were signed", entry.ErrForged, l.Entries, m.Entries)
		}
		return nil
	})
	if err != nil {
		return ApplyReport{}, err
	}
	// The list file holds its version too: a power cut before this write permits no
	// rollback.
	err = writeTrust(db.dir, m.List, key, trustRecord{Version: m.Version, Digest: m.Digest, Signed: by})
	return ApplyReport{ImportReport: report, Signed: *by, Full: u.Delta == nil}, err
}

// addPart gives the changes of a part to the sorter.
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
			return errors.New("more entries than the manifest says")
		}
		payload := markRemoved
		if c.Remove {
			if !im.delta {
				return errors.New("a whole list removes entries")
			}
		} else {
			im.notePurpose(&c.Entry)
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
