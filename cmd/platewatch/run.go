package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/journal"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/cmd/platewatch/internal/unit"
)

// runDaemon runs the daemon.
func runDaemon(ctx context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	file := fs.String("config", config.DefaultFile, "configuration `file`")
	regions := fs.String("region", "", regionUsage+"; instead of the configuration's")
	if err := parse(fs, std, "[-config FILE] [-region REGIONS]", args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usageError("run takes no arguments", "name the configuration with -config FILE")
	}
	if err := checkRegions(*regions); err != nil {
		return err
	}
	c, err := loadConfig(*file)
	if err != nil {
		return err
	}
	if *regions != "" {
		c.OCR.Region = *regions
	}
	var level slog.LevelVar
	level.Set(c.Log.SlogLevel())
	log := logger(std.err, c.Log.Format, &level)
	forbidCoreDumps(log)
	for _, secret := range c.ReadableSecrets() {
		log.Warn("every user of this machine may read a secret; chmod o-r", "file", secret)
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	u, err := unit.Open(unit.Options{
		Config: c, Version: statusVersion(), Log: log, Level: &level, Hangup: hangup,
		Reload: func() (*config.Config, error) {
			c, err := loadConfig(*file)
			if err == nil && *regions != "" {
				c.OCR.Region = *regions
			}
			return c, err
		},
	})
	if err != nil {
		return err
	}
	err = u.Run(ctx)
	if closed := u.Close(); err == nil {
		err = closed
	}
	return err
}

// forbidCoreDumps keeps the memory, which holds the hotlist's key and plates that
// match no list, from core dumps and from other processes of the same user.
func forbidCoreDumps(log *slog.Logger) {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		log.Warn("core dumps of this process cannot be forbidden", "error", err)
	}
}

// logger writes to w in a format of the configuration. To the journal it gives the
// priority of each line, and leaves the time to it.
func logger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if journal.Is(w) {
		return slog.New(journal.Handler(w, o, format == "json"))
	}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func statusVersion() status.Version {
	v := version()
	return status.Version{Version: v.Version, Revision: v.Revision, Go: runtime.Version()}
}
