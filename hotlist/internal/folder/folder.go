// Package folder keeps the files of a hotlist's directory: their names, the lock,
// the key, renames that survive a power cut, and damaged files that are set aside.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"platewatch/hotlist/entry"
)

// The names in a hotlist's directory: see the comment of package hotlist.
const (
	ListSuffix     = ".hotlist"
	previousSuffix = ".hotlist.previous"
	CorruptSuffix  = ".corrupt"
	LockName       = "lock"
	BuildName      = "import.tmp"
	KeyName        = "key"
)

const (
	// MaxLists bounds the lists in a directory, and so the files a unit holds open.
	MaxLists = 64
	// MaxCorrupt bounds the damaged files kept of one list: they are evidence, and
	// each is as large as the list.
	MaxCorrupt = 3
)

// ListPath and PreviousPath are the files of a list's versions.
func ListPath(dir, name string) string     { return filepath.Join(dir, name+ListSuffix) }
func PreviousPath(dir, name string) string { return filepath.Join(dir, name+previousSuffix) }

// Lists returns the names of the lists in a directory, sorted, including those of
// which only the previous version is there.
func Lists(dir string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ListSuffix)
		if !ok {
			name, ok = strings.CutSuffix(f.Name(), previousSuffix)
		}
		if !ok || entry.CheckListName(name) != nil || slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) > MaxLists {
		return nil, fmt.Errorf("it holds %d lists; the maximum is %d", len(names), MaxLists)
	}
	return names, nil
}

// LockWait is the default time to wait for another process.
const LockWait = 5 * time.Second

// Lock takes the directory's lock, waiting at most for wait ([entry.ErrLocked]),
// and returns the function that releases it.
func Lock(ctx context.Context, dir string, wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, LockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	_ = GiveToOwner(dir, f) // it locks all the same
	deadline := time.Now().Add(wait)
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, err
		}
		if time.Now().After(deadline) {
			f.Close()
			return nil, entry.ErrLocked
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-retry.C:
		}
	}
}

// Make makes the hotlist's directory, and its parents, unless they exist.
func Make(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if parent := filepath.Dir(filepath.Clean(dir)); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := Make(parent); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
		}
		return err
	}
	if err != nil {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	return errors.Join(GiveToOwner(parent, f), f.Close(), Sync(parent))
}

// GiveToOwner gives a file that root created to the directory's owner: an
// administrator imports with sudo, and the daemon, which does not run as root, must
// be able to read the list.
func GiveToOwner(dir string, f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

// Sync makes the renames in a directory durable.
func Sync(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Install renames a finished list file into place. The current version becomes the
// previous one; at every moment at least one of them exists.
func Install(dir, name, built string) error {
	current, previous := ListPath(dir, name), PreviousPath(dir, name)
	keep := filepath.Join(dir, BuildName, "previous")
	switch err := os.Link(current, keep); {
	case err == nil:
		if err := os.Rename(keep, previous); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrNotExist): // the first version, or the current one was set aside
	default: // a file system without hard links; readers fall back to the previous version
		if err := os.Rename(current, previous); err != nil {
			return err
		}
	}
	if err := os.Rename(built, current); err != nil {
		return err
	}
	return Sync(dir)
}

// SetAside renames a damaged file to *.corrupt, never over an earlier one, and
// returns its new path: empty if [MaxCorrupt] files were kept already and the file
// was deleted instead, or if path is no longer the file that info describes.
func SetAside(ctx context.Context, dir, path string, info os.FileInfo, wait time.Duration) (string, error) {
	unlock, err := Lock(ctx, dir, wait)
	if err != nil {
		return "", err
	}
	defer unlock()
	return SetAsideLocked(dir, path, info)
}

// SetAsideLocked is [SetAside] for callers that hold the lock.
func SetAsideLocked(dir, path string, info os.FileInfo) (string, error) {
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info != nil && !SameFile(now, info) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return MoveAside(dir, path)
}

// MoveAside renames the damaged file at path, without comparing it to an earlier
// one. The caller holds the lock.
func MoveAside(dir, path string) (string, error) {
	for n := 1; n <= MaxCorrupt; n++ {
		to := path + CorruptSuffix
		if n > 1 {
			to = fmt.Sprintf("%s.%d%s", path, n, CorruptSuffix)
		}
		if _, err := os.Lstat(to); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := os.Rename(path, to); err != nil {
			return "", err
		}
		return to, Sync(dir)
	}
	if err := os.Remove(path); err != nil {
		return "", err
	}
	return "", Sync(dir)
}

// SameFile reports whether two calls of [os.Stat] saw the same unchanged file.
func SameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
