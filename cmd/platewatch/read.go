package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"platewatch/capture/fault"
	"platewatch/capture/still"
	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/cmd/platewatch/internal/look"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/hotlist"
	"platewatch/hotlist/match"
	"platewatch/ocr"
	"platewatch/ocr/passage"
)

// runRead reads the plates on pictures, in folders, videos and streams.
func runRead(ctx context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("read", flag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print only JSON on standard output, one object per line")
	annotate := fs.String("annotate", "", "write copies of the pictures, with the plates marked, into `folder`")
	stages := fs.String("stages", "", "write contact sheets into `folder`: every stage of finding and reading, and why each candidate was dropped (pictures only)")
	lists := fs.String("hotlist", "", "look every plate up in the hotlist in `folder`")
	modelName := fs.String("model", "plate", modelUsage)
	regions := fs.String("region", "", regionUsage)
	if err := parse(fs, std, "[flags] FILE|DIR|VIDEO|URL|- ...\n\n- reads a picture from standard input.", args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return usageError("nothing to read", "name a picture, a folder, a video or a camera's address")
	}
	params, err := readingParams(*modelName, *regions)
	if err != nil {
		return err
	}
	inputs := look.Inputs(fs.Args(), &interruptible{ctx, std.in})
	pictures := still.NewReader(still.Limits{})
	defer pictures.Close()
	if inputs[0].Stream == nil && inputs[0].Err == nil {
		pictures.Prepare() // while the model is loaded
	}
	looker := look.Looker{Pictures: pictures, Observe: observe.DefaultParams(), Annotate: look.NewAlbum(*annotate), Stages: look.NewAlbum(*stages)}
	if *lists != "" {
		if looker.Hotlist, err = hotlist.OpenReadOnly(*lists, hotlist.Options{}); err != nil {
			return err
		}
		defer looker.Hotlist.Close()
	}
	if looker.Recogniser, err = ocr.New(params); err != nil {
		return err
	}
	defer looker.Recogniser.Close()
	if looker.Hotlist != nil {
		lists, err := looker.Hotlist.Lists()
		if err != nil {
			return err
		}
		looker.Recogniser.ExpectShort(hit.Shortest(lists))
	}

	out := printer{w: std.out, json: *asJSON}
	var failed []error
	for _, in := range inputs {
		err := looker.Look(ctx, in, out.line)
		if err == nil {
			continue
		}
		if in.Stream != nil && errors.Is(err, fault.ErrConfig) {
			err = &failure{code: exitUsage, err: err, hint: hint(err)} // the address was given here
		}
		if ctx.Err() != nil || errors.Is(err, errOutput) {
			return err
		}
		failed = append(failed, err)
		if *asJSON {
			if err := out.line(look.Failure{File: in.Name, Error: err.Error()}); err != nil {
				return err
			}
		} else if len(inputs) > 1 {
			report(std.err, err)
		}
	}
	return unread(failed, len(inputs))
}

// unread returns the error for inputs that could not be read; a single one's error
// is returned as it is.
func unread(failed []error, of int) error {
	switch {
	case len(failed) == 0:
		return nil
	case of == 1:
		return failed[0]
	}
	code := exitMissing
	for _, err := range failed {
		if codeOf(err) != exitMissing {
			code = exitFailed
		}
	}
	if len(failed) < of {
		code = exitFailed
	}
	return &failure{code: code, err: fmt.Errorf("%d of %d could not be read", len(failed), of)}
}

// errOutput says that standard output cannot be written, so that reading on is
// pointless.
var errOutput = errors.New("the output cannot be written")

// printer prints lines for programs or for people.
type printer struct {
	w    io.Writer
	json bool
}

func (p printer) line(l any) error {
	var b []byte
	if p.json {
		var err error
		if b, err = json.Marshal(l); err != nil {
			return err
		}
		b = append(b, '\n')
	} else {
		b = []byte(inWords(l))
	}
	if _, err := p.w.Write(b); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}

// inWords formats a line for people.
func inWords(l any) string {
	var b strings.Builder
	switch l := l.(type) {
	case look.Picture:
		if len(l.Plates) == 0 {
			fmt.Fprintf(&b, "%s  no plate  (%.0f ms)\n", l.File, l.ElapsedMS)
		}
		for _, p := range l.Plates {
			fmt.Fprintf(&b, "%s  %-10s %3.0f %%  at %d,%d  (%.0f ms)%s\n", l.File, p.Text, 100*p.Confidence, p.Box[0], p.Box[1], l.ElapsedMS, matchWords(p.Matches))
		}
	case look.Empty:
		fmt.Fprintf(&b, "%s  no plate\n", l.File)
	case look.Passage:
		for _, p := range l.Plates {
			fmt.Fprintf(&b, "%s  passage %d  %-10s %3.0f %%  %.1f–%.1f s, %d frames%s%s\n", l.File, l.Passage, p.Text, 100*p.Confidence,
				float64(l.FirstMS)/1000, float64(l.LastMS)/1000, l.Frames, wayWords(l), matchWords(p.Matches))
		}
	}
	return b.String()
}

// wayWords describe the direction in which a vehicle was seen to go.
func wayWords(p look.Passage) string {
	switch {
	case p.Parked:
		return ", parked"
	case p.Direction != passage.Unknown.String():
		return ", " + p.Direction
	}
	return ""
}

func matchWords(matches []match.Match) string {
	if len(matches) == 0 {
		return ""
	}
	m := matches[0]
	return fmt.Sprintf("  on list %s: %s, %s match; compare plate and issuing state before acting", m.List, m.Entry.Category, m.How)
}
