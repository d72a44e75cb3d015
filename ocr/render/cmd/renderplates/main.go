// Command renderplates renders the plates that the reader is trained on. It is
// a tool for developers: ocr/train calls it, no installed program does.
//
//	renderplates -out DIR -chunks 20 [-first 0] [-size 5000] [-seed 1] [-workers 2]
//	renderplates -sheet FILE [-seed 1]
//
// A chunk is two files. NNNNN.pix holds size pictures of [storedH] × [storedW]
// grey bytes one after the other. NNNNN.tsv has one line per picture: the
// label, the four corners around its characters (x y each, clockwise from the
// top left, pixels of the picture) and the middle of each character along x,
// separated by spaces. Both are renamed into place when complete, the .tsv
// last, and a chunk that exists is left alone: the command can be stopped and
// started again at any time. The same seed and number give the same chunk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "renderplates:", err)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	fs := flag.NewFlagSet("renderplates", flag.ContinueOnError)
	fs.SetOutput(stderr)
	out := fs.String("out", "", "write chunks into this `folder`")
	first := fs.Int("first", 0, "number of the first chunk")
	chunks := fs.Int("chunks", 1, "how many chunks")
	size := fs.Int("size", 5000, "pictures in a chunk")
	seed := fs.Uint64("seed", 1, "seed of everything that is left to chance")
	workers := fs.Int("workers", 1, "chunks rendered at once")
	sheet := fs.String("sheet", "", "write a sheet of plates to this PNG `file` instead")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || (*out == "") == (*sheet == "") {
		fs.Usage()
		return errors.New("say what to write: -out or -sheet")
	}
	if *size < 1 || *chunks < 1 || *first < 0 || *workers < 1 {
		return errors.New("-size, -chunks and -workers are at least 1, -first at least 0")
	}
	foundry, err := newFoundry(*seed, variedFaces)
	if err != nil {
		return err
	}
	if *sheet != "" {
		return writeSheet(*sheet, foundry, *seed)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	start := time.Now()
	var next, done atomic.Int64
	var group sync.WaitGroup
	failures := make(chan error, *workers)
	for range *workers {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= *chunks {
					return
				}
				c := chunk{path: filepath.Join(*out, fmt.Sprintf("%05d", *first+i)), number: *first + i, size: *size, seed: *seed}
				fresh, err := c.write(ctx, foundry)
				if err != nil {
					failures <- err
					return
				}
				if n := done.Add(1); fresh {
					spent := time.Since(start)
					fmt.Fprintf(stderr, "chunk %d of %d, %s left\n", n, *chunks, (spent / time.Duration(n) * time.Duration(int64(*chunks)-n)).Round(time.Second))
				}
			}
		})
	}
	group.Wait()
	close(failures)
	if err := <-failures; err != nil {
		return err
	}
	return ctx.Err()
}
