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
	systemd bool   // runs the service; otherwise somebody starts the daemon by hand
	creds   bool   // systemd-creds is there
	private string // a folder that nobody else sees, in memory where there is such a place
}

func newBoard(o *Options, c *console, private string) *board {
	b := &board{console: c, o: o, private: private}
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

// key is how the key for the lists is kept, and its file where it is a new one. A key
// that is there is never replaced: what was imported under it would be lost.
func (b *board) key(ctx context.Context) (keyKind, *file, error) {
	if b.o.Root != "" {
		return keyNone, nil, nil // the key is made on the board itself
	}
	for name, kind := range map[string]keyKind{sealedKey: keySealed, storageKey: keyPlain} {
		_, err := os.Stat(b.secret(name))
		switch {
		case err == nil:
			return kind, nil, nil
		case !errors.Is(err, fs.ErrNotExist):
			return keyNone, nil, err
		}
	}
	dir, err := os.MkdirTemp(b.private, "key-")
	if err != nil {
		return keyNone, nil, err
	}
	defer os.RemoveAll(dir)
	plain, sealed := filepath.Join(dir, storageKey), filepath.Join(dir, sealedKey)
	if err := hotlist.WriteKey(plain); err != nil {
		return keyNone, nil, err
	}
	kind, name, path := keyPlain, storageKey, plain
	if b.creds {
		err := b.run(ctx, "", "systemd-creds", "encrypt", "--name="+storageKey, plain, sealed)
		switch {
		case ctx.Err() != nil:
			return keyNone, nil, ctx.Err()
		case err != nil:
			b.say("The key of the lists is not bound to this board (%v): whoever takes its disk can read the lists.\n", err)
		default:
			kind, name, path = keySealed, sealedKey, sealed
		}
	}
	content, err := os.ReadFile(path)
	return kind, &file{b.secret(name), content, 0o600}, err
}

func (b *board) secret(name string) string {
	return filepath.Join(filepath.Dir(b.o.Config), config.SecretFolder, name)
}

// start imports the lists, checks the unit and starts it.
func (b *board) start(ctx context.Context, a *answers) error {
	if b.systemd {
		if err := b.run(ctx, "", "systemctl", "daemon-reload"); err != nil {
			return err
		}
	}
	for _, l := range a.imports {
		if err := b.importList(ctx, l); err != nil {
			return err
		}
	}
	if err := b.program(ctx, "", "config", "check", "-config", b.o.Config); err != nil {
		return err
	}
	if b.systemd && !b.o.NoStart {
		b.say("Starting the service …\n")
		// One that runs already has to take the new configuration.
		if err := b.run(ctx, "", "systemctl", "enable", service); err != nil {
			return err
		}
		if err := b.run(ctx, "", "systemctl", "restart", service); err != nil {
			return &Error{Err: err, Advice: "journalctl -u platewatch says why"}
		}
	}
	failed := b.doctor(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !b.systemd && !b.o.NoStart {
		b.say("Start the unit with: platewatch run -config %s\n", b.o.Config)
	}
	return failed
}

// doctor checks the unit, and the service where it runs.
func (b *board) doctor(ctx context.Context) error {
	if b.o.Untried {
		return nil
	}
	b.say("Checking all of it …\n")
	cmd := exec.CommandContext(ctx, b.o.Program, "doctor", "-config", b.o.Config, "-watch", "3s")
	cmd.Args[0] = "platewatch"
	cmd.Stdout, cmd.Stderr = b.out, b.out
	if err := cmd.Run(); err != nil {
		return &Error{Err: errors.New("the unit is set up, and not all is well"), Advice: "each finding above says what to do; `platewatch doctor` checks again"}
	}
	return nil
}

// importList imports a list as the daemon's user, to which the lists belong.
func (b *board) importList(ctx context.Context, l listFile) error {
	err := b.program(ctx, l.file, "hotlist", "import", "-config", b.o.Config, "-operator", "setup", "-list", l.name, "-")
	if err != nil {
		return &Error{Err: fmt.Errorf("the list %s was not imported: %w", l.name, err),
			Advice: "the configuration is written; correct the list and run this again, or import it with `platewatch hotlist import`"}
	}
	return nil
}

// program runs a command of this program, with a file as its input if one is named:
// under systemd as the service would, with its user, its state and its secrets.
func (b *board) program(ctx context.Context, input string, args ...string) error {
	if !b.systemd {
		return b.run(ctx, input, append([]string{b.o.Program}, args...)...)
	}
	// A unit file and not systemd-run, which needs a message bus: a small board may
	// have none.
	const name, path = "platewatch-setup.service", "/run/systemd/system/platewatch-setup.service"
	text, err := os.ReadFile(dropIn)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	output := filepath.Join(b.private, "output")
	defer os.Remove(output)
	var unit strings.Builder
	unit.WriteString("[Unit]\nDescription=platewatch setup\n[Service]\nType=oneshot\nDynamicUser=yes\nUser=platewatch\nUMask=0077\n" +
		"StateDirectory=platewatch\nStateDirectoryMode=0700\n")
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "LoadCredential") {
			unit.WriteString(line)
		}
	}
	if input != "" {
		fmt.Fprintf(&unit, "StandardInput=file:%s\n", strings.ReplaceAll(input, "%", "%%"))
	}
	fmt.Fprintf(&unit, "StandardOutput=file:%s\nStandardError=inherit\nExecStart=", output)
	for _, arg := range append([]string{b.o.Program}, args...) {
		unit.WriteString(quoteArgument(arg) + " ")
	}
	unit.WriteByte('\n')
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(unit.String()), 0o644)); err != nil {
		return err
	}
	defer func() {
		_ = os.Remove(path)
		_ = exec.Command("systemctl", "daemon-reload").Run() // forgets it
	}()
	if err := b.run(ctx, "", "systemctl", "daemon-reload"); err != nil {
		return err
	}
	err = b.run(ctx, "", "systemctl", "start", name)
	said, readErr := os.ReadFile(output)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && readErr == nil && len(bytes.TrimSpace(said)) > 0 {
		_ = exec.Command("systemctl", "reset-failed", name).Run() // it is gone anyway
		return &Error{Err: errors.New(strings.TrimPrefix(strings.TrimSpace(string(said)), "platewatch: "))}
	}
	b.show(said)
	return err
}

// quoteArgument writes one argument of ExecStart.
func quoteArgument(arg string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(arg) + `"`
}

// show prints what a program said.
func (b *board) show(said []byte) {
	for line := range strings.Lines(string(said)) {
		b.say("  %s", line)
	}
}

// run runs a program, with a file as its input if one is named; what it says is shown, and is the error if it fails.
func (b *board) run(ctx context.Context, input string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	if args[0] == b.o.Program {
		cmd.Args[0] = "platewatch"
	}
	if input != "" {
		f, err := os.Open(input)
		if err != nil {
			return err
		}
		defer f.Close()
		cmd.Stdin = f
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
	b.show(said.Bytes())
	return nil
}
