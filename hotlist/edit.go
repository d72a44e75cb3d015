package hotlist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/internal/listfile"
)

// Actor tells who changes a hotlist by hand, and why, for the audit trail.
type Actor struct {
	Operator string
	Reason   string
	Case     string // number of the case or incident; demanded of look-ups and exports
}

// EditReport is the result of an edit.
type EditReport struct {
	List    entry.List `json:"list"`
	Added   int        `json:"added"`
	Removed int        `json:"removed"`
}

// Add adds an entry to a list by hand, or replaces the one with the same plate, state,
// plate type, category and record. It makes a list that does not exist. The columns
// are those of an import, by field name (see [importer.Fields]).
func (db *DB) Add(ctx context.Context, list string, columns map[string]string, by Actor) (EditReport, error) {
	if err := entry.CheckListName(list); err != nil {
		return EditReport{}, &entry.Error{Op: "add", Path: db.dir, Err: err, Advice: entry.ListNameAdvice}
	}
	e, err := importer.ParseEntry(columns)
	if err != nil {
		return EditReport{}, &entry.Error{Op: "add", Path: list, Err: fmt.Errorf("%w: %w", entry.ErrRefused, err), Advice: "correct it; the list is unchanged"}
	}
	if err := db.o.Purpose.Check(map[string]int{e.Category: 1}); err != nil {
		return EditReport{}, &entry.Error{Op: "add", Path: list, Err: err, Advice: purposeAdvice}
	}
	return db.edit(ctx, "add", list, by, audit.Record{Kind: audit.Add, Category: e.Category, Record: e.Record}, e.Plate,
		func(im *rebuild, to *listfile.Sorter) error {
			return to.Add(im.sortKey(&e, 1), listfile.AppendPayload(nil, &e))
		})
}

// RemovePlate removes the entries with a plate, or pattern, from a list by hand.
func (db *DB) RemovePlate(ctx context.Context, list, plate string, by Actor) (EditReport, error) {
	var normal string
	if entry.IsPattern(plate) {
		var err error
		if normal, err = entry.NormalizePattern(plate); err != nil {
			return EditReport{}, &entry.Error{Op: "remove", Path: list, Err: fmt.Errorf("%s: %w", entry.Quote(plate), err)}
		}
	} else {
		normal = entry.Normalize(plate)
	}
	l, err := db.retain(list)
	if err != nil {
		return EditReport{}, err
	}
	defer l.Release()
	var found []entry.Entry
	err = l.Each(ctx, func(e entry.Entry, _ []byte) bool {
		if e.Plate == normal {
			found = append(found, e)
		}
		return true
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("list %s has no entry %s: %w", list, normal, fs.ErrNotExist)
	}
	if err != nil {
		return EditReport{}, &entry.Error{Op: "remove", Path: l.Path, Err: err, Advice: folder.Advice(err)}
	}
	return db.edit(ctx, "remove", list, by, audit.Record{Kind: audit.Remove}, normal, func(im *rebuild, to *listfile.Sorter) error {
		for i := range found {
			if err := to.Add(im.sortKey(&found[i], i+1), markRemoved); err != nil {
				return err
			}
		}
		return nil
	})
}

// edit changes a list by the records that fill gives to the sorter, and records r.
func (db *DB) edit(ctx context.Context, op, list string, by Actor, r audit.Record, plate string, fill func(*rebuild, *listfile.Sorter) error) (EditReport, error) {
	fail := func(err error, advice string) (EditReport, error) {
		return EditReport{}, &entry.Error{Op: op, Path: db.dir, Err: err, Advice: advice}
	}
	switch {
	case db.readOnly:
		return fail(entry.ErrReadOnly, "")
	case by.Operator == "" || by.Reason == "":
		return fail(entry.OptionErrorf("a change by hand needs an operator and a reason"), "")
	}
	key, err := folder.OpenKey(db.dir, db.o.KeyFile, true)
	if err != nil {
		return fail(err, folder.Advice(err))
	}
	unlock, err := folder.Lock(ctx, db.dir, folder.LockWait)
	if err != nil {
		return fail(err, "wait until the import that runs is done")
	}
	defer unlock()
	version := "edited " + time.Now().UTC().Format("20060102T150405Z")
	im := &rebuild{dir: db.dir, hotlistKey: key, keys: listfile.NewKeys(key, listfile.NewSalt()), began: time.Now(), delta: true,
		o: ImportOptions{List: list, Version: version, Options: importer.Options{Source: "by hand"}, AllowEmpty: true, LockWait: folder.LockWait}}
	report, err := im.run(ctx, func(_ context.Context, to *listfile.Sorter) error { return fill(im, to) }, nil)
	if err != nil {
		var typed *entry.Error
		if errors.As(err, &typed) {
			return EditReport{}, err
		}
		return fail(err, "the list in use is unchanged")
	}
	t := audit.New(db.dir, key)
	r.Operator, r.Reason, r.List, r.Version = by.Operator, by.Reason, list, version
	r.Plate, r.Added, r.Removed, r.Entries = t.Token(plate), report.Added, report.Removed, report.List.Entries
	if err := t.Append(ctx, r); err != nil {
		return EditReport{}, err
	}
	_, err = db.refreshLocked(ctx)
	return EditReport{List: report.List, Added: report.Added, Removed: report.Removed}, err
}

// Trail returns the hotlist's audit trail.
func (db *DB) Trail() (*audit.Trail, error) {
	key, err := db.key()
	if err != nil {
		return nil, &entry.Error{Op: "audit", Path: db.dir, Err: err, Advice: folder.Advice(err)}
	}
	return audit.New(db.dir, key), nil
}

// recordImport records an import or an update.
func recordImport(ctx context.Context, dir string, key folder.Key, r audit.Record, report *ImportReport) error {
	l := &report.List
	r.List, r.Version, r.Source, r.Entries, r.Added, r.Removed = l.Name, l.Version, l.Source, l.Entries, report.Added, report.Removed
	if l.Signed != nil {
		r.Signer, r.Version = l.Signed.Signer+" "+l.Signed.Key, strconv.FormatUint(l.Signed.Version, 10)
	}
	return audit.New(dir, key).Append(ctx, r)
}
