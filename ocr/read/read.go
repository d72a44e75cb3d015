// Package read reads the characters of a levelled plate with Tesseract.
//
// One look is rarely enough: a plate is binarised, cut and stretched in a few
// ways (a [Look] each) and read until two looks agree; then the readings vote.
// engine.go is one Tesseract instance, vote.go the vote.
package read

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
	"platewatch/ocr/read/model"
	"platewatch/ocr/rectify"
	"platewatch/ocr/region"
)

// Letters are the characters that a plate may carry.
const Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// Reading is what stands on a plate.
type Reading struct {
	Text       string
	Confidence float64 // 0–1, that all of Text is right
	Characters []Character
	Line       rectify.Line // where it was read, on the levelled picture
	Looks      int          // how often it was read
	Agreed     bool         // two looks agreed before they ran out
	Format     string       // what [region.Set.Name] calls it; empty when no region was told
	Prior      float64      // [region.Set.Prior] of Text; 0 when no region was told
}

// Character is one place in a reading.
type Character struct {
	Text         string
	Confidence   float64       // 0–1
	Alternatives []Alternative // other readings, the likeliest first
}

// Alternative is one possible reading of a character.
type Alternative struct {
	Text       string
	Confidence float64 // 0–1
}

// Look is one way to read a plate: which of its lines (0 is the most regular)
// and how it is cut out: the line's ink, or the whole plate around it.
type Look struct {
	Line   int
	Cut    rectify.Cut
	Around rectify.Around
}

// Model names a Tesseract model, Dir/Name.traineddata, and how it wants to see
// a plate. An empty Dir is the folder that Tesseract was built with, unless
// the model is in memory.
type Model struct {
	Dir   string
	Name  string
	Data  []byte // the content of the .traineddata file; nil: it is on disk
	Looks []Look // in this order, until the reading is settled
	Whole bool   // it reads whole plates, not cut-out lines
}

// English is the general model that Debian packages as tesseract-ocr-eng. It
// knows black print on white paper, so it gets the ink alone. The looks are
// four whose vote read most of the labelled frames, among 18 that were tried:
// it is right on a sixth more plates than the best of them alone.
func English() Model {
	ink := func(height int, stretch float64) rectify.Cut {
		return rectify.Cut{Height: height, Fill: 0.72, Beyond: 0.25, Stretch: stretch, Border: 12}
	}
	return Model{Name: "eng", Looks: []Look{
		{Line: 0, Cut: ink(48, 1.25)}, {Line: 1, Cut: ink(40, 1.25)}, {Line: 2, Cut: ink(40, 1.25)}, {Line: 0, Cut: ink(40, 1.5)},
	}}
}

// Plate is the project's own model, which is built in. It sees whole plates.
//
// The ends of a line are what the line finder is worst at, and plates leave
// more or less room beside and above their characters: so the looks differ in
// what they take in. The first two go to the plate's edges, the third keeps
// close to the characters. They were chosen among all triples of 15 on one half
// of the labelled pictures, with 87.0 % read (83.6 % on the other half; 85.4
// and 82.0 % with three that went by the line's ends). The second and third are
// taken only when those before were unsure: 1.9 on average.
func Plate() Model {
	return Model{Name: "plate", Data: model.Plate, Whole: true, Looks: []Look{
		{Line: 0, Around: rectify.Around{Half: 0.8, Beyond: 0.8, Edges: true}},
		{Line: 0, Around: rectify.Around{Half: 1.1, Beyond: 0.8, Edges: true}},
		{Line: 0, Around: rectify.Around{Half: 0.8, Beyond: 0.3}},
	}}
}

// PlateFile is a model like [Plate], from a file that ocr/train made.
func PlateFile(dir, name string) Model {
	m := Plate()
	m.Dir, m.Name, m.Data = dir, name, nil
	return m
}

// ModelError says that a model could not be opened.
type ModelError struct {
	Model Model
	Err   error
}

func (e *ModelError) Error() string {
	if e.Model.Dir != "" && errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("the reading model %s.traineddata is not in %s", e.Model.Name, e.Model.Dir)
	}
	return fmt.Sprintf("the reading model %q does not open: %v", e.Model.Name, e.Err)
}

func (e *ModelError) Unwrap() error { return e.Err }

// Is reports every unusable model as missing: Tesseract does not tell which.
func (e *ModelError) Is(target error) bool { return target == fs.ErrNotExist }

// Hint says what to do.
func (e *ModelError) Hint() string {
	return `use "plate", which is built in, "eng" with Debian's tesseract-ocr-eng, or a .traineddata file that ocr/train made`
}

// Reader reads plates. It is safe for use by several goroutines at once; each
// Read holds one of its engines.
type Reader struct {
	model   Model
	formats *region.Set
	engines chan *engine // those at rest
	size    int
}

// NewReader opens the model n times, for n reads at once (about 15 MB each).
// formats are those of the regions whose plates are to be expected, nil for
// none.
func NewReader(m Model, n int, formats *region.Set) (*Reader, error) {
	if n < 1 || n > 16 {
		return nil, fmt.Errorf("read: %d engines: 1 to 16", n)
	}
	if len(m.Looks) == 0 {
		return nil, errors.New("read: the model has no looks")
	}
	if m.Data != nil {
		// Tesseract opens files only. It has read all of it once it is open.
		dir, err := os.MkdirTemp("", "platewatch-model-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if err := os.WriteFile(filepath.Join(dir, m.Name+".traineddata"), m.Data, 0o600); err != nil {
			return nil, err
		}
		m.Dir, m.Data = dir, nil
	}
	r := &Reader{model: m, formats: formats, engines: make(chan *engine, n), size: n}
	for range n {
		e, err := newEngine(m)
		if err != nil {
			r.size = len(r.engines)
			r.Close()
			return nil, err
		}
		r.engines <- e
	}
	return r, nil
}

// Close waits for the reads that are under way and frees the engines.
func (r *Reader) Close() error {
	var all error
	for range r.size {
		all = errors.Join(all, (<-r.engines).Close())
	}
	r.size = 0
	return all
}

// Sight is what one look saw.
type Sight struct {
	Line        [4]rectify.Point // around its characters, in the frame
	Picture     gocv.Mat         // what the engine was shown: 8 bit, one channel
	Text        string           // the likeliest text of this look alone
	Probability float64          // of Text, 0–1, as the engine says
}

// Tap sees every look. It must not keep the picture, which is closed when the
// tap returns.
type Tap func(Sight)

// Read reads a levelled plate. ok is false when there is no line of
// characters on it. It returns ctx's error when no engine came free in time.
// tap may be nil.
func (r *Reader) Read(ctx context.Context, p *rectify.Plate, tap Tap) (reading Reading, ok bool, err error) {
	lines, err := p.Lines()
	if err != nil {
		return Reading{}, false, err
	}
	return r.ReadLines(ctx, p, lines, LeastAlone, tap)
}

// ReadLines is Read where the plate's lines are known already. least, 0–1, is how
// likely the first look's text must be for models that read whole plates to take
// further ones; Read's is [LeastAlone].
func (r *Reader) ReadLines(ctx context.Context, p *rectify.Plate, lines []rectify.Line, least float64, tap Tap) (reading Reading, ok bool, err error) {
	if len(lines) == 0 {
		return Reading{}, false, nil
	}
	e, err := r.engine(ctx)
	if err != nil {
		return Reading{}, false, err
	}
	defer func() { r.engines <- e }()
	if r.model.Whole {
		return r.readWhole(e, p, lines, panel{fills: p.Fills(lines[0]), formats: r.formats, least: least}, tap)
	}
	var votes ballot
	for _, look := range r.model.Looks {
		line := lines[min(look.Line, len(lines)-1)]
		symbols, err := e.read(p, line, look.Cut, tap)
		if err != nil {
			return Reading{}, false, err
		}
		votes.cast(symbols, line)
		if votes.settled() {
			break
		}
	}
	reading, ok = votes.count()
	reading.Agreed = votes.settled() && reading.Looks < len(r.model.Looks)
	return r.Weigh(reading), ok, nil
}

// ReadRow is Read for one row of a plate that has two, on which any number of
// characters may stand. Only models that read whole plates can do that:
// [Reader.ReadsRows].
func (r *Reader) ReadRow(ctx context.Context, row rectify.Row, least float64, tap Tap) (reading Reading, ok bool, err error) {
	e, err := r.engine(ctx)
	if err != nil {
		return Reading{}, false, err
	}
	defer func() { r.engines <- e }()
	// No format says what stands on one row of two.
	return r.readWhole(e, row.Plate, []rectify.Line{row.Line}, panel{row: true, fills: row.Fills(row.Line), least: least}, tap)
}

// ReadsRows tells whether ReadRow can be used.
func (r *Reader) ReadsRows() bool { return r.model.Whole }

// engine waits for one that is at rest.
func (r *Reader) engine(ctx context.Context) (*engine, error) {
	select {
	case e := <-r.engines:
		return e, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read lets one engine read one strip.
func (e *engine) read(p *rectify.Plate, l rectify.Line, c rectify.Cut, tap Tap) ([]symbol, error) {
	strip, err := p.Strip(l, c)
	if err != nil {
		return nil, err
	}
	defer strip.Close()
	s, err := shape.PlaneOf(strip)
	if err != nil {
		return nil, err
	}
	symbols, err := e.recognise(s.Pix, s.W, s.H)
	if err == nil && tap != nil {
		text, probability := spell(symbols)
		tap(Sight{p.Bounds(l), strip, text, probability})
	}
	return symbols, err
}
