package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"platewatch/cmd/platewatch/internal/bench"
	"platewatch/ocr"
	"platewatch/ocr/truth"
)

// shownFailures bounds the pictures of a folder on the HTML page.
const shownFailures = 200

// runBench measures accuracy and speed on labelled folders.
func runBench(ctx context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print the scores as JSON")
	page := fs.String("html", "", "write the scores and every failure as a picture into `file`")
	modelName := fs.String("model", "plate", modelUsage)
	regions := fs.String("region", "", regionUsage)
	if err := parse(fs, std, "[flags] DIR ...", args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return usageError("nothing to measure", "name folders with pictures or clips and a "+truth.FileName)
	}
	params, err := readingParams(*regions)
	if err != nil {
		return err
	}
	var sets []*truth.Set
	files := 0
	for _, dir := range fs.Args() {
		set, err := truth.Open(dir)
		if err != nil {
			return &failure{code: codeOf(err), err: err, hint: "bench needs a folder with a " + truth.FileName + ": file, x, y, w, h, plate"}
		}
		sets = append(sets, set)
		files += len(set.Files)
	}
	recogniser, err := ocr.New(readingModel(*modelName), params)
	if err != nil {
		return err
	}
	defer recogniser.Close()

	bar := progressOn(std.err, files, "reading")
	var scores []*bench.Score
	for _, set := range sets {
		s, err := bench.Run(ctx, recogniser, set, func() { bar.Add(1) })
		if err != nil {
			return err
		}
		scores = append(scores, s)
	}
	bar.Finish()
	memory, err := bench.ReadMemory()
	if err != nil {
		return err
	}
	if *page != "" {
		f, err := os.Create(*page)
		if err != nil {
			return err
		}
		if err := errors.Join(bench.WritePage(f, scores, shownFailures), f.Close()); err != nil {
			return err
		}
	}
	total := bench.Total(scores)
	if *asJSON {
		enc := json.NewEncoder(std.out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Folders []*bench.Score `json:"folders"`
			All     *bench.Score   `json:"all"`
			bench.Memory
		}{scores, total, memory})
	}
	fmt.Fprintf(std.out, "%s%s\n%s\nmemory: %.0f MiB resident, %.0f MiB at most\n\n%s", bench.Table(scores), bench.Told(total.Region), total.Calibration.Diagram(),
		float64(memory.Resident)/(1<<20), float64(memory.Peak)/(1<<20), bench.Legend)
	if total.Unreadable > 0 {
		return &failure{code: exitFailed, err: fmt.Errorf("%d of %d files could not be read, and count as not found", total.Unreadable, files),
			hint: "platewatch read FILE says why"}
	}
	return nil
}

// progressOn is a progress bar on a terminal, and silent elsewhere.
func progressOn(w io.Writer, steps int, what string) *progressbar.ProgressBar {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return progressbar.NewOptions(steps, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	}
	return progressbar.NewOptions(steps, progressbar.OptionSetWriter(io.Discard))
}
