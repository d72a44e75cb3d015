// Command renderclip writes the project's rendered media: the demo's clip, the
// test stills, and sheets of plates to look at. It is a tool for developers;
// no installed program needs it.
//
//	renderclip -clip DIR      road.h264 and road.tsv into DIR (needs ffmpeg)
//	renderclip -stills DIR    JPEG stills and truth.tsv into DIR
//	renderclip -sheet FILE    a PNG with every layout
//	renderclip -glyphs FILE   a PNG with every die
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "renderclip:", err)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	fs := flag.NewFlagSet("renderclip", flag.ContinueOnError)
	fs.SetOutput(stderr)
	clip := fs.String("clip", "", "write the demo clip into this `folder`")
	stills := fs.String("stills", "", "write the test stills into this `folder`")
	sheet := fs.String("sheet", "", "write a sheet of plates to this PNG `file`")
	glyphs := fs.String("glyphs", "", "write a sheet of characters to this PNG `file`")
	seed := fs.Uint64("seed", 1, "seed of the sheet")
	wear := fs.Float64("wear", .3, "wear of the plates on the sheet, 0–1")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *clip == "" && *stills == "" && *sheet == "" && *glyphs == "" {
		fs.Usage()
		return errors.New("say what to write: -clip, -stills, -sheet or -glyphs")
	}
	if *clip != "" {
		if err := writeClip(ctx, *clip, stderr); err != nil {
			return err
		}
	}
	if *stills != "" {
		if err := writeStills(*stills, stderr); err != nil {
			return err
		}
	}
	if *sheet != "" {
		if err := writePlateSheet(*sheet, *seed, *wear); err != nil {
			return err
		}
	}
	if *glyphs != "" {
		return writeGlyphSheet(*glyphs)
	}
	return nil
}
