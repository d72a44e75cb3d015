// Command board tries the Debian package on an emulated board: an arm64 Debian with
// systemd, in qemu, whose test camera shows rendered plates. It installs the
// package with apt, drives the board over its serial line, and is itself the
// server that the hits arrive at. It writes a table: case, outcome, what was
// measured (tab separated).
//
//	go run ./deploy/board build/board.tsv          all cases
//	go run ./deploy/board -short build/board.tsv   from the installation to the watchdog
//	go run ./deploy/board -only 'power' build/board.tsv
//
// The cases are in cases.go. What is slow to make stays in build/board. Needs root,
// and the packages of `deploy/tools/packages board`. With DEB=FILE that package is
// tried instead of one made here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Emulated, and beside other work, a board takes its time.
const (
	bootTimeout = 20 * time.Minute
	patience    = 10 * time.Minute
)

func main() {
	short := flag.Bool("short", false, "only from the installation to the watchdog")
	only := flag.String("only", ".", "of the cases after the first hit, only those whose name matches this `pattern`")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: board [-short] [-only PATTERN] TABLE")
		flag.PrintDefaults()
	}
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if flag.NArg() != 1 || err != nil {
		flag.Usage()
		os.Exit(64)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err = try(ctx, flag.Arg(0), *short, pattern)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "board:", err)
		os.Exit(1)
	}
}

// try runs the cases and writes the table.
func try(ctx context.Context, table string, short bool, only *regexp.Regexp) error {
	dir, err := filepath.Abs(filepath.Join(folder, "server"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	s, err := newServer(ctx, dir)
	if err != nil {
		return err
	}
	defer s.down()
	im, err := makeImage(ctx, s)
	if err != nil {
		return err
	}
	b := &board{image: im, server: s}
	defer os.Remove(im.root)
	if err := os.RemoveAll(folder + "/serial.log"); err != nil {
		return err
	}
	out, err := os.Create(table)
	if err != nil {
		return err
	}
	defer out.Close()
	defer func() {
		if b.machine != nil {
			b.powerCut()
		}
	}()
	begun, failed := time.Now(), 0
	for _, c := range cases {
		if short && !c.short || !c.first && !only.MatchString(c.name) {
			continue
		}
		at := time.Now()
		measured, err := c.try(ctx, b)
		outcome := "ok"
		switch {
		case errors.Is(err, errSkipped):
			outcome, measured = "skipped", err.Error()
		case err != nil:
			failed++
			outcome = "FAILED"
			fmt.Fprintf(os.Stderr, "%s: %v\n", c.name, err)
			measured = strings.ReplaceAll(firstLine(err.Error()), "\t", " ")
		}
		if _, err := fmt.Fprintf(out, "%s\t%s\t%s\n", c.name, outcome, measured); err != nil {
			return err
		}
		fmt.Printf("%-34s %-8s %s (%.0f s)\n", c.name, outcome, measured, time.Since(at).Seconds())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && c.first {
			return errors.New("without this case no other can be tried")
		}
	}
	fmt.Printf("%s, package %s: %d failed, %.0f minutes\n", "bookworm/arm64", im.version, failed, time.Since(begun).Minutes())
	if failed > 0 {
		return fmt.Errorf("%d cases failed; the board's log is %s/serial.log", failed, folder)
	}
	return nil
}
