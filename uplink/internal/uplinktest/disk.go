package uplinktest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"platewatch/uplink/faulttest"
)

// MountSmall mounts a file system of 16 MB, the way a board's partition is.
func MountSmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=16m"); err != nil {
		faulttest.Skip(t, t.Name(), "needs the right to mount a file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// smallDisk is an image of 16 MB with an ext4 file system, mounted on dir.
type smallDisk struct {
	t     *testing.T
	Dir   string
	image string
}

// NewSmallDisk makes and mounts one, or skips the test.
func NewSmallDisk(t *testing.T) *smallDisk {
	t.Helper()
	d := &smallDisk{t, t.TempDir(), filepath.Join(t.TempDir(), "disk.img")}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, 16<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", d.image).CombinedOutput(); err != nil {
		faulttest.Skip(t, t.Name(), "needs mkfs.ext4 (apt install e2fsprogs): %v: %s", err, bytes.TrimSpace(out))
	}
	if out, err := d.mount(); err != nil {
		faulttest.Skip(t, t.Name(), "needs the right to mount a file system, and a loop device: %v: %s", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() { d.run("umount", d.Dir) })
	return d
}

// mount attaches the image to a new loop device, which is released at unmount: with
// an earlier mount's device the kernel would keep that mount's state.
func (d *smallDisk) mount() ([]byte, error) {
	out, err := exec.Command("losetup", "--find", "--show", d.image).CombinedOutput()
	if err != nil {
		return out, err
	}
	device := strings.TrimSpace(string(out))
	out, err = exec.Command("mount", "-o", "errors=remount-ro", device, d.Dir).CombinedOutput()
	d.run("losetup", "--detach", device)
	return out, err
}

func (d *smallDisk) run(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Errorf("%s %v: %v: %s", name, args, err, out)
	}
}

// Fail makes the kernel find an error in the file system, so that it becomes
// read-only while files on it are open.
func (d *smallDisk) Fail() {
	d.t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); f[1] == d.Dir {
			if err := os.WriteFile(filepath.Join("/sys/fs/ext4", filepath.Base(f[0]), "trigger_fs_error"), []byte("1"), 0); err != nil {
				d.t.Fatal(err)
			}
			return
		}
	}
	d.t.Fatal("it is not mounted")
}

// Mend repairs the file system and mounts it again, as an operator would; processes
// that have files open keep the failed mount.
func (d *smallDisk) Mend() {
	d.t.Helper()
	d.run("umount", "-l", d.Dir)
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
