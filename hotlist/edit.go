package hotlist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"
)

// Actor is who changes a hotlist by hand, and why: for the audit trail.
type Actor struct {
	Operator string
	Reason   string
}

// EditReport tells what an edit did.
type EditReport struct {
	List    List `json:"list"`
	Added   int  `json:"added"`
	Removed int  `json:"removed"`
}

// Add adds an entry to a list by hand, or replaces the one with the same plate,
// state, plate type, category and record. A list that does not exist is made.
// The columns are those of an import, by field name (see [Fields]).
func (db *DB) Add(ctx context.Context, list string, columns map[string]string, by Actor) (EditReport, error) {
	if err := CheckListName(list); err != nil {
		return EditReport{}, &Error{Op: "add", Path: db.dir, Err: err, Advice: ListNameAdvice}
	}
	e, err := ParseEntry(columns)
	if err != nil {
		return EditReport{}, &Error{Op: "add", Path: list, Err: fmt.Errorf("%w: %w", ErrRefused, err), Advice: "correct it; the list is unchanged"}
	}
	return db.edit(ctx, "add", list, by, AuditRecord{Kind: AuditAdd, Category: e.Category, Record: e.Record}, e.Plate,
		func(im *rebuild, to *sorter) error {
			return to.add(im.sortKey(&e, 1), appendPayload(nil, &e))
		})
}

// RemovePlate takes the entries with a plate, or pattern, out of a list by hand.
func (db *DB) RemovePlate(ctx context.Context, list, plate string, by Actor) (EditReport, error) {
	var normal string
	if IsPattern(plate) {
		var err error
		if normal, err = NormalizePattern(plate); err != nil {
			return EditReport{}, &Error{Op: "remove", Path: list, Err: fmt.Errorf("%s: %w", Quote(plate), err)}
		}
	} else {
		normal = Normalize(plate)
	}
	l, err := db.retain(list)
	if err != nil {
		return EditReport{}, err
	}
	defer l.release()
	var found []Entry
	err = l.each(ctx, func(e Entry, _ []byte) bool {
		if e.Plate == normal {
			found = append(found, e)
		}
		return true
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("list %s has no entry %s: %w", list, normal, fs.ErrNotExist)
	}
	if err != nil {
		return EditReport{}, &Error{Op: "remove", Path: l.path, Err: err, Advice: adviceFor(err)}
	}
	return db.edit(ctx, "remove", list, by, AuditRecord{Kind: AuditRemove}, normal, func(im *rebuild, to *sorter) error {
		for i := range found {
			if err := to.add(im.sortKey(&found[i], i+1), markRemoved); err != nil {
				return err
			}
		}
		return nil
	})
}

// edit changes a list by what fill gives the sorter.
func (db *DB) edit(ctx context.Context, op, list string, by Actor, r AuditRecord, plate string, fill func(*rebuild, *sorter) error) (EditReport, error) {
	fail := func(err error, advice string) (EditReport, error) {
		return EditReport{}, &Error{Op: op, Path: db.dir, Err: err, Advice: advice}
	}
	switch {
	case db.readOnly:
		return fail(ErrReadOnly, "")
	case by.Operator == "" || by.Reason == "":
		return fail(OptionErrorf("a change by hand needs the name of who makes it, and a reason"), "")
	}
	key, err := folderKey(db.dir, db.o.KeyFile, true)
	if err != nil {
		return fail(err, adviceFor(err))
	}
	unlock, err := lockFolder(ctx, db.dir, LockWait)
	if err != nil {
		return fail(err, "wait until the import that runs is done")
	}
	defer unlock()
	version := "edited " + time.Now().UTC().Format("20060102T150405Z")
	im := &rebuild{dir: db.dir, hotlistKey: key, keys: newFileKeys(key, freshSalt()), began: time.Now(), delta: true,
		o: ImportOptions{List: list, Version: version, ReadOptions: ReadOptions{Source: "by hand"}, AllowEmpty: true, LockWait: LockWait}}
	report, err := im.run(ctx, func(_ context.Context, to *sorter) error { return fill(im, to) }, nil)
	if err != nil {
		var typed *Error
		if errors.As(err, &typed) {
			return EditReport{}, err
		}
		return fail(err, "the list in use is unchanged")
	}
	t := NewTrail(db.dir, key)
	r.Operator, r.Reason, r.List, r.Version = by.Operator, by.Reason, list, version
	r.Plate, r.Added, r.Removed, r.Entries = t.Token(plate), report.Added, report.Removed, report.List.Entries
	if err := t.Append(ctx, r); err != nil {
		return EditReport{}, err
	}
	_, err = db.refreshLocked(ctx)
	return EditReport{List: report.List, Added: report.Added, Removed: report.Removed}, err
}

// Trail returns the hotlist's audit trail.
func (db *DB) Trail() (*Trail, error) {
	key, err := db.key()
	if err != nil {
		return nil, &Error{Op: "audit", Path: db.dir, Err: err, Advice: adviceFor(err)}
	}
	return NewTrail(db.dir, key), nil
}

// recordImport records what an import or an update did.
func recordImport(ctx context.Context, dir string, key Key, r AuditRecord, report *ImportReport) error {
	l := &report.List
	r.List, r.Version, r.Source, r.Entries, r.Added, r.Removed = l.Name, l.Version, l.Source, l.Entries, report.Added, report.Removed
	if l.Signed != nil {
		r.Signer, r.Version = l.Signed.Signer+" "+l.Signed.Key, strconv.FormatUint(l.Signed.Version, 10)
	}
	return NewTrail(dir, key).Append(ctx, r)
}
