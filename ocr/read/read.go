// Package read reads the characters of a levelled plate.
//
// Reading one picture of a plate is rarely enough: the plate is cut out in
// several ways (a [Crop] each) and each crop is read by an [Engine], until the
// reading is settled. whole.go chooses the crops that a network for whole plates is
// shown, panel.go sums what it says of them, and prior.go weighs the formats of the
// regions in; vote.go lets the readings of cut-out lines vote. Engines are made elsewhere:
// platewatch/ocr/tesseract has those that use Tesseract.
package read

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
	"platewatch/ocr/rectify"
	"platewatch/ocr/region"
	"platewatch/ocr/text"
)

// Result is the reading of a levelled plate.
type Result struct {
	text.Reading
	Line   rectify.Line // the line that was read, on the levelled picture
	Looks  int          // how many crops were read
	Agreed bool         // the reading was settled before all crops were read
	Format string       // the format that Text fits, as [region.Set.Name] calls it; empty without regions
	Prior  float64      // [region.Set.Prior] of Text; 0 without regions
}

// Reader reads plates. It is safe for use by several goroutines at once; each
// call holds one of its engines.
type Reader struct {
	model   Model
	formats *region.Set
	engines chan team // those that are idle
	size    int
	least   atomic.Int32 // see ExpectShort; 0: shortest
}

// NewReader opens n engines of a model, for n reads at once. formats are those
// of the regions whose plates are to be expected, nil for none.
func NewReader(m Model, n int, formats *region.Set) (*Reader, error) {
	if n < 1 || n > MaxEngines {
		return nil, fmt.Errorf("read: %d engines: 1 to %d", n, MaxEngines)
	}
	if len(m.Crops) == 0 || len(m.Networks) == 0 {
		return nil, errors.New("read: the model has no crops or no network")
	}
	teams, err := openTeams(m, n)
	if err != nil {
		return nil, err
	}
	r := &Reader{model: m, formats: formats, engines: make(chan team, len(teams)), size: len(teams)}
	for _, t := range teams {
		r.engines <- t
	}
	return r, nil
}

// ExpectShort makes the reader read texts of least characters and more, of 1 and
// more. Without it a model that reads whole plates gives up texts of three unless
// the plate fills the picture, and never gives a text of two.
func (r *Reader) ExpectShort(least int) { r.least.Store(int32(least)) }

// MaxEngines bounds the engines of a reader.
const MaxEngines = 16

// Close waits for the reads in progress and frees the engines.
func (r *Reader) Close() error {
	var all error
	for range r.size {
		all = errors.Join(all, (<-r.engines).close())
	}
	r.size = 0
	return all
}

// LookResult is what an engine read on one crop.
type LookResult struct {
	Line        [4]rectify.Point // corners around the line's characters, in the frame
	Picture     gocv.Mat         // what the engine was shown: 8 bit, one channel
	Text        string           // the likeliest text of this crop alone
	Probability float64          // of Text, 0–1, as the engine rates it
	Scout       bool             // the cheaper network's, see [Model.Scout]
}

// Tap sees the result of every crop. It must not keep the picture, which is
// closed when the tap returns.
type Tap func(LookResult)

// Read reads a levelled plate with the given lines, the most regular first. ok
// is false when there is no text on it that a plate can carry. Read returns ctx's
// error when no engine becomes idle in time. tap may be nil.
func (r *Reader) Read(ctx context.Context, p *rectify.Plate, lines []rectify.Line, effort Effort, tap Tap) (result Result, ok bool, err error) {
	if len(lines) == 0 {
		return Result{}, false, nil
	}
	e, err := r.engine(ctx)
	if err != nil {
		return Result{}, false, err
	}
	defer func() { r.engines <- e }()
	if r.model.Whole {
		return r.readWhole(e, p, lines, panel{fills: p.Fills(lines[0]), formats: r.formats, effort: effort, short: int(r.least.Load())}, tap)
	}
	var votes ballot
	for _, crop := range r.model.Crops {
		line := lines[min(crop.Line, len(lines)-1)]
		characters, err := readLine(e.looks(0), p, line, crop.Cut, tap)
		if err != nil {
			return Result{}, false, err
		}
		votes.cast(characters, line)
		if votes.settled() {
			break
		}
	}
	result, ok = votes.count()
	result.Agreed = votes.settled() && result.Looks < len(r.model.Crops)
	return r.Weigh(result), ok, nil
}

// ReadRow reads one row of a plate that has two, on which any number of
// characters may stand. Only models that read whole plates can do that, see
// [Reader.ReadsRows].
func (r *Reader) ReadRow(ctx context.Context, row rectify.Row, effort Effort, tap Tap) (result Result, ok bool, err error) {
	e, err := r.engine(ctx)
	if err != nil {
		return Result{}, false, err
	}
	defer func() { r.engines <- e }()
	// The formats describe whole plates, not one row of two.
	return r.readWhole(e, row.Plate, []rectify.Line{row.Line}, panel{row: true, fills: row.Fills(row.Line), effort: effort}, tap)
}

// ReadsRows tells whether ReadRow can be used.
func (r *Reader) ReadsRows() bool { return r.model.Whole }

// engine waits for an idle engine.
func (r *Reader) engine(ctx context.Context) (team, error) {
	select {
	case e := <-r.engines:
		return e, nil
	case <-ctx.Done():
		return team{}, ctx.Err()
	}
}

// readLine reads one line's ink.
func readLine(e Engine, p *rectify.Plate, l rectify.Line, c rectify.Cut, tap Tap) ([][]text.Alternative, error) {
	strip, err := p.Strip(l, c)
	if err != nil {
		return nil, err
	}
	defer strip.Close()
	s, err := shape.PlaneOf(strip)
	if err != nil {
		return nil, err
	}
	out, err := e.Read(s)
	if err == nil && tap != nil {
		likeliest, probability := spell(out.Characters)
		tap(LookResult{Line: p.Bounds(l), Picture: strip, Text: likeliest, Probability: probability})
	}
	return out.Characters, err
}
