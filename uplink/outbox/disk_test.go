package outbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/faulttest"
	"platewatch/uplink/internal/uplinktest"
)

// A real disk of 16 MB that something else fills, and frees again.
func TestFullDisk(t *testing.T) {
	for name, mount := range map[string]func(*testing.T) string{"tmpfs": uplinktest.MountSmall, "ext4": func(t *testing.T) string { return uplinktest.NewSmallDisk(t).Dir }} {
		t.Run(name, func(t *testing.T) { fillDisk(t, name, mount(t)) })
	}
}

func fillDisk(t *testing.T, name, dir string) {
	path := filepath.Join(dir, "outbox.db")
	o := openTestOutbox(t, path, Settings{MaxBytes: 64 << 20, MaxMemory: 64 << 20})
	var ids []string
	accept := func(n int) {
		for range n {
			ids = append(ids, uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("P%d", len(ids))), 4_000, 40_000))+"/1")
		}
	}
	accept(20)
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for chunk := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(chunk)
	}
	f.Close()
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	accept(100)
	if s := o.Stats(); s.Unsaved == 0 || s.DiskProblem == "" || s.DroppedEntries != 0 {
		t.Fatalf("the disk is full, stats: %+v", s)
	}
	// Delivery goes on.
	if err := o.Remove(next(t, o).Ref, Ref{}); err != nil {
		t.Fatal(err)
	}
	ids = ids[1:]
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	maintain(o)
	if s := o.Stats(); s.Unsaved != 0 || s.DiskProblem != "" {
		t.Errorf("the disk is free again, stats: %+v", s)
	}
	accept(20)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{MaxBytes: 64 << 20})
	if diff := cmp.Diff(ids, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	faulttest.Row(t, "16 MB disk full and freed: "+name, "100 hits with pictures accepted in memory meanwhile, delivery went on, all on disk afterwards, none lost")
}

// A file system that is read-only when the unit starts, and takes writes later.
func TestReadOnlyRemountAtStart(t *testing.T) {
	dir := uplinktest.MountSmall(t)
	path := filepath.Join(dir, "outbox.db")
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size=16m"); err != nil {
			t.Fatal(err)
		}
	}
	o, err := Open(path, "unit-7", Settings{Key: testKey}, uplinktest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	a := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	remount(syscall.MS_RDONLY) // refused while a file is open to write, so the unit starts on it
	if o, err = Open(path, "unit-7", Settings{Key: testKey}, uplinktest.Log(t)); err != nil {
		t.Fatal(err)
	}
	b := uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
	if s := o.Stats(); s.Unsaved != 1 || s.DiskProblem == "" || s.Entries != 2 {
		t.Errorf("stats: %+v", s)
	}
	if e := next(t, o); e.Hit.ID != a {
		t.Errorf("what the disk holds can be read: %s", e.Hit.ID)
	}
	remount(0)
	maintain(o)
	if s := o.Stats(); s.Unsaved != 0 || s.DiskProblem != "" {
		t.Errorf("stats: %+v", s)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	if diff := cmp.Diff([]string{a + "/1", b + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	faulttest.Row(t, "read-only when the unit starts", "what the disk holds is served, new hits are kept in memory, all on disk once it takes writes")
}

// A file that takes the place of the outbox's file is used if it holds all pending
// hits, and left alone otherwise.
func TestAnotherFileInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	a := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	b := uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := uplinktest.MustAccept(t, o, uplinktest.Hit("C"))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	mend := failDisk(o, syscall.EROFS)
	if err := o.Remove(next(t, o).Ref); err != nil { // a, in memory
		t.Fatal(err)
	}
	d := uplinktest.MustAccept(t, o, uplinktest.Hit("D"))
	put(older) // lacks c
	mend()
	if s := o.Stats(); s.Unsaved != 1 || s.DiskProblem != errReplaced.Error() {
		t.Errorf("stats: %+v", s)
	}
	put(whole)
	maintain(o)
	if s := o.Stats(); s.Unsaved != 0 || s.DiskProblem != "" {
		t.Errorf("stats: %+v", s)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	if diff := cmp.Diff([]string{b + "/1", c + "/1", d + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("after %s was delivered (-want +got):\n%s", a, diff)
	}
}
