package hotlist

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	log      *slog.Logger

	confusions *match.Confusions
	readings   sync.Pool // *Reading: one is large, and most look-ups find nothing

	refreshing sync.Mutex // one Refresh at a time
	refused    map[string]refusedFile
	locked     bool // whoever called holds the directory's lock

	mu     sync.RWMutex // the fields below; held while lists are looked into
	lists  []*openList  // by name
	damage []Damage
	closed bool

	lookups, matched, failures, reloads atomic.Uint64
}

// openList is a list in use.
type openList struct {
	*listfile.File
	searcher *match.Searcher
	failed   atomic.Bool // a lookup met damage
}

// refusedFile is a file that could not be used, so that it is not read again,
// and not reported again, every second.
type refusedFile struct {
	info   os.FileInfo
	err    error
	failed string // why it could not be set aside
}

// Damage is a list file that could not be used.
type Damage struct {
	List string `json:"list"`
	Path string `json:"path"`
	Err  error  `json:"-"`
	// Reason is Err in words.
	Reason string `json:"reason"`
	// SetAside is the file's new name; empty if it was left where it was (see
	// Err), or deleted because several were kept already.
	SetAside string    `json:"set_aside,omitempty"`
	Seen     time.Time `json:"seen"`
}

const (
	// maxDamage bounds what Damage returns; the oldest go first.
	maxDamage = 64
	lockWait  = 2 * time.Second
)

// Options are how a hotlist is opened.
type Options struct {
	// KeyFile holds the key that the lists are stored under (see [LoadKey]).
	// Empty: the file "key" in the directory itself.
	KeyFile string
	// Trust names the keys whose signed lists are accepted. If there are any,
	// lists that are not signed by one of them are not matched, but for Local.
	Trust []signed.TrustedKey
	// Local names lists that are imported on this machine and need no signature.
	Local []string
	// MatchingOf says how a list of a given name and size is matched. Nil:
	// [DefaultMatching].
	RulesOf func(name string, entries int) match.Rules
	// Confusions of the reader. Default: [DefaultConfusions].
	Confusions *match.Confusions
	// Log. Default: none.
	Log *slog.Logger
}

// Open opens the hotlist in directory dir for matching and for changing it. A
// directory that does not exist is made (its parent must exist), and is a hotlist without lists. A
// list that is damaged is set aside and does not keep the others from being
// opened: see [DB.Damage].
//
// Opening reads every list's file once from beginning to end.
func Open(dir string, o Options) (*DB, error) {
	if err := folder.Make(dir); err != nil {
		return nil, &entry.Error{Op: "open", Path: dir, Err: err, Advice: folder.MakeAdvice}
	}
	return open(dir, false, o)
}

// OpenReadOnly opens the hotlist in directory dir for matching, changes
// nothing on disk, and fails with [fs.ErrNotExist] if there is none. It works
// while a daemon has the hotlist open.
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
	if _, err := db.Refresh(context.Background()); err != nil {
		return nil, err
	}
	return db, nil
}

// WriteKey writes a new random key to store lists under into a new file that
// only its owner may read. A file that exists is left alone, with [fs.ErrExist].
func WriteKey(path string) error { return folder.NewKey().WriteFile(path) }

// key returns the key of the hotlist, which is read anew each time a file is
// opened: it may come, or be put right, after the daemon started.
func (db *DB) key() (folder.Key, error) { return folder.OpenKey(db.dir, db.o.KeyFile, false) }

// Close closes the hotlist. Iterators that still run keep their list's file
// open until they end.
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

// Import is [Import] into the opened directory, followed by a Refresh.
func (db *DB) Import(ctx context.Context, r io.Reader, o ImportOptions) (ImportReport, error) {
	if db.readOnly {
		return ImportReport{}, &entry.Error{Op: "import", Path: db.dir, Err: entry.ErrReadOnly}
	}
	if o.KeyFile == "" {
		o.KeyFile = db.o.KeyFile
	}
	report, err := Import(ctx, db.dir, r, o)
	if err != nil {
		return report, err
	}
	_, err = db.Refresh(ctx)
	return report, err
}

// Remove deletes a list, and the version of it before. Daemons that have the
// directory open notice by themselves.
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
		return fail(err, "wait until the import that runs is done")
	}
	// The version before goes first: a power cut in between leaves the list whole.
	previous := os.Remove(folder.PreviousPath(db.dir, name))
	current := os.Remove(folder.ListPath(db.dir, name))
	sync := folder.Sync(db.dir)
	unlock()
	switch {
	case errors.Is(previous, fs.ErrNotExist) && errors.Is(current, fs.ErrNotExist):
		return fail(fmt.Errorf("there is no list %q: %w", name, fs.ErrNotExist), "`platewatch hotlist list` names those there are")
	case previous != nil && !errors.Is(previous, fs.ErrNotExist):
		return fail(previous, "")
	case current != nil && !errors.Is(current, fs.ErrNotExist):
		return fail(current, "")
	case sync != nil:
		return fail(sync, "")
	}
	trail, err := db.Trail()
	if err == nil {
		err = trail.Append(ctx, audit.Record{Kind: audit.Remove, List: name, Operator: by.Operator, Reason: by.Reason})
	}
	if errors.Is(err, entry.ErrKey) {
		err = nil // a list whose key is lost can go; there is no trail to write to
	}
	_, failed := db.Refresh(ctx)
	return errors.Join(err, failed)
}

// Lists returns the lists that are matched, by name.
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

// Entries iterates over a list's entries, sorted by plate. The last pair
// carries the error, if any: the list does not exist ([fs.ErrNotExist]) or is
// damaged. The list may be replaced meanwhile; the iteration goes on over the
// version it began with.
//
// A list is stored in the order of its HMACs, so all of it is read and sorted,
// encrypted in a temporary file if it is long, before the first entry comes.
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
		Advice: "`platewatch hotlist list` names those there are"}
}

// Damage returns the list files that could not be used since the hotlist was
// opened, oldest first.
func (db *DB) Damage() []Damage {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return slices.Clone(db.damage)
}

// Check reads every list again, from beginning to end: the checksums of its
// file, bbolt's structure, every record. The error joins one [*Error] for each
// list that is damaged. It changes nothing; [DB.Refresh] acts on what it found.
func (db *DB) Check(ctx context.Context) error {
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

// CheckList is Check for one list.
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

// recheck opens the file that l is anew, if it still has its name, and checks it.
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
	Bytes   int64 `json:"bytes"` // on disk, without the versions before
	// Lookups counts calls of Match, Matched those that found something,
	// Failures those that met damage.
	Lookups  uint64 `json:"lookups"`
	Matched  uint64 `json:"matched"`
	Failures uint64 `json:"failures"`
	// Reloads counts the list files that were opened.
	Reloads uint64 `json:"reloads"`
	// Damaged counts what Damage returns, Fallback the lists that are served
	// from the version before.
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
// kept for whoever wants to know what happened, and can be deleted.
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
