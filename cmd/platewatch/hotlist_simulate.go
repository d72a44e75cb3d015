package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"platewatch/hotlist"
	"platewatch/hotlist/simulate"
)

// simulateLists runs `hotlist stats -simulate`.
func simulateLists(ctx context.Context, std stdio, o hotlist.Options, reads int, seed uint64, sizes, picture string, asJSON bool) error {
	s := simulate.Options{Reads: reads, Confusions: o.Confusions, Seed: seed}
	for word := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 10 || n > 5_000_000 {
			return usageError(fmt.Sprintf("-sizes: %q is not a list size", word), "write numbers from 10 to 5000000 with commas between them")
		}
		s.Sizes = append(s.Sizes, n)
	}
	if reads < 1000 {
		return usageError("-reads is too small for a result", "simulate at least 1000 reads")
	}
	clearBar := func() error { return nil }
	if isTerminal(std.err) {
		bar := progressbar.NewOptions(-1, progressbar.OptionSetWriter(std.err), progressbar.OptionSetDescription("reads"),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true), progressbar.OptionThrottle(100*time.Millisecond))
		clearBar = bar.Clear
		s.Progress = func(done, total int) {
			bar.ChangeMax(total)
			_ = bar.Set(done) // a simulation must not fail because of its bar
		}
	}
	rows, err := simulate.Run(ctx, s)
	_ = clearBar()
	if err != nil {
		return err
	}
	states, err := simulate.States(ctx, s)
	if err != nil {
		return err
	}
	if picture != "" {
		if err := os.WriteFile(picture, simulate.Curves(rows[:len(s.Sizes)]), 0o644); err != nil {
			return err
		}
	}
	if asJSON {
		var all []any
		for _, r := range rows {
			all = append(all, r)
		}
		for _, r := range states {
			all = append(all, r)
		}
		return printJSON(std.out, all)
	}
	if err := printSimulation(std.out, rows[:len(s.Sizes)]); err != nil {
		return err
	}
	if err := printPart(std.out, simulate.MixTable(rows[len(s.Sizes):]), simulate.MixLegend); err != nil {
		return err
	}
	return printPart(std.out, simulate.StateTable(states), simulate.StateLegend)
}

func printSimulation(w io.Writer, rows []simulate.Row) error {
	header := []string{"ENTRIES", "ONE CHARACTER", "LEAST P", "ALIKE", "EXACT", "BESIDE", "FALSE", "ONE IN", "OF THEM EXACT"}
	for _, e := range simulate.Errors {
		header = append(header, strings.ToUpper(e.String()))
	}
	t := newTable(w, header...)
	for _, r := range rows {
		level := "no"
		if r.Matching.OneCharacter {
			level = "yes"
		}
		every := "none"
		if r.False > 0 {
			every = fmt.Sprintf("%.0f", r.Every())
		}
		row := []string{fmt.Sprint(r.Size), level, fmt.Sprint(r.Matching.MinProbability), fmt.Sprint(r.Matching.MinLookalike), fmt.Sprint(r.Matching.MinExact), fmt.Sprintf("%.1f %%", 100*r.Beside),
			fmt.Sprint(r.False), every, fmt.Sprint(r.FalseExact)}
		for _, e := range simulate.Errors {
			row = append(row, fmt.Sprintf("%.1f %%", 100*r.Hits[e.String()]))
		}
		t.row(row...)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nFALSE: alerts among %d reads of plates that are not listed; OF THEM EXACT: those read exactly as an entry.\n"+
		"BESIDE: plates that differ from an entry by one character. Then: listed plates found, by how they were read:\n"+
		"a look-alike (O0QD I1L B8 S5 Z2 G6), another character that the reader confuses, one whose true character\n"+
		"the reader named, any wrong one, one missed, one added. LEAST P is the probability of being the entry's\n"+
		"plate from which a match counts: in general, for look-alikes, and for the exact text. Each read is one\n"+
		"look-up of a passage, with errors drawn from those measured on votes of passages.\n", rows[0].Reads)
	return err
}

// printPart prints a further table, with its header, and what it says.
func printPart(w io.Writer, rows [][]string, legend string) error {
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	t := newTable(w, rows[0]...)
	for _, r := range rows[1:] {
		t.row(r...)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, legend)
	return err
}
