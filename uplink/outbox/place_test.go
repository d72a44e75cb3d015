package outbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"platewatch/uplink/internal/uplinktest"
)

// A unit started with umask 0 makes files that its owner alone may read; a symbolic
// link in the outbox's place that leads to another user's file leaves that file as it
// was.
func TestAttackOutboxPlace(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	path := filepath.Join(dir, "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	uplinktest.MustAccept(t, o, uplinktest.Hit("AB12CDE"))
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", d.Name(), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	for _, link := range []string{"outbox.db", "outbox.db.number", "outbox.db.corrupt"} {
		content := strings.Repeat("somebody else's", 1000)
		other, dir := filepath.Join(t.TempDir(), "other"), t.TempDir()
		if err := errors.Join(os.WriteFile(other, []byte(content), 0o644), os.Symlink(other, filepath.Join(dir, link))); err != nil {
			t.Fatal(err)
		}
		o, err := Open(filepath.Join(dir, "outbox.db"), "unit-7", Settings{Key: testKey}, uplinktest.Log(t))
		if err == nil {
			uplinktest.MustAccept(t, o, uplinktest.Hit("AB12CDE"))
			err = o.Close()
		}
		if err != nil {
			t.Error(link, err)
		}
		if b, err := os.ReadFile(other); err != nil || string(b) != content {
			t.Errorf("linked as %s, it holds %d bytes now, %v", link, len(b), err)
		}
	}
}
