package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"platewatch/cmd/platewatch/internal/cli"
)

// about says what the commands of a group have in common.
var about = map[string]string{
	"": "A hit is a lead: a person compares plate and issuing state before acting.",
	"hotlist": "The lists of wanted plates that a unit matches against.\n" +
		"The daemon may keep running: it loads changes within a second.",
	"outbox": "What waits for the server in the outbox file. The daemon must be stopped meanwhile.",
	"audit":  "Who changed the hotlists, who looked plates up, and which hits there were.",
	"config": "A unit's configuration, as `platewatch run` would read it.",
}

// members are the commands of a group; "" is the program itself.
func members(name string) []command {
	switch name {
	case "":
		return commands()
	case "hotlist":
		return hotlistCommands()
	case "outbox":
		return outboxCommands()
	case "audit":
		return auditCommands()
	case "config":
		return configCommands()
	}
	return nil
}

// group is a command that has commands of its own.
func group(name string) func(context.Context, stdio, []string) error {
	return func(ctx context.Context, std stdio, args []string) error { return runGroup(ctx, std, name, args) }
}

// runGroup runs the command of a group that the first argument names, or its help.
func runGroup(ctx context.Context, std stdio, name string, args []string) error {
	if _, describing := std.out.(*cli.Describer); describing {
		return flag.ErrHelp
	}
	whole := strings.TrimSpace(cli.Program + " " + name)
	if len(args) == 0 {
		describe(name, summaryOf(name), "", nil).Help(std.err)
		return usageError("a command is missing", "name one of those above")
	}
	switch args[0] {
	case "-h", "-help", "--help":
		describe(name, summaryOf(name), "", nil).Help(std.out)
		return flag.ErrHelp
	case "help":
		return runGroup(ctx, std, name, append(args[1:len(args):len(args)], "-h"))
	}
	var names []string
	for _, c := range members(name) {
		if c.name == args[0] {
			return c.run(ctx, std, args[1:])
		}
		names = append(names, c.name)
	}
	hint := fmt.Sprintf("`%s -h` lists the commands", whole)
	if len(names) <= 4 {
		hint = "there are " + strings.Join(names, ", ")
	}
	if s := cli.Nearest(args[0], names); s != "" {
		hint = fmt.Sprintf("did you mean `%s %s`? %s", whole, s, hint)
	}
	return usageError(fmt.Sprintf("there is no command %q", strings.TrimSpace(name+" "+args[0])), hint)
}

// describe returns a command and all in it, as help, completion and manual show
// them. Flags and synopsis come from the command itself: it is called with -h.
func describe(name, summary, args string, run func(context.Context, stdio, []string) error) cli.Command {
	c := cli.Command{Name: name, Summary: summary, Args: args, Examples: cli.Examples[name]}
	if list := members(name); list != nil {
		c.Synopsis = "COMMAND [flags] [arguments]\n" + about[name]
		for _, m := range list {
			c.Sub = append(c.Sub, describe(strings.TrimSpace(name+" "+m.name), m.summary, m.args, m.run))
		}
		return c
	}
	d := &cli.Describer{Writer: io.Discard}
	_ = run(context.Background(), stdio{strings.NewReader(""), d, io.Discard}, []string{"-h"}) // flag.ErrHelp
	c.Flags, c.Synopsis = d.Flags, d.Synopsis
	return c
}

// program describes the whole program.
func program() cli.Command { return describe("", summaryOf(""), "", nil) }

// summaryOf is what the tables say of a command.
func summaryOf(name string) string {
	if name == "" {
		return "reads licence plates at the roadside and reports those on a hotlist"
	}
	parent, last := "", name
	if i := strings.LastIndexByte(name, ' '); i > 0 {
		parent, last = name[:i], name[i+1:]
	}
	for _, c := range members(parent) {
		if c.name == last {
			return c.summary
		}
	}
	return ""
}

// parse parses a command's flags, which may stand before and after its arguments. It
// answers -h itself and then returns [flag.ErrHelp], which counts as success.
func parse(fs *flag.FlagSet, std stdio, synopsis string, args []string) error {
	fs.SetOutput(io.Discard)
	err := cli.Parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		d := &cli.Describer{}
		d.Describe(fs, synopsis)
		if asked, ok := std.out.(*cli.Describer); ok {
			*asked = *d
			return err
		}
		cli.Command{Name: fs.Name(), Summary: summaryOf(fs.Name()), Synopsis: synopsis, Flags: d.Flags, Examples: cli.Examples[fs.Name()]}.Help(std.out)
		return err
	}
	if err != nil {
		return usageError(cli.FlagError(fs, err))
	}
	return nil
}

// runCompletion prints the completion script of a shell.
func runCompletion(_ context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("completion", flag.ContinueOnError)
	shells := strings.Join(cli.Shells, "|")
	synopsis := shells + "\n\nThe package installs them. By hand: source <(platewatch completion bash), or the same\nfor zsh; for fish: platewatch completion fish | source"
	if err := parse(fs, std, synopsis, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return usageError("one shell is needed", "name it: "+shells)
	}
	if err := program().Completion(std.out, fs.Arg(0)); err != nil {
		return usageError(err.Error(), "there are "+shells)
	}
	return nil
}

// runMan writes the manual pages.
func runMan(_ context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("man", flag.ContinueOnError)
	if err := parse(fs, std, "[DIR]\n\nWrites platewatch.1 and a page for each command into DIR, which is . by default.\nman -l DIR/platewatch.1 shows one.", args); err != nil {
		return err
	}
	folder := "."
	switch fs.NArg() {
	case 0:
	case 1:
		folder = fs.Arg(0)
	default:
		return usageError("man takes one folder", "name the folder for the pages")
	}
	names, err := program().ManPages(folder, version().Version)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%d manual pages in %s\n", len(names), folder)
	return err
}
