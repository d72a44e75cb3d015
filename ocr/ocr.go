// Package ocr goes from a picture to the text of the plates on it.
//
//	find      frame → candidates: rows of contours that may be characters
//	rectify   candidate → level picture of the row
//	read      level picture → characters, with alternatives
//	region    the formats of countries, as data (pure Go)
//	judge     how likely a reading is a plate, and right
//	passage   one vehicle's plates over many frames → one vote
//	render    draws plates and road scenes for demo, tests and training
//	train     makes the reading model (Python; not needed to build or run)
//	truth     the list of right answers beside labelled pictures
//
// [Recogniser] is the first three in a row.
package ocr

import (
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	_ "platewatch/ocr/internal/lean"
	"platewatch/ocr/judge"
	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
	"platewatch/ocr/region"
)

// Plate is one plate that was read on a picture.
type Plate struct {
	Text       string
	Confidence float64          // 0–1, that all of Text is right
	Box        image.Rectangle  // pixels of the picture
	Corners    [4]rectify.Point // clockwise from the top left, pixels
	Height     float64          // of the characters, pixels
	Characters []read.Character
	Region     string // whose format the text fits ([region.Set.Name]); empty for none, and when no region was told
	Again      bool   // not read anew: nothing has changed there since it was, see [Memory]
}

// Reading is a place that was read, with what was known of it.
type Reading struct {
	Plate
	Evidence judge.Evidence
	OnPlate  float64 // 0–1, that it stands on a plate, whatever it says
	Rows     int     // of characters
}

// Attempt is one candidate and what became of it.
type Attempt struct {
	Candidate find.Candidate
	Reading   Reading // no text: nothing was read
	Verdict   Verdict

	// In a [Trace] only:
	Level *image.Gray // the levelled picture; nil: it was not read
	Looks []Look
}

// Result is what a picture gave.
type Result struct {
	Plates     []Plate       // the most confident first
	Attempts   []Attempt     // every candidate, reported or not, the most plate-like first
	Candidates int           // places that were read
	Find, Read time.Duration // what finding and reading took
}

// Params are the recogniser's settings.
type Params struct {
	Find find.Params
	// Candidates bounds how many candidates of a frame are read.
	Candidates int
	// MinScore is the finder's score below which a candidate is not read.
	MinScore float64
	// MinFurther is the same once a likely plate was read in the frame: a second
	// plate stands out like the first, the lettering around it does not. On
	// the labelled frames no right reading was lost to it.
	MinFurther float64
	// CloseUps says that a picture may be nothing but a plate: where nothing is
	// found it is read as one. Cameras do not take such pictures.
	CloseUps bool
	// MinWidth is the width in pixels below which a plate is not reported.
	MinWidth int
	// Readers is how many plates are read at once.
	Readers int
	// Region is the formats of the plates to expect; nil expects none.
	Region *region.Set
}

// DefaultParams are the values with which the accuracy in the README was
// measured.
func DefaultParams() Params {
	return Params{Find: find.DefaultParams(), Candidates: 4, MinScore: 0.02, MinFurther: 0.5, Readers: 1}
}

// Recogniser finds and reads plates. It is safe for use by several goroutines
// at once.
type Recogniser struct {
	p      Params
	judge  *judge.Judge
	finder *find.Finder
	reader *read.Reader
}

// New opens the reading model. Close the recogniser after use.
func New(m read.Model, p Params) (*Recogniser, error) {
	if p.Candidates < 1 {
		return nil, fmt.Errorf("ocr: %d candidates to read: at least one", p.Candidates)
	}
	oneThread()
	f, err := find.New(p.Find)
	if err != nil {
		return nil, err
	}
	r, err := read.NewReader(m, p.Readers, p.Region)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Recogniser{p: p, judge: judge.Of(m.Whole), finder: f, reader: r}, nil
}

// Close frees the model.
func (r *Recogniser) Close() error { return errors.Join(r.reader.Close(), r.finder.Close()) }

// Regions are those that were told, as [region.Parse] takes them; "" for none.
func (r *Recogniser) Regions() string { return r.p.Region.String() }

// RegionOf is whose format a text fits, as in [Plate]: for texts that were
// voted on.
func (r *Recogniser) RegionOf(text string) string { return r.p.Region.Name(text) }

// Recognise reads the plates on a picture (8 bit, BGR or grey, upright). The
// picture stays the caller's. It returns ctx's error when ctx ends first.
func (r *Recogniser) Recognise(ctx context.Context, picture gocv.Mat) (Result, error) {
	return r.recognise(ctx, picture, nil, nil)
}

// Grey makes a picture grey, which is all that finding and reading see of it.
// Whoever does not want its colours saves two thirds of its memory that way.
func Grey(picture *gocv.Mat) {
	if picture.Channels() != 3 {
		return
	}
	grey := gocv.NewMat()
	gocv.CvtColor(*picture, &grey, gocv.ColorBGRToGray)
	picture.Close()
	*picture = grey
}

func (r *Recogniser) recognise(ctx context.Context, picture gocv.Mat, trace *Trace, past *view) (Result, error) {
	grey := picture
	if picture.Channels() == 3 {
		grey = gocv.NewMat()
		defer grey.Close()
		gocv.CvtColor(picture, &grey, gocv.ColorBGRToGray)
	}
	start := time.Now()
	candidates, err := r.finder.Find(grey, trace.maps())
	if err != nil {
		return Result{}, err
	}
	found := time.Now()
	res := Result{Find: found.Sub(start), Attempts: make([]Attempt, len(candidates))}
	var plates []Plate // those so far that can keep others from being read
	seen := false      // one that is likely enough to be reported
	for i, c := range candidates {
		a := &res.Attempts[i]
		a.Candidate = c
		if a.Verdict = r.worthReading(c, res.Candidates, plates); a.Verdict.reason != notJudged {
			continue
		}
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		res.Candidates++
		if err := r.readAnew(ctx, grey, a, leastOf(plates), trace, past); err != nil {
			return Result{}, err
		}
		if a.Verdict.reason != notJudged || !verdictOn(a.Reading, nil, r.judge).Reported() {
			continue
		}
		seen = true
		// Lettering without a figure, a state's name, keeps nothing from being read.
		if hasFigure(a.Reading.Text) {
			plates = append(plates, a.Reading.Plate)
		}
	}
	if c, ok := closeUp(grey.Cols(), grey.Rows()); ok && r.p.CloseUps && past == nil && !seen {
		a := Attempt{Candidate: c}
		res.Candidates++
		if err := r.readOne(ctx, grey, &a, read.LeastAlone, trace); err != nil {
			return Result{}, err
		}
		res.Attempts = append(res.Attempts, a)
	}
	res.Plates = choose(res.Attempts, r.judge)
	res.Read = time.Since(found)
	return res, nil
}

// readAnew reads one candidate, unless it is known what that gives.
func (r *Recogniser) readAnew(ctx context.Context, grey gocv.Mat, a *Attempt, least float64, trace *Trace, past *view) error {
	if known, err := past.recall(a, least); known || err != nil {
		return err
	}
	if err := r.readOne(ctx, grey, a, least, trace); err != nil {
		return err
	}
	return past.note(*a, least)
}

// readOne levels and reads one candidate. Where that gives no reading, it
// gives the verdict. least is how likely the first look must be for others.
func (r *Recogniser) readOne(ctx context.Context, grey gocv.Mat, a *Attempt, least float64, trace *Trace) error {
	c := a.Candidate
	level, err := rectify.Level(grey, c)
	if err != nil { // too near the edge to be read
		a.Verdict = Verdict{reason: notLevelled, text: err.Error()}
		return nil
	}
	defer level.Close()
	trace.level(a, level)
	lines, err := level.Lines()
	if err != nil {
		return err
	}
	rows := 2
	reading, corners, ok, err := r.readRows(ctx, grey, level, lines[0], least, trace.looks(a, level))
	if err != nil {
		return err
	}
	if !ok {
		rows = 1
		if reading, ok, err = r.reader.ReadLines(ctx, level, lines, least, trace.looks(a, level)); err != nil {
			return err
		}
		corners = level.Corners(reading.Line)
	}
	if !ok {
		a.Verdict = Verdict{reason: nothingRead}
		return nil
	}
	height := level.FrameHeight(reading.Line)
	seen := judge.Evidence{
		Text: reading.Text, Place: c.Score, Reader: reading.Confidence, Prior: reading.Prior, Letters: len(reading.Line.Letters),
		Agreed: reading.Agreed, Height: height, Light: level.Light(), Fills: level.Fills(reading.Line),
	}
	p := Plate{
		Text:       reading.Text,
		Confidence: r.judge.Right(seen),
		Box:        around(corners).Intersect(image.Rect(0, 0, grey.Cols(), grey.Rows())),
		Corners:    corners,
		Height:     height,
		Characters: reading.Characters,
		Region:     reading.Format,
	}
	a.Reading = Reading{p, seen, r.judge.Plate(seen), rows}
	if w := p.Box.Dx(); w < r.p.MinWidth {
		a.Verdict = Verdict{reason: tooNarrow, value: float64(w), than: float64(r.p.MinWidth)}
	}
	return nil
}
