package read

import (
	"math"

	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/internal/shape"
	"platewatch/ocr/rectify"
)

// readWholeCrop reads one crop of a whole plate.
func readWholeCrop(e eye, p *rectify.Plate, l rectify.Line, a rectify.Around, tap Tap) (ctc.Outputs, error) {
	picture, err := p.Whole(l, a, e.size)
	if err != nil {
		return nil, err
	}
	defer picture.Close()
	s, err := shape.PlaneOf(picture)
	if err != nil {
		return nil, err
	}
	out, err := e.Read(s)
	if err != nil {
		return nil, err
	}
	o := ctc.New(out.Steps)
	if tap != nil {
		likeliest := o.Beam()[0]
		probability := min(1, math.Exp(o.LogProbability(likeliest))) // int8 sums to a little over 1
		tap(LookResult{Line: p.Bounds(l), Picture: picture, Text: likeliest, Probability: probability, Scout: e.scout})
	}
	return o, nil
}

// readWhole reads crops of a plate until the reading is settled, and sums what
// the network says of them on an empty panel. Where there is a scout, it looks first,
// see team.go.
func (r *Reader) readWhole(t team, p *rectify.Plate, lines []rectify.Line, empty panel, tap Tap) (Result, bool, error) {
	w := wholeReading{plate: p, crops: r.model.Crops, tap: tap, from: lines}
	if t.scout != nil {
		careful := empty
		careful.effort.Least *= scoutDoubt
		if beside, err := w.first(*t.scout, careful); beside || err != nil {
			return Result{}, false, err
		}
		if w.seen.sure(scoutSure) {
			return w.result(true)
		}
		if empty.effort.Glance || w.seen.pointless() {
			return w.result(false)
		}
		w.scouted = w.seen.texts[0].text
	}
	for i, crop := range w.crops {
		if i > 0 {
			if err := w.look(t.looks(i), crop); err != nil {
				return Result{}, false, err
			}
		} else if beside, err := w.first(t.looks(i), empty); beside || err != nil {
			return Result{}, false, err
		}
		if i+1 < len(w.crops) && w.seen.settled() {
			return w.result(true)
		}
		if w.seen.pointless() {
			break
		}
	}
	return w.result(false)
}

// wholeReading is a plate that is being read.
type wholeReading struct {
	plate *rectify.Plate
	crops []Crop
	tap   Tap
	from  []rectify.Line // a network begins with these
	lines []rectify.Line // the present looks are along these
	seen  panel          // what the present looks gave

	scouted string // the text that the scout read; empty where there is none
}

// look looks at one crop.
func (w *wholeReading) look(e eye, c Crop) error {
	// Of 37 rows of two rendered letters 37 were read right with 4.2 character
	// heights of width, 30 with 2.4.
	const narrowest, few = 4.2, 2.5
	line := w.lines[min(c.Line, len(w.lines)-1)]
	// Few letters get as much width as the narrowest plate.
	if w.seen.row || w.seen.short > 0 && line.X1-line.X0 < few*line.Height {
		c.Around.Least = narrowest
	}
	o, err := readWholeCrop(e, w.plate, line, c.Around, w.tap)
	if err == nil {
		w.seen.add(o)
	}
	return err
}

// first looks at the first crop, on an empty panel, and again where that was cut out in
// the wrong place; beside is whether it shows no plate.
func (w *wholeReading) first(e eye, empty panel) (beside bool, err error) {
	w.seen, w.lines = empty, w.from
	crop := w.crops[0]
	if err := w.look(e, crop); err != nil {
		return false, err
	}
	again := func(c Crop, l rectify.Line) error {
		w.seen, w.lines = empty, []rectify.Line{l}
		return w.look(e, c)
	}
	if w.seen.hopeless() {
		other, line, err := w.seen.otherwise(w.plate, w.lines[0], crop)
		if err != nil || other == nil {
			return true, err
		}
		if err := again(*other, line); err != nil {
			return false, err
		}
		if w.seen.hopeless() {
			return true, nil
		}
		// What this crop showed, the later ones and the other networks begin with.
		long, _, err := w.seen.reaching(w.plate, line, *other)
		w.lines = []rectify.Line{long}
		w.from = w.lines
		return false, err
	}
	long, shows, err := w.seen.reaching(w.plate, w.lines[0], crop)
	if err != nil {
		return false, err
	}
	if !shows {
		// Lettering beside the number, such as a state's initials, is no part of it: a
		// longer line takes two networks that read as many characters.
		if !e.scout && len(w.scouted) == len(w.seen.texts[0].text) {
			w.lines = []rectify.Line{long}
		}
		return false, nil
	}
	before := w.seen
	if err := again(crop, long); err != nil {
		return false, err
	}
	if w.seen.hopeless() {
		w.seen, w.lines = before, w.from
		return false, nil
	}
	w.from = w.lines
	return false, nil
}

// result is that of the looks so far; agreed is whether they settle it.
func (w *wholeReading) result(agreed bool) (Result, bool, error) {
	result, ok := w.seen.result(w.lines[0])
	result.Agreed = agreed
	return result, ok, nil
}
