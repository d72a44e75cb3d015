package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/oversight"
)

// configCommands lists what `platewatch config` can do.
func configCommands() []command {
	return []command{
		{"check", "[FILE]", "check a configuration, and that nothing it needs is missing", runConfigCheck},
		{"show", "[FILE]", "print a configuration with its defaults", runConfigShow},
		{"policy", "[-format F] [FILE]", "say in words what the unit keeps, sends and shows", runConfigPolicy},
		{"token", "-role ROLE -name NAME", "make a token for the status page", runConfigToken},
	}
}

// openConfig loads the configuration that flags or argument name.
func openConfig(std stdio, name string, args []string) (file string, c *config.Config, err error) {
	const synopsis = "[-config FILE | FILE]"
	fs := flag.NewFlagSet("config "+name, flag.ContinueOnError)
	fs.StringVar(&file, "config", config.DefaultFile, "configuration `file`")
	if err := parse(fs, std, synopsis, args); err != nil {
		return "", nil, err
	}
	switch fs.NArg() {
	case 0:
	case 1:
		file = fs.Arg(0)
	default:
		return "", nil, usageError(fs.Name()+" takes one file", "`platewatch "+fs.Name()+" "+synopsis+"`")
	}
	c, err = loadConfig(file)
	return file, c, err
}

func runConfigShow(_ context.Context, std stdio, args []string) error {
	_, c, err := openConfig(std, "show", args)
	if err != nil {
		return err
	}
	return c.Show(std.out)
}

func runConfigCheck(_ context.Context, std stdio, args []string) error {
	file, c, err := openConfig(std, "check", args)
	if err != nil {
		return err
	}
	verdict := "valid and complete"
	switch n := len(c.MissingFiles()); {
	case n == 1:
		verdict = "valid, but a file that it names is missing"
	case n > 1:
		verdict = fmt.Sprintf("valid, but %d files that it names are missing", n)
	}
	if _, err := fmt.Fprintf(std.out, "%s is %s\n", file, verdict); err != nil {
		return err
	}
	return c.Summary(std.out)
}

// runConfigPolicy writes the policy that an agency can publish.
func runConfigPolicy(_ context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("config policy", flag.ContinueOnError)
	file := fs.String("config", config.DefaultFile, "configuration `file`")
	format := fs.String("format", "text", "`text`, markdown, or html: one page that can be printed and published")
	if err := parse(fs, std, "[-format text|markdown|html] [-config FILE | FILE]\n\nSays in plain words what the unit keeps, sends and shows, for how long and to whom,\n"+
		"and which lists it holds, from the configuration in force. What only the agency can\nsay is left to be filled in.\n", args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		*file = fs.Arg(0)
	}
	if fs.NArg() > 1 || !slices.Contains(oversight.Formats, *format) {
		return usageError("config policy takes one file, and a format", "the formats are "+strings.Join(oversight.Formats, ", "))
	}
	c, err := loadConfig(*file)
	if err != nil {
		return err
	}
	p, err := oversight.LoadPolicy(c, time.Now())
	if err != nil {
		return err
	}
	return p.Write(std.out, *format)
}

// runConfigToken makes a token: only its hash goes into the configuration.
func runConfigToken(_ context.Context, std stdio, args []string) error {
	const synopsis = "-role ROLE -name NAME"
	fs := flag.NewFlagSet("config token", flag.ContinueOnError)
	role := fs.String("role", "", "what it may see: view, aim, hits, or several as in aim+hits")
	name := fs.String("name", "", "whose it is, for the audit trail")
	if err := parse(fs, std, synopsis, args); err != nil {
		return err
	}
	if err := access.WriteNew(std.out, *name, *role); err != nil {
		return &failure{code: exitUsage, err: err, hint: "`platewatch config token " + synopsis + "`"}
	}
	return nil
}

// loadConfig reads a configuration file. One that is refused ends the program
// with [exitConfig].
func loadConfig(file string) (*config.Config, error) {
	c, err := config.Load(file, os.Getenv)
	var refused *config.Error
	if errors.As(err, &refused) {
		return nil, &failure{code: exitConfig, err: err}
	}
	return c, err
}
