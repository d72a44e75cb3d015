// Command platewatch is the edge daemon for roadside licence-plate readers
// and every tool that goes with it, in one binary.
//
// This package only wires: each subcommand lives in a file of its own name,
// parses its flags and calls the packages that do the work. [run] picks the
// subcommand; [report] is the one place that turns an error into words and an
// exit code.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

func main() {
	if os.Getenv("GOGC") == "" {
		// Pictures live outside Go's heap, which is small: collecting it more often
		// costs little and saves 3 MiB.
		debug.SetGCPercent(30)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, stdio{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(report(os.Stderr, err))
}

// stdio is where a command reads and writes; tests hand in buffers.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// command is one subcommand. run gets the arguments after the command's name.
type command struct {
	name    string
	args    string // after the name, in the usage line
	summary string
	run     func(ctx context.Context, std stdio, args []string) error
}

// commands lists every subcommand, in the order in which help prints them.
func commands() []command {
	return []command{
		{"run", "[-config FILE]", "the daemon: cameras in, hits out", runDaemon},
		{"read", "[flags] FILE|DIR|VIDEO|URL ...", "read the plates in pictures, folders and videos", runRead},
		{"bench", "[-json] [-html FILE] DIR ...", "accuracy and speed against DIR/truth.tsv", runBench},
		{"hotlist", "import|list|check|...", "the local hotlist: import, show, check, sign", group("hotlist")},
		{"outbox", "stats|list", "hits that wait for the server", group("outbox")},
		{"audit", "show|counts|retention|...", "who changed the hotlists, and which hits there were", group("audit")},
		{"doctor", "[-config FILE] [-json]", "check camera, reader, clock, broker, lists and keys", runDoctor},
		{"setup", "[flags]", "make a unit of this board, in a few answers", runSetup},
		{"watch", "-broker URL", "print what one unit or the whole fleet publishes", runWatch},
		{"demo", "[-forever] [-clips DIR]", "the whole system on this machine, nothing to configure", runDemo},
		{"config", "check|show|policy|token", "check or print a configuration, make a token for its page", group("config")},
		{"completion", "bash|zsh|fish", "print the completion script of a shell", runCompletion},
		{"man", "[DIR]", "write the manual pages into a folder", runMan},
		{"version", "", "what this binary was built from", runVersion},
	}
}

// run carries out one command line. Every error it returns is for a person:
// see [report].
func run(ctx context.Context, std stdio, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "-v", "-version", "--version":
			return runVersion(ctx, std, args[1:])
		}
	}
	return runGroup(ctx, std, "", args)
}

// Exit codes are part of the interface: scripts, installers and the systemd unit
// rely on them. The Go runtime exits with 2 after a panic and
// a fatal signal: systemd must restart the daemon then.
const (
	exitFine    = 0  // it did what was asked
	exitFailed  = 1  // it ran and failed
	exitConfig  = 3  // the configuration was refused
	exitMissing = 4  // something it needs is missing: camera, model, file
	exitUsage   = 64 // wrong flags or arguments: EX_USAGE of sysexits.h
)

// failure is an error with an exit code and a hint: what a person can do.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }
func (f *failure) Hint() string  { return f.hint }

func usageError(what, hint string) error {
	return &failure{code: exitUsage, err: errors.New(what), hint: hint}
}

// report prints err as one line, the problem and what to do about it, and returns
// the exit code. Packages below carry hints as a method Hint() string, and
// mark what is missing as [os.ErrNotExist].
func report(w io.Writer, err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitFine
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "platewatch: interrupted")
		return exitFailed
	}
	line := "platewatch: " + strings.TrimRight(err.Error(), ".\n")
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		line += ": " + h.Hint()
	}
	fmt.Fprintln(w, line)
	return codeOf(err)
}

// codeOf is the exit code that an error stands for.
func codeOf(err error) int {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f.code
	case errors.Is(err, os.ErrNotExist):
		return exitMissing
	}
	return exitFailed
}
