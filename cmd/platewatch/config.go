package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/config"
)

// configCommands lists what `platewatch config` can do.
func configCommands() []command {
	return []command{
		{"check", "[FILE]", "check a configuration, and that nothing it needs is missing", runConfigCheck},
		{"show", "[FILE]", "print a configuration with its defaults", runConfigShow},
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
