package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"platewatch/capture/still"
	"platewatch/cmd/platewatch/internal/bench"
	"platewatch/ocr"
	"platewatch/ocr/truth"
)

// shownFailures bounds the pictures of a folder on the HTML page.
const shownFailures = 200

// runBench measures accuracy and speed on labelled folders.
func runBench(ctx context.Context, std stdio, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print the scores as JSON")
	page := flags.String("html", "", "write the scores and every failure as a picture into `file`")
	cut := flags.Bool("cut", false, "cut each picture inside its plates, at each side, and count what is reported there all the same")
	streams := flags.Bool("stream", false, "measure the processor time of following video, compared with a plain ffmpeg decode: for the files named, or for an empty road and one with traffic")
	modelName := flags.String("model", "plate", modelUsage)
	regions := flags.String("region", "", regionUsage+"; DIR:REGIONS says it for one folder")
	if err := parse(flags, std, "[flags] DIR[:REGIONS] ... | -cut DIR[:REGIONS] ... | -stream [VIDEO ...]", args); err != nil {
		return err
	}
	if *streams {
		return benchStreams(ctx, std, *modelName, *regions, *asJSON, flags.Args())
	}
	if flags.NArg() == 0 {
		return usageError("nothing to measure", "name folders with pictures or clips and a "+truth.FileName)
	}
	var folders []labelled
	files := 0
	for _, arg := range flags.Args() {
		f, err := openLabelled(arg, *modelName, *regions)
		if err != nil {
			return err
		}
		folders = append(folders, f)
		files += len(f.set.Files)
	}
	pictures := still.NewReader(still.Limits{})
	defer pictures.Close()
	bar := progressOn(std.err, files, "reading")
	if *cut {
		scores, err := measure(folders, func(r *ocr.Recogniser, set *truth.Set) (*bench.CutScore, error) {
			return bench.RunCut(ctx, r, pictures, set, func() { bar.Add(1) })
		})
		if err != nil {
			return err
		}
		bar.Finish()
		if *asJSON {
			return printJSON(std.out, scores)
		}
		fmt.Fprintf(std.out, "%s\n%s", bench.CutTable(scores), bench.CutLegend)
		return nil
	}
	scores, err := measure(folders, func(r *ocr.Recogniser, set *truth.Set) (*bench.Score, error) {
		return bench.Run(ctx, r, pictures, set, func() { bar.Add(1) })
	})
	if err != nil {
		return err
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
		if err := errors.Join(bench.WritePage(ctx, pictures, f, scores, shownFailures), f.Close()); err != nil {
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
	fmt.Fprintf(std.out, "%s\n%s\nmemory: %.0f MiB resident, %.0f MiB at most\n\n%s", bench.Table(scores), total.Calibration.Diagram(),
		float64(memory.Resident)/(1<<20), float64(memory.Peak)/(1<<20), bench.Legend)
	if total.Unreadable > 0 {
		return &failure{code: exitFailed, err: fmt.Errorf("%d of %d files could not be read, and count as not found", total.Unreadable, files),
			hint: "platewatch read FILE says why"}
	}
	return nil
}

// labelled is a folder to measure, with the settings to read it with.
type labelled struct {
	set    *truth.Set
	params ocr.Params
}

// openLabelled opens the folder that an argument names, DIR or DIR:REGIONS.
func openLabelled(arg, model, regions string) (labelled, error) {
	dir := arg
	set, err := truth.Open(dir)
	if i := strings.LastIndexByte(arg, ':'); i > 0 && errors.Is(err, fs.ErrNotExist) {
		dir, regions = arg[:i], arg[i+1:]
		set, err = truth.Open(dir)
	}
	if err != nil {
		return labelled{}, &failure{code: codeOf(err), err: err, hint: "bench needs a folder with a " + truth.FileName + ": file, x, y, w, h, plate"}
	}
	params, err := readingParams(model, regions)
	return labelled{set, params}, err
}

// measure reads the folders one after the other. Only one recogniser is open at a
// time, as in a unit: otherwise the memory figure would mean nothing.
func measure[S any](folders []labelled, run func(*ocr.Recogniser, *truth.Set) (S, error)) (scores []S, err error) {
	var r *ocr.Recogniser
	var opened ocr.Params
	defer func() {
		if r != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	for _, f := range folders {
		if r == nil || opened.Region != f.params.Region {
			if r != nil {
				if err := r.Close(); err != nil {
					return nil, err
				}
			}
			if r, err = ocr.New(f.params); err != nil {
				return nil, err
			}
			opened = f.params
		}
		s, err := run(r, f.set)
		if err != nil {
			return nil, err
		}
		scores = append(scores, s)
	}
	return scores, nil
}

// progressOn is a progress bar on a terminal, and silent elsewhere.
func progressOn(w io.Writer, steps int, what string) *progressbar.ProgressBar {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return progressbar.NewOptions(steps, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	}
	return progressbar.NewOptions(steps, progressbar.OptionSetWriter(io.Discard))
}
