package hotlist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/internal/listfile"
	"platewatch/hotlist/match"
	"platewatch/hotlist/signed"
)

// DB is an open hotlist directory. Its methods may be called concurrently.
type DB struct {
	dir      string
	readOnly bool
	o        Options
	policy   atomic.Pointer[Options] // Trust, Local and RulesOf, which [DB.Configure] replaces
	log      *slog.Logger

	confusions *match.Confusions
	traffic    match.Traffic // of all readings that were looked up
	readings   sync.Pool     // *Reading: one is large, and most look-ups find nothing

	refreshing sync.Mutex // one reload at a time
	refused    map[string]refusedFile
	locked     bool // the caller of reload holds the directory's lock

	mu     sync.RWMutex // guards the fields below; held while lists are searched
	lists  []*openList  // by name
	damage []Damage
	closed bool

	refusing sync.Mutex
	refusals refusals

	lookups, matched, failures, reloads atomic.Uint64
}

// openList is a list in use.
type openList struct {
	*listfile.File
	searcher *match.Searcher
	failed   atomic.Bool // a search met damage
}

// refusedFile is a file that could not be used. It is remembered so that it is not
// read and reported again with every refresh.
type refusedFile struct {
	info   os.FileInfo
	err    error
	failed string // why setting it aside failed
}

// Damage is a list file that could not be used.
type Damage struct {
	List string `json:"list"`
	Path string `json:"path"`
	Err  error  `json:"-"`
	// Reason is the text of Err, without operation and path.
	Reason string `json:"reason"`
	// SetAside is the file's new name; empty if it stayed where it was (see Err), or
	// was deleted because enough damaged files are kept already.
	SetAside string    `json:"set_aside,omitempty"`
	Seen     time.Time `json:"seen"`
}

const (
	// maxDamage bounds what Damage returns; the oldest are dropped first.
	maxDamage = 64
	lockWait  = 2 * time.Second
)

// Options say how a hotlist is opened: see [Settings.Options].
type Options struct {
	// KeyFile holds the key that the lists are stored under (see [WriteKey]). Empty:
	// the file "key" in the directory.
	KeyFile string
	// Trust are the keys whose signatures are accepted. If there are any, lists that
	// none of them signed are not matched, except for Local.
	Trust []signed.TrustedKey
	// Local names lists that are imported on this machine and need no signature.
	Local []string
	// Purpose limits the categories that are matched: a list or an update with others is
	// refused, and what is left of them in a list from before is not matched.
	Purpose entry.Purpose
	// RulesOf returns how a list of a given name and size is matched. Nil:
	// [match.DefaultRules].
	RulesOf func(name string, entries int) match.Rules
	// Confusions of the reader. Default: [match.DefaultConfusions].
	Confusions *match.Confusions
	// Log. Default: none.
	Log *slog.Logger
}

// Open opens the hotlist in directory dir to match and to change it. It makes the
// directory and its parents if they do not exist. It sets damaged lists aside and
// opens the others: see [DB.Damage].
//
// Opening reads the whole file of every list once.
func Open(dir string, o Options) (*DB, error) {
	if err := folder.Make(dir); err != nil {
		return nil, &entry.Error{Op: "open", Path: dir, Err: err, Advice: folder.MakeAdvice}
	}
	return open(dir, false, o)
}

// OpenReadOnly opens the hotlist in directory dir to match only. It changes nothing
// on disk, fails with [fs.ErrNotExist] if there is no directory, and works while a
// daemon has the hotlist open.
func OpenReadOnly(dir string, o Options) (*DB, error) {
	return open(dir, true, o)
}

func open(dir string, readOnly bool, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Confusions == nil {
		o.Confusions = match.DefaultConfusions()
	}
	db := &DB{dir: dir, readOnly: readOnly, o: o, log: o.Log.With("hotlist", dir), refused: map[string]refusedFile{},
		confusions: o.Confusions, readings: sync.Pool{New: func() any { return new(match.Reading) }}}
	db.policy.Store(&o)
	if _, err := db.reload(context.Background()); err != nil {
		return nil, err
	}
	return db, nil
}

// Configure replaces Trust, Local and RulesOf of an open hotlist. Lists that are not
// trusted any more are dropped at once, and those that are now are opened.
func (db *DB) Configure(ctx context.Context, o Options) error {
	db.refreshing.Lock()
	defer db.refreshing.Unlock()
	db.policy.Store(&o)
	db.refused = map[string]refusedFile{} // for another reason, perhaps
	db.mu.RLock()
	kept := slices.DeleteFunc(slices.Clone(db.lists), func(l *openList) bool { return !db.trusted(&l.List) })
	db.mu.RUnlock()
	if err := db.swap(kept); err != nil {
		return err
	}
	_, err := db.refresh(ctx)
	return err
}

// WriteKey writes a new random key, to store lists under, into a new file that only
// its owner may read. It does not replace a file: [fs.ErrExist].
func WriteKey(path string) error { return folder.NewKey().WriteFile(path) }

// key reads the key of the hotlist. It is read each time a file is opened, because it
// may arrive or be corrected while the daemon runs.
func (db *DB) key() (folder.Key, error) { return folder.OpenKey(db.dir, db.o.KeyFile, false) }

// DeriveKey returns a key of 32 bytes for another purpose, derived from the key that
// the lists are stored under, which is made if there is none yet. It is as safe, and
// as lost, as that one.
func (db *DB) DeriveKey(purpose string) ([]byte, error) {
	key, err := folder.OpenKey(db.dir, db.o.KeyFile, true)
	if err != nil {
		return nil, &entry.Error{Op: "derive a key in", Path: db.dir, Err: err, Advice: folder.Advice(err)}
	}
	return key.Derive(nil, purpose), nil
}

// Close closes the hotlist. Running iterators keep the file of their list open until
// they end.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	for _, l := range db.lists {
		l.Release()
	}
	db.lists = nil
	return nil
}

// Remove deletes a list with its previous version, and records that. Running daemons
// notice it.
func (db *DB) Remove(ctx context.Context, name string, by Actor) error {
	fail := func(err error, advice string) error {
		return &entry.Error{Op: "remove", Path: db.dir, Err: err, Advice: advice}
	}
	if db.readOnly {
		return fail(entry.ErrReadOnly, "")
	}
	if err := entry.CheckListName(name); err != nil {
		return fail(err, entry.ListNameAdvice)
	}
	unlock, err := folder.Lock(ctx, db.dir, folder.LockWait)
	if err != nil {
		return fail(err, "wait until the running import has finished")
	}
	// The previous version is removed first: a power cut in between leaves the list.
	previous := os.Remove(folder.PreviousPath(db.dir, name))
	current := os.Remove(folder.ListPath(db.dir, name))
	syncErr := folder.Sync(db.dir)
	unlock()
	switch {
	case errors.Is(previous, fs.ErrNotExist) && errors.Is(current, fs.ErrNotExist):
		return fail(fmt.Errorf("there is no list %q: %w", name, fs.ErrNotExist), "`platewatch hotlist list` shows the lists")
	case previous != nil && !errors.Is(previous, fs.ErrNotExist):
		return fail(previous, "")
	case current != nil && !errors.Is(current, fs.ErrNotExist):
		return fail(current, "")
	case syncErr != nil:
		return fail(syncErr, "")
	}
	trail, err := db.Trail()
	if err == nil {
		err = trail.Append(ctx, audit.Record{Kind: audit.Remove, List: name, Operator: by.Operator, Reason: by.Reason})
	}
	if errors.Is(err, entry.ErrKey) {
		err = nil // a list whose key is lost can be removed; its trail cannot be written
	}
	_, failed := db.reload(ctx)
	return errors.Join(err, failed)
}

// Lists returns the lists that are matched, sorted by name.
func (db *DB) Lists() ([]entry.List, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, db.errClosed("list")
	}
	lists := make([]entry.List, len(db.lists))
	for i, l := range db.lists {
		lists[i] = l.List
	}
	return lists, nil
}

func (db *DB) errClosed(op string) error {
	return &entry.Error{Op: op, Path: db.dir, Err: entry.ErrClosed}
}

// Entries iterates over the entries of a list, sorted by plate. An error is the last
// pair: the list does not exist ([fs.ErrNotExist]) or is damaged. If the list is
// replaced meanwhile, the iteration continues with the version that it began with.
//
// A list is stored in the order of its HMACs, so that all of it is read and sorted,
// in encrypted temporary files if it is long, before the first entry is returned.
func (db *DB) Entries(ctx context.Context, name string) iter.Seq2[entry.Entry, error] {
	return func(yield func(entry.Entry, error) bool) {
		l, err := db.retain(name)
		if err != nil {
			yield(entry.Entry{}, err)
			return
		}
		defer l.Release()
		err = l.Sorted(ctx, func(e entry.Entry) error {
			if !yield(e, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(entry.Entry{}, &entry.Error{Op: "list", Path: l.Path, Err: err, Advice: folder.Advice(err)})
		}
	}
}

var errStopped = errors.New("stopped")

func (db *DB) retain(name string) (*openList, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, db.errClosed("list")
	}
	for _, l := range db.lists {
		if l.Name == name {
			l.Retain()
			return l, nil
		}
	}
	return nil, &entry.Error{Op: "list", Path: db.dir, Err: fmt.Errorf("there is no list %q: %w", name, fs.ErrNotExist),
		Advice: "`platewatch hotlist list` shows the lists"}
}

// Damage returns the list files that could not be used since the hotlist was opened,
// oldest first.
func (db *DB) Damage() []Damage {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return slices.Clone(db.damage)
}

// checkAll reads every list again: the checksums of its file, every record, bbolt's
// structure. The error joins one [*entry.Error] for each damaged list. It changes
// nothing; the next [DB.Watch] replaces damaged lists.
func (db *DB) checkAll(ctx context.Context) error {
	lists, err := db.Lists()
	if err != nil {
		return err
	}
	var found []error
	for _, l := range lists {
		err := db.CheckList(ctx, l.Name)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			found = append(found, err)
		}
	}
	return errors.Join(found...)
}

// CheckList reads a list again: the checksums of its file, every record, bbolt's
// structure. It changes nothing.
func (db *DB) CheckList(ctx context.Context, name string) error {
	l, err := db.retain(name)
	if err != nil {
		return err
	}
	defer l.Release()
	err = db.recheck(ctx, l)
	if errors.Is(err, entry.ErrDamaged) {
		l.failed.Store(true)
	}
	if err != nil {
		return &entry.Error{Op: "check", Path: l.Path, Err: err, Advice: folder.Advice(err)}
	}
	return nil
}

// recheck opens the file at the path of l again and checks it.
func (db *DB) recheck(ctx context.Context, l *openList) error {
	again, err := listfile.Open(ctx, l.Path, l.Key, lockWait)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // replaced or removed meanwhile
	}
	if err != nil {
		return err
	}
	defer again.Release()
	return again.Check(ctx)
}

// Stats counts what a DB holds and did.
type Stats struct {
	Lists   int   `json:"lists"`
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"` // on disk, without previous versions
	// Lookups counts the calls of Match, Matched those with a match, Failures those
	// that met damage.
	Lookups  uint64 `json:"lookups"`
	Matched  uint64 `json:"matched"`
	Failures uint64 `json:"failures"`
	// Reloads counts the list files that were opened.
	Reloads uint64 `json:"reloads"`
	// Damaged is the number of files that [DB.Damage] returns, Fallback the number of
	// lists of which the previous version is used.
	Damaged  int `json:"damaged"`
	Fallback int `json:"fallback"`
}

// Stats returns the counters.
func (db *DB) Stats() Stats {
	db.mu.RLock()
	defer db.mu.RUnlock()
	s := Stats{Lists: len(db.lists), Lookups: db.lookups.Load(), Matched: db.matched.Load(),
		Failures: db.failures.Load(), Reloads: db.reloads.Load(), Damaged: len(db.damage)}
	for _, l := range db.lists {
		s.Entries += l.Entries
		s.Bytes += l.Bytes
		if l.Fallback {
			s.Fallback++
		}
	}
	return s
}

// SetAsideFile is a damaged file that was set aside.
type SetAsideFile struct {
	List string `json:"list"`
	Path string `json:"path"`
}

// SetAsideFiles returns the damaged files that are still in the directory. They are
// kept as evidence and can be deleted.
func (db *DB) SetAsideFiles() ([]SetAsideFile, error) {
	files, err := os.ReadDir(db.dir)
	if err != nil {
		return nil, &entry.Error{Op: "check", Path: db.dir, Err: err}
	}
	var aside []SetAsideFile
	for _, f := range files {
		if at := strings.LastIndex(f.Name(), folder.ListSuffix); at > 0 && strings.HasSuffix(f.Name(), folder.CorruptSuffix) {
			aside = append(aside, SetAsideFile{List: f.Name()[:at], Path: filepath.Join(db.dir, f.Name())})
		}
	}
	return aside, nil
}

func byName(l *openList, name string) int { return strings.Compare(l.Name, name) }
