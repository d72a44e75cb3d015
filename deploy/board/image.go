package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Everything that is made lies here; what is slow to make is kept.
const folder = "build/board"

// diskImages is what boards are booted from.
type diskImages struct {
	kernel, initrd string
	root           string // disk with the root file system
	load           string // disk with what the cases need
	version        string // of the package
}

// makeImage makes what is not there yet.
func makeImage(ctx context.Context, s *server) (*diskImages, error) {
	deb, err := packageFile(ctx)
	if err != nil {
		return nil, err
	}
	depends, err := output(ctx, "dpkg-deb", "--field", deb, "Depends")
	if err != nil {
		return nil, err
	}
	root := filepath.Join(folder, "root")
	if err := run(ctx, "deploy/board/root", "bookworm", depends, root); err != nil {
		return nil, err
	}
	im := &diskImages{root: filepath.Join(folder, "root.img"), load: filepath.Join(folder, "load.img")}
	if im.version, err = output(ctx, "dpkg-deb", "--field", deb, "Version"); err != nil {
		return nil, err
	}
	kernels, _ := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	initrds, _ := filepath.Glob(filepath.Join(root, "boot", "initrd.img-*"))
	if len(kernels) != 1 || len(initrds) != 1 {
		return nil, fmt.Errorf("%s/boot holds %d kernels and %d initial file systems; remove %s and try again", root, len(kernels), len(initrds), root)
	}
	im.kernel, im.initrd = kernels[0], initrds[0]
	if err := run(ctx, "deploy/board/camera/build", root, filepath.Join(folder, "camera")); err != nil {
		return nil, err
	}
	// Its configuration is copied each time; the folder stays what apt made.
	if err := run(ctx, "cp", "--recursive", "--no-dereference", "--remove-destination", "deploy/board/etc/.", filepath.Join(root, "etc")); err != nil {
		return nil, err
	}
	if err := disk(ctx, root, im.root, "2500M"); err != nil {
		return nil, err
	}
	return im, im.fill(ctx, deb, s)
}

// packageFile builds the package if it is not built yet, and gives its path.
func packageFile(ctx context.Context) (string, error) {
	if deb := os.Getenv("DEB"); deb != "" {
		return deb, nil
	}
	text, err := output(ctx, "go", "run", "./deploy/tools/deb", "bookworm/arm64")
	if err != nil {
		return "", err
	}
	_, last, found := cutLast("\n"+text, "\n")
	if !found || !strings.HasSuffix(last, ".deb") {
		return "", fmt.Errorf("deploy/tools/deb named no package: %q", text)
	}
	return last, nil
}

// fill makes the disk with the package, one of an older version, the
// configuration, secrets, the hotlist, and the pictures for the camera.
func (im *diskImages) fill(ctx context.Context, deb string, s *server) error {
	load := filepath.Join(folder, "load")
	if err := errors.Join(os.RemoveAll(load), os.MkdirAll(load, 0o755)); err != nil {
		return err
	}
	if err := older(ctx, deb, filepath.Join(load, "older.deb")); err != nil {
		return err
	}
	files := map[string][]byte{
		"platewatch.toml": fmt.Appendf(nil, configuration, s.address()),
		"drop-in.conf":    []byte(dropIn),
		"national.csv":    hotlist(),
	}
	for to, from := range map[string]string{"platewatch.deb": deb, "platecam.ko": filepath.Join(folder, "camera", "platecam.ko"), "ca.crt": filepath.Join(s.dir, "ca.crt"),
		"board.crt": filepath.Join(s.dir, unitName+".crt"), "board.key": filepath.Join(s.dir, unitName+".key")} {
		text, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		files[to] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(load, name), text, 0o644); err != nil {
			return err
		}
	}
	if err := paintAll(load); err != nil {
		return err
	}
	return disk(ctx, load, im.load, "96M")
}

// older makes a package of the same content with a version before this one, for
// the upgrade and the downgrade.
func older(ctx context.Context, deb, to string) error {
	tree := filepath.Join(folder, "older")
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if err := run(ctx, "dpkg-deb", "--raw-extract", deb, tree); err != nil {
		return err
	}
	// nfpm writes an empty line where there are none; dpkg-deb takes it for a name.
	if err := os.RemoveAll(filepath.Join(tree, "DEBIAN", "conffiles")); err != nil {
		return err
	}
	control := filepath.Join(tree, "DEBIAN", "control")
	text, err := os.ReadFile(control)
	if err != nil {
		return err
	}
	text = []byte(strings.Replace(string(text), "\nVersion: ", "\nVersion: 0.0.1~before", 1))
	if err := os.WriteFile(control, text, 0o644); err != nil {
		return err
	}
	return run(ctx, "dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, to)
}

// disk makes a file system of a folder; nothing is mounted. As Debian's own, it keeps
// 5 % for root. It is complete: nothing is left for the kernel to write at idle.
func disk(ctx context.Context, folder, file, size string) error {
	if err := os.RemoveAll(file); err != nil {
		return err
	}
	return run(ctx, "mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum_seed", "-E", "lazy_itable_init=0", "-d", folder, file, size)
}

// run runs a program whose output people see.
func run(ctx context.Context, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// output is what a program prints.
func output(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

const unitName = "board"

// configuration is the unit's; the broker's address is filled in.
const configuration = `[unit]
name = "board"

[[camera]]
name = "front"
source = "/dev/video0"
open_timeout = "30s" # emulated
read_timeout = "10s"

[uplink]
brokers = ["mqtts://%s"]
ca = "ca.crt"
cert = "board.crt"
key = "board.key"
ack = "server"
`

const dropIn = `[Service]
LoadCredential=board.key:/etc/platewatch/secret/board.key
`
