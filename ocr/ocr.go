// Package ocr goes from a picture to the text of the plates on it.
//
//	find       frame → candidates: rows of contours that may be characters
//	rectify    candidate → level picture of the row
//	read       level picture → characters, with alternatives
//	tesseract  the reading models, run in Tesseract
//	region     the formats of countries, as data (pure Go)
//	judge      how likely a reading is to be a plate, and right
//	text       what a reading consists of: characters and alternatives
//	issuer     who issued a plate: by its number, the lettering around it, its band
//	colour     the colour of the vehicle around a plate
//	vehicle    what was seen of a vehicle beside the number, and the vote over it
//	passage    one vehicle's plates over many frames → one vote
//	render     draws plates and roads for demo, tests and training
//	scenes     the pictures and clips that are drawn
//	train      makes the reading model (Python; not needed to build or run)
//	truth      the list of correct answers beside labelled pictures
//
// [Recogniser] finds, rectifies, reads and judges. README.md has the packages'
// arrows, what was measured, and how to add a country's formats or a reader.
package ocr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"sync/atomic"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	_ "platewatch/ocr/internal/oneheap"
	"platewatch/ocr/judge"
	"platewatch/ocr/passage"
	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
	"platewatch/ocr/region"
	"platewatch/ocr/tesseract"
	"platewatch/ocr/text"
)

// Plate is one plate that was read on a picture.
type Plate struct {
	text.Reading
	Box     image.Rectangle  // pixels of the picture
	Corners [4]rectify.Point // clockwise from the top left, pixels
	Height  float64          // of the characters, pixels
	Region  string           // whose format the text fits ([region.Set.Name]); empty for none, and without regions
	Again   bool             // an earlier reading: nothing has changed there since, or it was read moments ago, see [Memory]
	Hidden  float64          // 0–1, probability that a character lies outside what can be seen; Confidence includes it

	ink         [4]rectify.Point // around the characters, clockwise from the top left
	left, right judge.End        // of a plate that fills the picture
	fills       bool
	form        judge.Form // see [judge.Room]
}

// Observation is the plate as a [passage.Tracker] takes it.
func (p Plate) Observation() passage.Observation {
	return passage.Observation{Reading: p.Reading, Box: p.Box, Height: p.Height, Again: p.Again, Hidden: p.Hidden}
}

// JudgedPlate is a plate that was read, reported or not, with the evidence for
// and against it.
type JudgedPlate struct {
	Plate
	Evidence judge.Evidence
	OnPlate  float64 // 0–1, probability that the text stands on a plate, whatever it says
	Rows     int     // of characters
}

// Attempt is one candidate and what became of it.
type Attempt struct {
	Candidate find.Candidate
	Reading   JudgedPlate // without text where nothing was read
	Verdict   Verdict

	// In a [Trace] only:
	Level *image.Gray // the levelled picture; nil where it was not read
	Looks []LookTrace
}

// Result is what a picture gave.
type Result struct {
	Plates     []Plate       // the most confident first
	Attempts   []Attempt     // every candidate, reported or not, the most plate-like first
	Unread     []Plate       // places of [Recogniser.Follow] that look like a plate and were not reported: without text
	Candidates int           // how many of them were read
	Find, Read time.Duration // what finding and reading took
}

// Recogniser finds and reads plates. It is safe for use by several goroutines
// at once.
type Recogniser struct {
	p       Params
	formats *region.Set
	judge   *judge.Judge
	model   string
	version string
	finder  *find.Finder
	reader  *read.Reader
	listed  atomic.Int32 // see ExpectShort

	lettering lettering
}

// New opens the reading model. Close the recogniser after use. Settings that
// cannot be used give the first of their problems, and a model that cannot be
// opened a [tesseract.Error].
func New(p Params) (*Recogniser, error) {
	for key, err := range p.Problems() {
		return nil, fmt.Errorf("ocr: %s %w", key, err)
	}
	formats, err := region.Parse(p.Region)
	if err != nil {
		return nil, err
	}
	oneThread()
	f, err := find.New(p.Find)
	if err != nil {
		return nil, err
	}
	m := modelOf(p.Model)
	r, err := read.NewReader(m, p.Readers(), formats)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	out := &Recogniser{p: p, formats: formats, judge: m.Judge, model: m.Name, version: m.Version, finder: f, reader: r}
	out.ExpectShort(0)
	return out, nil
}

// ExpectShort tells that plates of least characters and more are wanted, because a
// list has such; 0 for none. [Params.MinCharacters] goes before it. It is safe while
// pictures are read.
func (r *Recogniser) ExpectShort(least int) {
	r.listed.Store(int32(least))
	least = r.shortest()
	if least >= usual {
		least = 0
	}
	r.finder.ExpectShort(least)
	r.reader.ExpectShort(least)
}

// modelOf is the reading model with a name. The models of another reader are
// told apart here.
func modelOf(name string) read.Model { return tesseract.Model(name) }

// Close frees the model.
func (r *Recogniser) Close() error {
	return errors.Join(r.lettering.close(), r.reader.Close(), r.finder.Close())
}

// Regions are the expected regions, as [region.Parse] takes them; "" for none.
func (r *Recogniser) Regions() string { return r.formats.String() }

// Model is the name of the reading model, and a version that tells one content of
// that name from another.
func (r *Recogniser) Model() (name, version string) { return r.model, r.version }

// RegionOf is whose format a text fits, as [Plate.Region]: for the texts of
// votes.
func (r *Recogniser) RegionOf(plate string) string { return r.formats.Name(plate) }

// Recognise reads the plates on a picture (8 bit, BGR or grey, upright). The
// picture stays the caller's. It returns ctx's error when ctx ends first.
func (r *Recogniser) Recognise(ctx context.Context, picture gocv.Mat) (Result, error) {
	return r.recognise(ctx, picture, nil, nil)
}

// Grey converts a picture to grey, which is all that finding and reading use. A
// caller that does not need the colours saves two thirds of the memory.
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
	var plates []Plate // those so far that can exclude others from being read
	likely := false    // whether one of them is likely enough to be reported
	seen := past.frameIn(image.Rect(0, 0, grey.Cols(), grey.Rows()))
	for _, i := range readingOrder(candidates, seen) {
		c, a := candidates[i], &res.Attempts[i]
		a.Candidate = c
		if a.Verdict = r.worthReading(c, seen, res.Candidates, plates); a.Verdict.reason != notJudged {
			continue
		}
		if writes, err := past.isWritten(c); err != nil {
			return Result{}, err
		} else if writes {
			a.Verdict = Verdict{reason: cameraText}
			continue
		}
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		anew, err := r.readAnew(ctx, grey, a, demandOn(c, res.Candidates, plates, atMargin(c.Line, seen)), trace, past)
		if err != nil {
			return Result{}, err
		}
		if anew { // what is remembered costs nothing
			res.Candidates++
		}
		if !r.reportable(a) {
			continue
		}
		likely = true
		// Lettering without a figure, such as a state's name, excludes nothing.
		if hasFigure(a.Reading.Text) {
			plates = append(plates, a.Reading.Plate)
		}
	}
	if c, ok := closeUp(grey.Cols(), grey.Rows()); ok && r.p.CloseUps && past == nil && !likely {
		a := Attempt{Candidate: c}
		res.Candidates++
		if err := r.readOne(ctx, grey, &a, demand{least: read.LeastAlone}, trace); err != nil {
			return Result{}, err
		}
		res.Attempts = append(res.Attempts, a)
	}
	res.Plates = r.choose(res.Attempts)
	for i, p := range res.Plates {
		res.Plates[i] = p.Within(inRect(seen))
	}
	slices.SortStableFunc(res.Plates, func(a, b Plate) int { return cmp.Compare(b.Confidence, a.Confidence) })
	res.Read = time.Since(found)
	return res, nil
}

// readAnew reads one candidate, unless the memory has its reading.
func (r *Recogniser) readAnew(ctx context.Context, grey gocv.Mat, a *Attempt, d demand, trace *Trace, past *view) (anew bool, err error) {
	if known, err := past.recall(a, d); known || err != nil {
		return false, err
	}
	d.glance = past.glanceAt(a.Candidate, d)
	if err := r.readOne(ctx, grey, a, d, trace); err != nil {
		return true, err
	}
	if a.Verdict.reason == noRow {
		return false, nil
	}
	if d.glance && a.Reading.Text != "" && !a.Reading.Evidence.Agreed {
		past.keepMoving(a)
	}
	return true, past.note(*a, d, !r.reportable(a))
}

// reportable tells whether an attempt would be reported if there were no other.
func (r *Recogniser) reportable(a *Attempt) bool {
	return a.Verdict.reason == notJudged && r.verdictOn(a.Reading, nil).Reported()
}

// readOne levels and reads one candidate. Where that gives no reading, it sets
// the verdict.
func (r *Recogniser) readOne(ctx context.Context, grey gocv.Mat, a *Attempt, d demand, trace *Trace) error {
	c := a.Candidate
	level, err := rectify.Level(grey, c)
	if err != nil { // too near the edge to be read
		a.Verdict = Verdict{reason: notLevelled, text: err.Error()}
		return nil
	}
	defer level.Close()
	lines, err := level.Lines()
	if err != nil {
		return err
	}
	if d.row {
		if ok, err := shows(level, lines[0]); err != nil || !ok {
			a.Verdict = Verdict{reason: noRow}
			return err
		}
	}
	trace.level(a, level)
	rows := 2
	effort := read.Effort{Least: d.least, Again: c.Score >= standsOut, Long: d.row && !c.Framed, Worth: r.worth(c, level, lines[0]), Glance: d.glance}
	result, corners, ink, ok, err := r.readRows(ctx, grey, level, lines[0], effort, trace.looks(a, level))
	if err != nil {
		return err
	}
	if !ok {
		rows = 1
		if result, ok, err = r.reader.Read(ctx, level, lines, effort, trace.looks(a, level)); err != nil {
			return err
		}
		corners, ink = level.Corners(result.Line), level.Bounds(result.Line)
	}
	if !ok {
		a.Verdict = Verdict{reason: nothingRead}
		return nil
	}
	height := level.FrameHeight(result.Line)
	evidence := judge.Evidence{
		Text: result.Text, Place: c.Score, Reader: result.Confidence, Prior: result.Prior, Letters: len(result.Line.Letters),
		Agreed: result.Agreed, Height: height, Light: level.Light(), Fills: level.Fills(result.Line),
	}
	if len(result.Text) <= usual && r.shortest() < usual {
		if evidence.Framed, err = level.Framed(result.Line); err != nil {
			return err
		}
		evidence.Framed = evidence.Framed || c.Framed
	}
	p := Plate{
		Reading: text.Reading{Text: result.Text, Confidence: r.judge.Right(evidence), Characters: result.Characters},
		Box:     around(corners).Intersect(image.Rect(0, 0, grey.Cols(), grey.Rows())),
		Corners: corners,
		Height:  height,
		Region:  result.Format,
		ink:     ink,
		fills:   evidence.Fills,
	}
	if evidence.Fills {
		p.form = r.form(grey.Cols(), grey.Rows())
	}
	p.left.Ground, p.right.Ground = judge.MostRoom, judge.MostRoom // of two rows it is not measured
	if rows == 1 && (evidence.Fills || !evidence.Framed) {
		left, right, err := endsOf(level, result.Line)
		if err != nil {
			return err
		}
		if evidence.Fills {
			p.left, p.right = left, right
		} else {
			p = p.hiddenBy(r.obstructed(left, right, result))
		}
	}
	if d.margin && !evidence.Fills {
		p = p.hiddenBy(marginHidden)
	}
	a.Reading = JudgedPlate{p, evidence, r.judge.Plate(evidence), rows}
	if w := p.Box.Dx(); w < r.p.MinPlateWidth {
		a.Verdict = Verdict{reason: tooNarrow, value: float64(w), than: float64(r.p.MinPlateWidth)}
	}
	return nil
}
