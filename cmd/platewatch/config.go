package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"platewatch/cmd/platewatch/internal/config"
)

// runConfig checks a configuration, or prints it with its defaults.
func runConfig(_ context.Context, std stdio, args []string) error {
	const synopsis = "check|show [-config FILE | FILE]"
	action := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		action, args = args[0], args[1:]
	}
	fs := flag.NewFlagSet("config", flag.ContinueOnError)
	file := fs.String("config", config.DefaultFile, "configuration `file`")
	if err := parse(fs, std, synopsis, args); err != nil {
		return err
	}
	switch rest := fs.Args(); len(rest) {
	case 0:
	case 1:
		*file = rest[0]
	default:
		return usageError("config takes one file", "`platewatch config "+synopsis+"`")
	}
	if action != "check" && action != "show" {
		return usageError("missing subcommand: check or show", "`platewatch config "+synopsis+"`")
	}
	c, err := loadConfig(*file)
	if err != nil {
		return err
	}
	if action == "show" {
		return c.Show(std.out)
	}
	if _, err := fmt.Fprintf(std.out, "%s is valid\n", *file); err != nil {
		return err
	}
	return c.Summary(std.out)
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
