package hotlist

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
)

// The names in a hotlist's directory: see the package comment.
const (
	listSuffix     = ".hotlist"
	previousSuffix = ".hotlist.previous"
	corruptSuffix  = ".corrupt"
	lockName       = "lock"
	buildName      = "import.tmp"
	keyName        = "key"
)

const (
	// maxLists bounds the lists in a directory, and so the files a unit holds open.
	maxLists = 64
	// maxCorrupt bounds the damaged files kept of one list: they are evidence,
	// and as large as the list.
	maxCorrupt = 3
)

func listPath(dir, name string) string     { return filepath.Join(dir, name+listSuffix) }
func previousPath(dir, name string) string { return filepath.Join(dir, name+previousSuffix) }

// scan returns the names of the lists in a directory, sorted, with or without
// their newest version.
func scan(dir string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), listSuffix)
		if !ok {
			name, ok = strings.CutSuffix(f.Name(), previousSuffix)
		}
		if !ok || CheckListName(name) != nil || slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) > maxLists {
		return nil, fmt.Errorf("it holds %d lists and %d is the most", len(names), maxLists)
	}
	return names, nil
}

// LockWait is how long to wait for another process unless told otherwise.
const LockWait = 5 * time.Second

// lockFolder waits until no other process changes the directory, at most for
// wait, and returns what lets the next one in.
func lockFolder(ctx context.Context, dir string, wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	giveToOwner(dir, f)
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
			return nil, ErrLocked
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-retry.C:
		}
	}
}

// makeFolder makes the hotlist's directory, and those above it, unless they
// are there.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if parent := filepath.Dir(filepath.Clean(dir)); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeFolder(parent); err != nil {
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
	return errors.Join(giveToOwner(parent, f), f.Close(), syncFolder(parent))
}

// giveToOwner hands a file that root made to the directory's owner: an
// administrator imports with sudo, and the daemon, which is not root, must be
// able to read the list.
func giveToOwner(dir string, f *os.File) error {
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

// syncFolder makes renames in a directory survive a power cut.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// install puts a finished list file into place. The version in use becomes the
// one before; at no moment is there neither.
func install(dir, name, built string) error {
	current, previous := listPath(dir, name), previousPath(dir, name)
	keep := filepath.Join(dir, buildName, "previous")
	switch err := os.Link(current, keep); {
	case err == nil:
		if err := os.Rename(keep, previous); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrNotExist): // the first version, or the last one was set aside
	default: // a file system without hard links; readers fall back to the version before
		if err := os.Rename(current, previous); err != nil {
			return err
		}
	}
	if err := os.Rename(built, current); err != nil {
		return err
	}
	return syncFolder(dir)
}

// setAside renames a damaged file to *.corrupt, never over an earlier one, and
// returns its new path: empty when maxCorrupt were kept already and the file
// was deleted instead, or when the name now belongs to another file.
func setAside(ctx context.Context, dir, path string, info os.FileInfo, wait time.Duration) (string, error) {
	unlock, err := lockFolder(ctx, dir, wait)
	if err != nil {
		return "", err
	}
	defer unlock()
	return setAsideLocked(dir, path, info)
}

// setAsideLocked is setAside for whoever holds the lock.
func setAsideLocked(dir, path string, info os.FileInfo) (string, error) {
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info != nil && !sameFile(now, info) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return moveAside(dir, path)
}

// moveAside renames a damaged file, whatever it is by now. Whoever calls it
// holds the lock.
func moveAside(dir, path string) (string, error) {
	for n := 1; n <= maxCorrupt; n++ {
		to := path + corruptSuffix
		if n > 1 {
			to = fmt.Sprintf("%s.%d%s", path, n, corruptSuffix)
		}
		if _, err := os.Lstat(to); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := os.Rename(path, to); err != nil {
			return "", err
		}
		return to, syncFolder(dir)
	}
	if err := os.Remove(path); err != nil {
		return "", err
	}
	return "", syncFolder(dir)
}

// sameFile tells whether two looks saw the same unchanged file.
func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
