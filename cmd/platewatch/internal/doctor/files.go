package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"platewatch/cmd/platewatch/internal/board"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/uplink/broker"
	"platewatch/uplink/outbox"
)

// configuration looks at the file and at what it names. That it is valid was found
// when it was read.
func (x *examination) configuration(_ context.Context, found sink) {
	const about = "configuration"
	brokers := "no broker"
	if n := len(x.c.Uplink.Broker.Brokers); n > 0 {
		brokers = count(n, "broker")
	}
	found.ok(about, "", fmt.Sprintf("valid: unit %s, %s, %s", x.c.Unit.Name, count(len(x.c.Cameras), "camera"), brokers), "valid")
	if x.o.File == "" {
		return
	}
	info, err := os.Stat(x.o.File)
	if err != nil {
		found.fail(about, "file", err.Error(), "a file", "check the path")
		return
	}
	mode := info.Mode().Perm()
	found.grade(mode&0o022 == 0, Warn, about, "file", fmt.Sprintf("%s, mode %04o", x.o.File, mode),
		"written by its owner only: who changes it decides where hits go", "chmod go-w "+x.o.File)
	if x.c.Unit.Position == nil {
		found.warn(about, "position", "none", "where the unit stands: hits carry it", "add [unit.position] with latitude and longitude")
	}
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// secrets looks at the files that come with the unit's identity: whether they are
// there, who may read them, and whether they are what they should be.
func (x *examination) secrets(_ context.Context, found sink) {
	const about = "secrets"
	files := x.c.IdentityFiles()
	if len(files) == 0 {
		found.ok(about, "", "none is configured", "")
		return
	}
	well := 0
	for _, f := range files {
		what := f.Key
		info, err := os.Stat(f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && sealed(f.Path):
			found.skip(about, what, "sealed to this board: only the running service has it")
			continue
		case errors.Is(err, fs.ErrNotExist):
			found.fail(about, what, f.Path+" is missing", "a file", "create it, or pass it with LoadCredential in the systemd unit")
			continue
		case err != nil:
			found.fail(about, what, err.Error(), "a file that can be read", "run this as root, or as the service's user")
			continue
		case !info.Mode().IsRegular():
			found.fail(about, what, f.Path+" is no regular file", "a file", "correct the path")
			continue
		}
		if f.Secret && info.Mode().Perm()&0o007 != 0 {
			found.warn(about, what, fmt.Sprintf("%s has mode %04o: every user of this machine may read it", f.Path, info.Mode().Perm()),
				"mode 0600 or 0640", "chmod o-rwx "+f.Path)
			continue
		}
		if err := readable(f.Path); err != nil {
			found.fail(about, what, err.Error(), "a file that can be read", "run this as root, or as the service's user")
			continue
		}
		well++
	}
	x.keyPair(found, "uplink.cert", x.c.Uplink.Broker.Cert, x.c.Uplink.Broker.Key, &well)
	x.keyPair(found, "status.cert", x.c.Status.Cert, x.c.Status.Key, &well)
	for _, one := range []struct{ key, path string }{{"uplink.user_file", x.c.Uplink.Broker.UserFile},
		{"uplink.password_file", x.c.Uplink.Broker.PasswordFile}, {"status.token_file", x.c.Status.TokenFile}} {
		if one.path == "" || readable(one.path) != nil {
			continue
		}
		if _, err := broker.ReadSecret(one.path); err != nil {
			found.fail(about, one.key, err.Error(), "one line", hint(err, "write the secret as its only line"))
			well--
		}
	}
	if well > 0 {
		found.ok(about, "", fmt.Sprintf("%d of %s there, whole and closed to others", well, count(len(files), "file")), "all of them")
	}
}

// sealed reports whether a file that is not there lies encrypted in the folder of the
// secrets, for systemd to hand to the service.
func sealed(path string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(path), config.SecretFolder, filepath.Base(path)+".cred"))
	return err == nil
}

// keyPair checks that a certificate and a key belong together, and how long the
// certificate holds.
func (x *examination) keyPair(found sink, key, cert, private string, well *int) {
	if cert == "" || readable(cert) != nil || readable(private) != nil {
		return
	}
	pair, err := tls.LoadX509KeyPair(cert, private)
	if err != nil {
		found.fail("secrets", key, strings.TrimPrefix(err.Error(), "tls: "), "a certificate and its key, both PEM", "put the pair back that was made together")
		*well -= 2
		return
	}
	expires(found, "secrets", key, pair.Leaf.NotAfter, pair.Leaf.NotBefore)
}

// certificateWarning is how long before its end a certificate is reported.
const certificateWarning = 30 * 24 * time.Hour

// expires tells how long a certificate holds.
func expires(found sink, about, what string, until, from time.Time) {
	left := time.Until(until)
	measured := fmt.Sprintf("holds until %s, %s from now", until.UTC().Format(time.DateOnly), days(left))
	const want = "valid, and for more than 30 days"
	switch {
	case left <= 0:
		found.fail(about, what, "expired on "+until.UTC().Format(time.DateOnly), want, "renew it; or, if the date is in the future, set the clock")
	case !from.IsZero() && time.Now().Before(from):
		found.fail(about, what, "valid only from "+from.UTC().Format(time.DateTime)+" on", want, "set the clock")
	default:
		found.grade(left > certificateWarning, Warn, about, what, measured, want, "renew it: a unit takes a renewed certificate up without a restart")
	}
}

// expiresOn is expires for a certificate whose beginning does not matter.
func expiresOn(found sink, about, what string, until time.Time) {
	expires(found, about, what, until, time.Time{})
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%.0f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

// hint is what an error advises, or else the advice given.
func hint(err error, otherwise string) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		return h.Hint()
	}
	return otherwise
}

const (
	// slowDisk is how long a small file may take to be on disk: a hit waits for it.
	slowDisk = 500 * time.Millisecond
	// spareSpace is what should be free beside the outbox's bound.
	spareSpace = 64 << 20
	// leastSpace is below what lists cannot be updated any more.
	leastSpace = 16 << 20
)

// stateFolder looks at the folder and writes a file into it.
func (x *examination) stateFolder(_ context.Context, found sink) {
	const about = "state folder"
	dir := x.c.StateDir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found.warn(about, "", dir+" does not exist", "a folder", "the first start makes it; make sure that the service may")
		return
	case err != nil:
		found.fail(about, "", err.Error(), "a folder that can be read", "run this as root, or as the service's user")
		return
	case !info.IsDir():
		found.fail(about, "", dir+" is no folder", "a folder", "move the file away, or correct state_dir")
		return
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		found.warn(about, "", fmt.Sprintf("%s has mode %04o", dir, mode), "mode 0700: hits and lists lie there", "chmod 0700 "+dir)
	} else {
		found.ok(about, "", fmt.Sprintf("%s, mode %04o", dir, mode), "mode 0700")
	}
	if board.ReadOnly(dir) {
		found.fail(about, "writing", "the file system is mounted read-only", "writable: hits are kept there until the server has them",
			"mount -o remount,rw; if it fails, the storage is failing: see dmesg, and replace it")
		return
	}
	took, err := writeAndRemove(dir)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		found.fail(about, "writing", "the disk is full", "writable", "free some space: du -x "+dir+" | sort -n")
	case err != nil:
		found.fail(about, "writing", err.Error(), "writable", "give the folder to the service's user; see dmesg for errors of the storage")
	default:
		found.grade(took < slowDisk, Warn, about, "writing", fmt.Sprintf("a small file is on disk after %.0f ms", 1000*took.Seconds()),
			fmt.Sprintf("below %.0f ms", 1000*slowDisk.Seconds()), "the storage is slow or worn: replace the card")
	}
}

// writeAndRemove writes a small file into dir, syncs and removes it, and returns how
// long that took up to the sync.
func writeAndRemove(dir string) (took time.Duration, err error) {
	begin := time.Now()
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return 0, errors.Unwrap(err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(make([]byte, 4096))
	err = errors.Join(err, f.Sync())
	took = time.Since(begin)
	return took, errors.Join(err, f.Close())
}

// freeSpace compares what is free with what the outbox may take.
func (x *examination) freeSpace(_ context.Context, found sink) {
	const about = "free space"
	path := filepath.Dir(x.c.Uplink.OutboxFile)
	for _, err := os.Stat(path); err != nil && path != "/"; _, err = os.Stat(path) {
		path = filepath.Dir(path) // the first start makes it
	}
	space, err := board.SpaceAt(path)
	if err != nil {
		found.fail(about, "", err.Error(), "a file system", "check state_dir")
		return
	}
	var used int64
	if info, err := os.Stat(x.c.Uplink.OutboxFile); err == nil {
		used = info.Size()
	}
	need := max(x.c.Uplink.Outbox.MaxBytes-used, 0) + spareSpace
	measured := fmt.Sprintf("%s of %s free at %s", size(space.Free), size(space.Total), path)
	want := fmt.Sprintf("%s: the outbox may still grow to %s", size(uint64(need)), setting.FormatSize(x.c.Uplink.Outbox.MaxBytes))
	level := Warn
	if space.Free < leastSpace {
		level = Fail
	}
	found.grade(space.Free >= uint64(need), level, about, "", measured, want, "free some space, or lower uplink.max_bytes")
}

// size is a number of bytes for people.
func size(bytes uint64) string {
	switch {
	case bytes >= 10*setting.GiB:
		return fmt.Sprintf("%.0f GiB", float64(bytes)/setting.GiB)
	case bytes >= setting.GiB:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/setting.GiB)
	}
	return fmt.Sprintf("%.0f MiB", float64(bytes)/setting.MiB)
}

// oldHit is how long hits may wait before they are reported.
const oldHit = time.Hour

// outbox reads the outbox's file, or what the daemon says of it.
func (x *examination) outbox(_ context.Context, found sink) {
	const about = "outbox"
	if d := x.daemon.document; d != nil {
		o := &d.Outbox
		wait(found, o.Pending, time.Duration(float64(o.OldestAge)*float64(time.Second)), o.Quarantined, uint64(max(o.Bytes, 0)))
		return
	}
	in, err := outbox.Inspect(x.c.Uplink.OutboxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found.ok(about, "", "not made yet: the first start makes it", "")
	case errors.Is(err, outbox.ErrLocked):
		found.skip(about, "", "the running daemon has it open, and could not be asked")
	case err != nil:
		found.fail(about, "", err.Error(), "whole", hint(err, "start the daemon: it salvages what is readable"))
	case in.Unit != "" && in.Unit != x.c.Unit.Name:
		found.fail(about, "", fmt.Sprintf("it belongs to unit %q", in.Unit), fmt.Sprintf("that of unit %q", x.c.Unit.Name),
			"this card was copied, or the unit renamed: let the hits that wait be delivered under the old name, then move the file away")
	default:
		age := time.Duration(0)
		if !in.Oldest.IsZero() {
			age = time.Since(in.Oldest)
		}
		wait(found, in.Entries, age, in.Quarantined, uint64(max(in.FileBytes, 0)))
	}
}

// wait tells what waits in the outbox.
func wait(found sink, pending int, oldest time.Duration, quarantined int, bytes uint64) {
	const about = "outbox"
	measured := fmt.Sprintf("no hit waits; the file has %s", size(bytes))
	if pending > 0 {
		measured = fmt.Sprintf("%s, the oldest for %s; the file has %s", count(pending, "hit"), oldest.Round(time.Second), size(bytes))
	}
	found.grade(pending == 0 || oldest < oldHit, Warn, about, "", measured, "none waits for more than an hour", "look at the broker below")
	if quarantined > 0 {
		found.warn(about, "quarantine", count(quarantined, "hit"), "none", "they can never be delivered: `platewatch outbox list` after the daemon was stopped shows them")
	}
}
