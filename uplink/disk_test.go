package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/faults"
)

// mountSmall mounts a file system of 16 MB, the way a board's partition is.
func mountSmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=16m"); err != nil {
		faults.Skip(t, t.Name(), "needs the right to mount a file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A real disk of 16 MB that something else fills, and frees again.
func TestFullDisk(t *testing.T) {
	for name, mount := range map[string]func(*testing.T) string{"tmpfs": mountSmall, "ext4": func(t *testing.T) string { return newSmallDisk(t).dir }} {
		t.Run(name, func(t *testing.T) { fillDisk(t, name, mount(t)) })
	}
}

func fillDisk(t *testing.T, name, dir string) {
	path := filepath.Join(dir, "outbox.db")
	o := openTestOutbox(t, path, OutboxOptions{MaxBytes: 64 << 20, MaxMemory: 64 << 20})
	var ids []string
	accept := func(n int) {
		for range n {
			ids = append(ids, mustAccept(t, o, withPictures(testHit(fmt.Sprintf("P%d", len(ids))), 4_000, 40_000))+"/1")
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
	o = openTestOutbox(t, path, OutboxOptions{MaxBytes: 64 << 20})
	if diff := cmp.Diff(ids, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	faults.Row(t, "16 MB disk full and freed: "+name, "100 hits with pictures accepted in memory meanwhile, delivery went on, all on disk afterwards, none lost")
}

// A file system that is read-only when the unit starts, and takes writes later.
func TestReadOnlyRemountAtStart(t *testing.T) {
	dir := mountSmall(t)
	path := filepath.Join(dir, "outbox.db")
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size=16m"); err != nil {
			t.Fatal(err)
		}
	}
	o, err := OpenOutbox(path, "unit-7", OutboxOptions{}, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	a := mustAccept(t, o, testHit("A"))
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	remount(syscall.MS_RDONLY) // refused while a file is open to write, so the unit starts on it
	if o, err = OpenOutbox(path, "unit-7", OutboxOptions{}, testLog(t)); err != nil {
		t.Fatal(err)
	}
	b := mustAccept(t, o, testHit("B"))
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
	o = openTestOutbox(t, path, OutboxOptions{})
	if diff := cmp.Diff([]string{a + "/1", b + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	faults.Row(t, "read-only when the unit starts", "what the disk holds is served, new hits are kept in memory, all on disk once it takes writes")
}

// smallDisk is an image of 16 MB with an ext4 file system, mounted on dir.
type smallDisk struct {
	t     *testing.T
	dir   string
	image string
}

func newSmallDisk(t *testing.T) *smallDisk {
	t.Helper()
	d := &smallDisk{t, t.TempDir(), filepath.Join(t.TempDir(), "disk.img")}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, 16<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", d.image).CombinedOutput(); err != nil {
		faults.Skip(t, t.Name(), "needs mkfs.ext4 (apt install e2fsprogs): %v: %s", err, bytes.TrimSpace(out))
	}
	if out, err := d.mount(); err != nil {
		faults.Skip(t, t.Name(), "needs the right to mount a file system, and a loop device: %v: %s", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() { d.run("umount", d.dir) })
	return d
}

// mount uses a block device of its own, which goes when it is unmounted: with
// the one of an earlier mount the kernel would go on with that one's state.
func (d *smallDisk) mount() ([]byte, error) {
	out, err := exec.Command("losetup", "--find", "--show", d.image).CombinedOutput()
	if err != nil {
		return out, err
	}
	device := strings.TrimSpace(string(out))
	out, err = exec.Command("mount", "-o", "errors=remount-ro", device, d.dir).CombinedOutput()
	d.run("losetup", "--detach", device)
	return out, err
}

func (d *smallDisk) run(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Errorf("%s %v: %v: %s", name, args, err, out)
	}
}

// fail makes the kernel find an error in the file system, upon which it goes
// read-only under those that have files open.
func (d *smallDisk) fail() {
	d.t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); f[1] == d.dir {
			if err := os.WriteFile(filepath.Join("/sys/fs/ext4", filepath.Base(f[0]), "trigger_fs_error"), []byte("1"), 0); err != nil {
				d.t.Fatal(err)
			}
			return
		}
	}
	d.t.Fatal("it is not mounted")
}

// mend checks the file system and mounts it anew, as a person or a restart of
// its unit would; the one that failed stays there for who has it open.
func (d *smallDisk) mend() {
	d.t.Helper()
	d.run("umount", "-l", d.dir)
	if out, err := exec.Command("e2fsck", "-f", "-y", d.image).CombinedOutput(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 { // 1: mended
			d.t.Fatalf("e2fsck: %v: %s", err, out)
		}
	}
	if out, err := d.mount(); err != nil {
		d.t.Fatalf("mount: %v: %s", err, out)
	}
}

// The kernel turns the file system read-only while the unit runs, after an
// error of the disk: hits are accepted and delivered, and are on disk once it
// is mounted again, without a restart.
func TestReadOnlyRemountWhileRunning(t *testing.T) {
	disk := newSmallDisk(t)
	path := filepath.Join(disk.dir, "outbox.db")
	o := openTestOutbox(t, path, OutboxOptions{})
	ids := []string{mustAccept(t, o, withPictures(testHit("A"), 4_000, 40_000))}
	disk.fail()
	for i := range 20 {
		ids = append(ids, mustAccept(t, o, withPictures(testHit(fmt.Sprintf("B%d", i)), 4_000, 40_000)))
	}
	if s := o.Stats(); s.Unsaved != 20 || s.DiskProblem == "" || s.Entries != 21 {
		t.Errorf("stats: %+v", s)
	}
	p := newProxy(t, newMosquitto(t, "allow_anonymous true\n").addr())
	c, stop := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}})
	waitEmpty(t, c, o)
	stop()
	wantDelivered(t, p, ids)
	var want []string
	for i := range 20 {
		want = append(want, mustAccept(t, o, testHit(fmt.Sprintf("C%d", i)))+"/1")
	}
	disk.mend()
	maintain(o)
	if s := o.Stats(); s.Unsaved != 0 || s.DiskProblem != "" || s.Entries != 20 {
		t.Errorf("stats: %+v", s)
	}
	want = append(want, mustAccept(t, o, testHit("D"))+"/1")
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, OutboxOptions{})
	if diff := cmp.Diff(want, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	faults.Row(t, "read-only remount", "ext4 after an error: 40 hits accepted in memory and 21 delivered meanwhile, the rest on disk once it is mounted again, without a restart; none lost, none twice")
}

// A file that takes the outbox's place is taken when it has what is pending,
// and else left alone.
func TestAnotherFileInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, OutboxOptions{})
	a := mustAccept(t, o, testHit("A"))
	b := mustAccept(t, o, testHit("B"))
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := mustAccept(t, o, testHit("C"))
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
	d := mustAccept(t, o, testHit("D"))
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
	o = openTestOutbox(t, path, OutboxOptions{})
	if diff := cmp.Diff([]string{b + "/1", c + "/1", d + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("after %s was delivered (-want +got):\n%s", a, diff)
	}
}
