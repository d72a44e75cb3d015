package main

import (
	"context"
	"flag"
	"log/slog"

	"platewatch/cmd/platewatch/internal/demo"
)

// runDemo runs the whole system on this machine.
func runDemo(ctx context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	forever := fs.Bool("forever", false, "repeat the clip until interrupted, to look at the status page")
	clips := fs.String("clips", "", "play the clips in `folder`, with the plates of its truth.tsv as the hotlist")
	listen := fs.String("listen", "127.0.0.1:8080", "`address` of the status page; another port is taken if it is in use")
	modelName := fs.String("model", "plate", modelUsage)
	regions := fs.String("region", "", regionUsage)
	verbose := fs.Bool("verbose", false, "show the unit's log")
	if err := parse(fs, std, "[flags]", args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usageError("demo takes no arguments", "clips are named with -clips FOLDER")
	}
	if err := checkRegions(*regions); err != nil {
		return err
	}
	level := slog.LevelError
	if *verbose {
		level = slog.LevelInfo
	}
	return demo.Run(ctx, demo.Options{
		Clips: *clips, Forever: *forever, Listen: *listen, Region: *regions, Model: *modelName, Version: statusVersion(),
		Out: std.out, Log: slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: level})),
	})
}
