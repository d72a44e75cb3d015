package main

import (
	"context"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/schollz/progressbar/v3"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"platewatch/hotlist"
	"platewatch/hotlist/simulate"
)

// simulateLists runs `hotlist stats -simulate`.
func simulateLists(ctx context.Context, std stdio, o hotlist.Options, reads int, sizes, picture string, asJSON bool) error {
	s := simulate.Options{Reads: reads, Confusions: o.Confusions, Seed: 1}
	for word := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 10 || n > 5_000_000 {
			return usageError(fmt.Sprintf("-sizes: %q is no size of a list", word), "write numbers from 10 to 5000000 with commas between them")
		}
		s.Sizes = append(s.Sizes, n)
	}
	if reads < 1000 {
		return usageError("-reads is too few to tell anything", "simulate at least 1000 reads")
	}
	bar := &stepBar{}
	if isTerminal(std.err) {
		bar.w = std.err
	}
	s.Progress = bar.show
	rows, err := simulate.Run(ctx, s)
	bar.clear()
	if err != nil {
		return err
	}
	if picture != "" {
		if err := plotSimulation(rows, picture); err != nil {
			return err
		}
	}
	if asJSON {
		return printJSON(std.out, rows)
	}
	return printSimulation(std.out, rows)
}

func printSimulation(w io.Writer, rows []simulate.Row) error {
	header := []string{"ENTRIES", "ONE CHARACTER", "MIN P", "BESIDE", "FALSE", "ONE IN", "(EXACT)"}
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
		row := []string{fmt.Sprint(r.Size), level, fmt.Sprint(r.Matching.MinProbability), fmt.Sprintf("%.1f %%", 100*r.Beside),
			fmt.Sprint(r.False), every, fmt.Sprint(r.FalseExact)}
		for _, e := range simulate.Errors {
			row = append(row, fmt.Sprintf("%.1f %%", 100*r.Hits[e.String()]))
		}
		t.row(row...)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nFALSE: alerts among %d reads of plates that are not listed; EXACT: those read as an entry's very text.\n"+
		"BESIDE: plates that have an entry one character beside them. Then: listed plates found, by how they were read:\n"+
		"a look-alike (O0QD I1L B8 S5 Z2 G6), another character that the reader confuses, one whose true character\n"+
		"the reader named, any wrong one, one missed, one added. Each read is one look of the built-in reader.\n", rows[0].Reads)
	return err
}

// plotSimulation draws the shares of hits and the false alerts over the list's
// size, one above the other, as SVG, PNG or PDF.
func plotSimulation(rows []simulate.Row, path string) error {
	hits, alerts := plot.New(), plot.New()
	hits.Title.Text, hits.Y.Label.Text = "Listed plates found, at the default level", "share"
	alerts.Title.Text, alerts.Y.Label.Text, alerts.X.Label.Text = "False alerts among 20,000 reads", "alerts", "entries of the list"
	for _, p := range []*plot.Plot{hits, alerts} {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		p.Add(plotter.NewGrid())
		p.Legend.Left = true
	}
	hits.Y.Min, hits.Y.Max = 0, 1.02
	for i, e := range simulate.Errors {
		var xy plotter.XYs
		for _, r := range rows {
			xy = append(xy, plotter.XY{X: float64(r.Size), Y: r.Hits[e.String()]})
		}
		if err := addCurve(hits, e.String(), xy, i); err != nil {
			return err
		}
	}
	var all, exact, bound plotter.XYs
	for _, r := range rows {
		x := float64(r.Size)
		scale := 20_000 / float64(r.Reads)
		all = append(all, plotter.XY{X: x, Y: scale * float64(r.False)})
		exact = append(exact, plotter.XY{X: x, Y: scale * float64(r.FalseExact)})
		bound = append(bound, plotter.XY{X: x, Y: 1})
	}
	alerts.Y.Min = 0
	for i, c := range []struct {
		name string
		xy   plotter.XYs
	}{{"all", all}, {"misread into an entry's text", exact}, {"the most there should be", bound}} {
		if err := addCurve(alerts, c.name, c.xy, i); err != nil {
			return err
		}
	}
	format := strings.TrimPrefix(filepath.Ext(path), ".")
	canvas, err := draw.NewFormattedCanvas(18*vg.Centimeter, 20*vg.Centimeter, format)
	if err != nil {
		return usageError(fmt.Sprintf("-plot %s: %v", path, err), "name a file that ends in .svg, .png or .pdf")
	}
	dc := draw.New(canvas)
	dc.SetColor(color.White)
	dc.Fill(dc.Rectangle.Path())
	tiles := draw.Tiles{Rows: 2, Cols: 1, PadX: 4 * vg.Millimeter, PadY: 6 * vg.Millimeter, PadTop: 3 * vg.Millimeter, PadBottom: 3 * vg.Millimeter, PadLeft: 3 * vg.Millimeter, PadRight: 5 * vg.Millimeter}
	for i, row := range plot.Align([][]*plot.Plot{{hits}, {alerts}}, tiles, dc) {
		[]*plot.Plot{hits, alerts}[i].Draw(row[0])
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// palette is Okabe and Ito's, which colour-blind people can tell apart.
var palette = []color.RGBA{
	{0, 0, 0, 255}, {0, 114, 178, 255}, {230, 159, 0, 255}, {0, 158, 115, 255}, {213, 94, 0, 255}, {204, 121, 167, 255}, {86, 180, 233, 255},
}

func addCurve(p *plot.Plot, name string, xy plotter.XYs, i int) error {
	for _, v := range xy {
		if math.IsNaN(v.Y) {
			return nil
		}
	}
	line, points, err := plotter.NewLinePoints(xy)
	if err != nil {
		return err
	}
	c := palette[i%len(palette)]
	line.Color, points.Color = c, c
	line.Width = vg.Points(1.5)
	p.Add(line, points)
	p.Legend.Add(name, line, points)
	return nil
}

// stepBar shows the progress of several steps, on a terminal only.
type stepBar struct {
	w    io.Writer
	bar  *progressbar.ProgressBar
	what string
}

func (b *stepBar) show(what string, done, total int) {
	if b.w == nil {
		return
	}
	if b.bar == nil || b.what != what {
		b.clear()
		b.what = what
		b.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(what),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
	}
	_ = b.bar.Set(done) // the bar only decorates
}

func (b *stepBar) clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
}
