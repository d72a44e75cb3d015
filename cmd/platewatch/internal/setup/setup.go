// Package setup makes a unit out of a few answers: it asks for name, cameras, broker
// and lists, tries each of them, writes the configuration and the secrets, imports
// the lists and starts the service.
//
//	console.go    asks, with a flag in the place of each answer
//	questions.go  the questions, and what makes an answer acceptable
//	lists.go      those about lists
//	try.go        camera and broker, tried as the unit uses them
//	files.go      answers → files, written all or none
//	install.go    key, import, checks and start on this board
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/uplink/broker"
)

// Options are the answers that were given as flags, and what to do with them.
type Options struct {
	Config   string // the configuration file to write
	StateDir string // "" for the default
	// Root is a folder that becomes the root of another board: the files are written
	// below it, and nothing is tried, imported or started.
	Root string
	Yes  bool // asks nobody
	// Force replaces files that are there with -yes.
	Force   bool
	Untried bool // neither camera nor broker is tried
	NoStart bool // the service is not started

	Name              string
	Cameras           []string // source, or name=source
	CameraCredentials []string // file with user:password, or name=file
	Picture           string   // where the camera's picture goes; "" for a place that goes away
	Region            string
	Broker            string
	CA, Cert, Key     string // files
	User              string
	PasswordFile      string
	Insecure          bool
	Follow            []string // signed lists
	Trust             []string // files with signers' keys
	Lists             []string // file to import, or name=file

	In  io.Reader
	Out io.Writer
	// Program runs this program again as another process, with these arguments.
	Program string
}

// at is a path on the board that is set up.
func (o *Options) at(parts ...string) string {
	return filepath.Join(append([]string{o.Root}, parts...)...)
}

// stateDir is the state directory where the configuration has to say it.
func (o *Options) stateDir() string {
	if o.StateDir == config.DefaultStateDir {
		return ""
	}
	return o.StateDir
}

// Run sets the unit up. It writes nothing before all is answered, and then all files
// or none.
func Run(ctx context.Context, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	dir, err := pictureFolder()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	k := &asker{console: newConsole(o.In, o.Out, o.Yes), o: o, dir: dir}
	defer close(k.ask)
	if err := k.all(ctx); err != nil {
		return err
	}
	b := newBoard(&k.o, k.console, dir)
	kind, key, err := b.key(ctx)
	if err != nil {
		return err
	}
	files := k.a.files(&k.o, kind)
	if key != nil {
		files = append([]file{*key}, files...)
	}
	if err := config.Check(k.o.Config, files[len(files)-1].content); err != nil {
		return err
	}
	if err := k.confirm(ctx, files); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := write(files); err != nil {
		return &Error{Err: fmt.Errorf("the files were not written: %w", err), Advice: "run this as root, and check the disk"}
	}
	k.say("%s is written.\n", k.o.at(k.o.Config))
	if o.Root != "" {
		return nil
	}
	if err := b.start(ctx, &k.a); err != nil {
		return err
	}
	k.next(b)
	return nil
}

// check refuses flags that do not go together.
func (o *Options) check() error {
	var err error
	if o.Config, err = filepath.Abs(o.Config); err != nil {
		return err
	}
	if o.StateDir != "" {
		if o.StateDir, err = filepath.Abs(o.StateDir); err != nil {
			return err
		}
	}
	if o.Root == "" {
		return nil
	}
	o.Untried, o.NoStart = true, true
	if len(o.Lists) > 0 {
		return &Error{Err: errors.New("-list imports on the board itself, and -root prepares another one"), Usage: true,
			Advice: "follow a signed list with -follow, or import on the board"}
	}
	return nil
}

// confirm shows what will be written, and asks before it replaces anything.
func (k *asker) confirm(ctx context.Context, files []file) error {
	there := existing(files)
	if k.quiet {
		if len(there) > 0 && !k.o.Force {
			return &Error{Err: fmt.Errorf("there is a unit already: %s", strings.Join(there, ", ")), Advice: "-force replaces these files"}
		}
		return nil
	}
	k.say("\nThese files will be written:\n")
	for _, f := range files {
		k.say("  %s\n", f.path)
	}
	prompt, def := "Write them?", true
	if len(there) > 0 {
		k.say("These are there already, with other content: %s\n", strings.Join(there, ", "))
		prompt, def = "Replace them? The old configuration is kept as "+filepath.Base(k.o.Config)+".old.", k.o.Force
	}
	ok, err := k.yes(ctx, prompt, def)
	if err == nil && !ok {
		err = &Error{Err: errors.New("nothing was written"), Advice: "run `platewatch setup` again"}
	}
	return err
}

// next says where to look now.
func (k *asker) next(b *board) {
	if b.systemd && !k.o.NoStart {
		k.say("The unit runs. Its status page, from a laptop: ssh -L 8080:127.0.0.1:8080 BOARD, then http://localhost:8080/\n")
	}
	if k.a.broker != "" {
		k.say("Hits, as they arrive: platewatch watch -broker %s -unit %s\n", broker.Redact(k.a.broker), k.a.name)
	}
}
