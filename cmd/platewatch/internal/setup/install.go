package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/hotlist"
)

// service is the name of the unit file.
const service = "platewatch.service"

// board is the machine that becomes a unit.
type board struct {
	*console
	o       *Options
	systemd bool // runs the service; otherwise somebody starts the daemon by hand
	creds   bool // systemd-creds is there
}

func newBoard(o *Options, c *console) *board {
	b := &board{console: c, o: o}
	if o.Root != "" || o.Config != config.DefaultFile {
		return b
	}
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		_, err := exec.LookPath("systemctl")
		b.systemd = err == nil
		_, err = exec.LookPath("systemd-creds")
		b.creds = b.systemd && err == nil
	}
	return b
}

// keyKind is how the key for the lists is or will be kept. A key that is there is
// never replaced: what was imported under it would be lost.
func (b *board) keyKind() (keyKind, error) {
	if b.o.Root != "" {
		return keyNone, nil // the key is made on the board itself
	}
	for name, kind := range map[string]keyKind{sealedKey: keySealed, storageKey: keyPlain} {
		_, err := os.Stat(b.secret(name))
		switch {
		case err == nil:
			return kind, nil
		case !errors.Is(err, fs.ErrNotExist):
			return keyNone, err
		}
	}
	if b.creds {
		return keySealed, nil
	}
	return keyPlain, nil
}

func (b *board) secret(name string) string {
	return filepath.Join(filepath.Dir(b.o.Config), config.SecretFolder, name)
}

// makeKey makes the key that the lists are stored under, unless there is one.
func (b *board) makeKey(ctx context.Context, kind keyKind) error {
	name := map[keyKind]string{keyPlain: storageKey, keySealed: sealedKey}[kind]
	if name == "" {
		return nil
	}
	if _, err := os.Stat(b.secret(name)); err == nil {
		return nil
	}
	if err := makeFolder(filepath.Dir(b.secret(name))); err != nil {
		return err
	}
	if kind == keyPlain {
		return hotlist.WriteKey(b.secret(name))
	}
	// The key is in the clear only in memory.
	dir, err := os.MkdirTemp("/run", "platewatch-key-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	plain := filepath.Join(dir, storageKey)
	if err := hotlist.WriteKey(plain); err != nil {
		return err
	}
	half := filepath.Join(filepath.Dir(b.secret(name)), "."+name)
	defer os.Remove(half)
	if err := b.run(ctx, nil, "systemd-creds", "encrypt", "--name="+storageKey, plain, half); err != nil {
		return err
	}
	return os.Rename(half, b.secret(name))
}

// start imports the lists, checks the unit and starts it.
func (b *board) start(ctx context.Context, a *answers) error {
	if b.systemd {
		if err := b.run(ctx, nil, "systemctl", "daemon-reload"); err != nil {
			return err
		}
	}
	for _, l := range a.imports {
		if err := b.importList(ctx, l); err != nil {
			return err
		}
	}
	if err := b.program(ctx, nil, "config", "check", "-config", b.o.Config); err != nil {
		return err
	}
	if b.o.NoStart {
		return nil
	}
	if !b.systemd {
		b.say("Start the unit with: platewatch run -config %s\n", b.o.Config)
		return nil
	}
	b.say("Starting the service …\n")
	// One that runs already has to take the new configuration.
	if err := b.run(ctx, nil, "systemctl", "enable", service); err != nil {
		return err
	}
	if err := b.run(ctx, nil, "systemctl", "restart", service); err != nil {
		return &Error{Err: err, Advice: "journalctl -u platewatch says why"}
	}
	return nil
}

// importList imports a list as the daemon's user, to which the lists belong.
func (b *board) importList(ctx context.Context, l listFile) error {
	f, err := os.Open(l.file)
	if err != nil {
		return err
	}
	defer f.Close()
	err = b.program(ctx, f, "hotlist", "import", "-config", b.o.Config, "-operator", "setup", "-list", l.name, "-")
	if err != nil {
		return &Error{Err: fmt.Errorf("the list %s was not imported: %w", l.name, err),
			Advice: "the configuration is written; correct the list and run this again, or import it with `platewatch hotlist import`"}
	}
	return nil
}

// program runs a command of this program: under systemd as the service would, with
// its user, its state and its secrets.
func (b *board) program(ctx context.Context, in *os.File, args ...string) error {
	if !b.systemd {
		return b.run(ctx, in, append([]string{b.o.Program}, args...)...)
	}
	line := []string{"systemd-run", "--quiet", "--pipe", "--wait", "--collect",
		"-p", "DynamicUser=yes", "-p", "User=platewatch", "-p", "StateDirectory=platewatch", "-p", "StateDirectoryMode=0700"}
	text, err := os.ReadFile(dropIn)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for setting := range strings.Lines(string(text)) {
		if strings.HasPrefix(setting, "LoadCredential") {
			line = append(line, "-p", strings.TrimSpace(setting))
		}
	}
	return b.run(ctx, in, append(append(line, b.o.Program), args...)...)
}

// run runs a program; what it says is shown, and is the error if it fails.
func (b *board) run(ctx context.Context, in *os.File, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	if args[0] == b.o.Program {
		cmd.Args[0] = "platewatch"
	}
	if in != nil {
		cmd.Stdin = in
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		text := strings.TrimPrefix(strings.TrimSpace(said.String()), "platewatch: ")
		if text == "" {
			text = err.Error()
		}
		return &Error{Err: fmt.Errorf("%s: %s", strings.Join(args[:min(2, len(args))], " "), text)}
	}
	for line := range strings.Lines(said.String()) {
		b.say("  %s", line)
	}
	return nil
}
