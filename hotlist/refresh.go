package hotlist

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/internal/listfile"
	"platewatch/hotlist/match"
	"platewatch/hotlist/signed"
)

// scrubEvery is the interval at which [DB.Watch] reads all lists again, to notice a
// medium that loses data.
const scrubEvery = 24 * time.Hour

// Watch opens list files that are new in the directory, drops removed ones and
// replaces damaged ones, at the given interval (a second is cheap), and reads all
// lists again once a day, until ctx is done or the DB is closed. After each time it
// calls refreshed with whether any list changed. It logs a failure when it begins.
func (db *DB) Watch(ctx context.Context, every time.Duration, refreshed func(changed bool)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	scrub := time.NewTicker(scrubEvery)
	defer scrub.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-scrub.C:
			if err := db.checkAll(ctx); err != nil && ctx.Err() == nil {
				db.log.Error("list damaged", "error", err)
			}
		case <-tick.C:
		}
		changed, err := db.reload(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, entry.ErrClosed):
			return
		case err == nil:
			last = ""
		case err.Error() != last:
			last = err.Error()
			db.log.Error("hotlist directory unreadable, lists unchanged", "error", err)
		}
		db.flushRefusals(ctx)
		refreshed(changed)
	}
}

// reload opens the list files that are new in the directory, drops those that were
// removed, and replaces those that are damaged. It reports whether any list changed.
// Lookups continue meanwhile with the lists as they were.
//
// An error means that the directory itself could not be read; the lists are then
// unchanged. [DB.Damage] tells what is wrong with single lists.
func (db *DB) reload(ctx context.Context) (changed bool, err error) {
	db.refreshing.Lock()
	defer db.refreshing.Unlock()
	return db.refresh(ctx)
}

// refreshLocked is reload for callers that hold the directory's lock.
func (db *DB) refreshLocked(ctx context.Context) (changed bool, err error) {
	db.refreshing.Lock()
	defer db.refreshing.Unlock()
	db.locked = true
	defer func() { db.locked = false }()
	return db.refresh(ctx)
}

func (db *DB) refresh(ctx context.Context) (changed bool, err error) {
	db.mu.RLock()
	old, closed := slices.Clone(db.lists), db.closed
	db.mu.RUnlock()
	if closed {
		return false, db.errClosed("refresh")
	}
	names, err := folder.Lists(db.dir)
	if err != nil {
		return false, &entry.Error{Op: "open", Path: db.dir, Err: err,
			Advice: "name the directory of `platewatch hotlist import -db`"}
	}
	var lists []*openList
	for _, name := range names {
		var open *openList
		if i, ok := slices.BinarySearchFunc(old, name, byName); ok {
			open = old[i]
		}
		l, err := db.choose(ctx, name, open)
		if err != nil { // ctx is done
			for _, l := range lists {
				if !slices.Contains(old, l) {
					l.Release()
				}
			}
			return false, err
		}
		if l != nil {
			lists = append(lists, l)
		}
	}
	db.forget(names)
	if slices.Equal(lists, old) {
		return false, nil
	}
	return true, db.swap(lists)
}

// swap replaces the lists in use and releases those no longer used.
func (db *DB) swap(lists []*openList) error {
	db.mu.Lock()
	old := db.lists
	if db.closed {
		db.mu.Unlock()
		for _, l := range lists {
			if !slices.Contains(old, l) {
				l.Release()
			}
		}
		return db.errClosed("refresh")
	}
	db.lists = lists
	db.mu.Unlock()
	for _, l := range old {
		if !slices.Contains(lists, l) {
			l.Release()
		}
	}
	return nil
}

// choose returns the newest usable file of a list: the open one, unless there is a
// newer one or the open one is damaged. The only error is that of ctx.
func (db *DB) choose(ctx context.Context, name string, open *openList) (*openList, error) {
	for _, path := range []string{folder.ListPath(db.dir, name), folder.PreviousPath(db.dir, name)} {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && open != nil && folder.SameFile(info, open.Info) && !open.failed.Load() {
			return open, nil
		}
		var l *openList
		if err == nil {
			l, err = db.tryOpen(ctx, name, path, info, open)
		}
		if err == nil {
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		db.refuse(ctx, name, path, info, err)
		if open != nil && !open.failed.Load() && !errors.Is(err, entry.ErrDamaged) {
			return open, nil // the failure may be temporary, and the open file is good
		}
	}
	if open != nil && !open.failed.Load() {
		if _, err := os.Stat(folder.ListPath(db.dir, name)); err == nil {
			return open, nil // the newest exists but is unusable: keep the old one
		}
	}
	return nil, nil
}

// tryOpen opens a list file, unless it was refused before and is unchanged.
func (db *DB) tryOpen(ctx context.Context, name, path string, info os.FileInfo, open *openList) (*openList, error) {
	if r, ok := db.refused[path]; ok && r.info != nil && folder.SameFile(r.info, info) && isPermanent(r.err) {
		return nil, r.err
	}
	key, err := db.key()
	if err != nil {
		return nil, err
	}
	file, err := listfile.Open(ctx, path, key, lockWait)
	if err != nil {
		return nil, err
	}
	l := &openList{File: file, searcher: match.NewSearcher(file.Searchable(&db.traffic))}
	if open != nil && open.failed.Load() && folder.SameFile(info, open.Info) {
		err = l.Check(ctx) // a search met damage that the checksums of the file do not show
	}
	if err == nil && l.Name != name {
		err = errors.New("the file holds another list, " + l.Name)
	}
	if err == nil && !db.trusted(&l.List) {
		err = entry.ErrUnsigned
	}
	if err != nil {
		l.Release()
		return nil, err
	}
	l.Fallback = path == folder.PreviousPath(db.dir, name)
	delete(db.refused, path)
	db.reloads.Add(1)
	log := db.log.With("list", l.Name, "version", l.Version, "entries", l.Entries)
	if l.Fallback {
		log.Warn("previous version of the list opened, the newest is unusable")
	} else {
		log.Info("list opened")
	}
	return l, nil
}

// trusted reports whether a list may be matched.
func (db *DB) trusted(l *entry.List) bool {
	if len(db.policy.Load().Trust) == 0 || slices.Contains(db.policy.Load().Local, l.Name) {
		return true
	}
	return l.Signed != nil && slices.ContainsFunc(db.policy.Load().Trust, func(k signed.TrustedKey) bool {
		return k.ID() == l.Signed.Key && (len(k.Lists) == 0 || slices.Contains(k.Lists, l.Name))
	})
}

// isPermanent reports whether a file that was refused for err will be refused again
// unless it changes.
func isPermanent(err error) bool {
	var system *fs.PathError
	return !errors.Is(err, entry.ErrLocked) && !errors.Is(err, entry.ErrKey) && !errors.As(err, &system)
}

// refuse records and reports, once, a file that cannot be used. If it is damaged,
// refuse sets it aside, and retries that if it fails.
func (db *DB) refuse(ctx context.Context, name, path string, info os.FileInfo, err error) {
	before, known := db.refused[path]
	known = known && before.err.Error() == err.Error() && (info == nil || before.info == nil || folder.SameFile(before.info, info))
	r := refusedFile{info: info, err: err}
	var to string
	if errors.Is(err, entry.ErrDamaged) && !db.readOnly {
		var failure error
		if db.locked {
			to, failure = folder.SetAsideLocked(db.dir, path, info)
		} else {
			to, failure = folder.SetAside(ctx, db.dir, path, info, lockWait)
		}
		if failure != nil {
			r.failed = failure.Error()
			if !known || before.failed != r.failed {
				db.log.Error("damaged list not set aside", "list", name, "path", path, "error", failure)
			}
		}
	}
	db.refused[path] = r
	if known && to == "" {
		return
	}
	db.log.Error("list unusable", "list", name, "path", path, "error", err, "set_aside", to)
	d := Damage{List: name, Path: path, Err: &entry.Error{Op: "open", Path: path, Err: err, Advice: folder.Advice(err)},
		Reason: err.Error(), SetAside: to, Seen: time.Now()}
	db.mu.Lock()
	defer db.mu.Unlock()
	if known { // setting aside has succeeded now
		for i := range db.damage {
			if db.damage[i].Path == path && db.damage[i].SetAside == "" {
				db.damage[i].SetAside = to
				return
			}
		}
	}
	if len(db.damage) == maxDamage {
		db.damage = slices.Delete(db.damage, 0, 1)
	}
	db.damage = append(db.damage, d)
}

// forget drops refused files that no longer exist.
func (db *DB) forget(names []string) {
	for path := range db.refused {
		if !slices.ContainsFunc(names, func(name string) bool {
			return path == folder.ListPath(db.dir, name) || path == folder.PreviousPath(db.dir, name)
		}) {
			delete(db.refused, path)
		}
	}
}
