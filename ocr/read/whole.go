package read

import (
	"cmp"
	"math"
	"slices"

	"platewatch/ocr/internal/shape"
	"platewatch/ocr/rectify"
	"platewatch/ocr/region"
)

// whole lets one engine read a whole plate.
func (e *engine) whole(p *rectify.Plate, l rectify.Line, a rectify.Around, tap Tap) (outputs, error) {
	picture, err := p.Whole(l, a)
	if err != nil {
		return nil, err
	}
	defer picture.Close()
	s, err := shape.PlaneOf(picture)
	if err != nil {
		return nil, err
	}
	o, err := e.outputs(s.Pix, s.W, s.H)
	if err == nil && tap != nil {
		text := o.beam()[0]
		tap(Sight{p.Bounds(l), picture, text, min(1, math.Exp(o.logProbability(text)))}) // int8 sums to a little over 1
	}
	return o, err
}

// readWhole reads a plate as often as it takes, and adds up what the network
// says on an empty panel.
func (r *Reader) readWhole(e *engine, p *rectify.Plate, lines []rectify.Line, empty panel, tap Tap) (Reading, bool, error) {
	// Of 37 rows of two rendered letters 37 were read right with 4.2 character
	// heights of width, 30 with 2.4.
	const narrowest = 4.2
	seen := empty
	look := func(at Look) error {
		if empty.row { // two letters may stand there, in as much room as a plate has at least
			at.Around.Least = narrowest
		}
		o, err := e.whole(p, lines[min(at.Line, len(lines)-1)], at.Around, tap)
		if err == nil {
			seen.add(o)
		}
		return err
	}
	for i, at := range r.model.Looks {
		if err := look(at); err != nil {
			return Reading{}, false, err
		}
		if i == 0 && seen.hopeless() {
			if !seen.cutOff() {
				return Reading{}, false, nil
			}
			seen = empty
			if err := look(beyondEnds); err != nil {
				return Reading{}, false, err
			}
			if seen.hopeless() {
				return Reading{}, false, nil
			}
		}
		if i+1 < len(r.model.Looks) && seen.settled() {
			reading, ok := seen.reading(lines[0])
			reading.Agreed = true
			return reading, ok, nil
		}
	}
	reading, ok := seen.reading(lines[0])
	return reading, ok, nil
}

// beyondEnds is the look that is taken instead of a first one that found next
// to nothing: past ends and edges that were seen in the wrong place. Of 2,400
// labelled plates it reads four that are lost without it.
var beyondEnds = Look{Line: 0, Around: rectify.Around{Half: 0.95, Beyond: 1.5}}

// panel collects the outputs of several looks at one plate.
type panel struct {
	formats *region.Set // of the regions that were told; may be nil
	row     bool        // not a whole plate
	fills   bool        // it fills the frame
	least   float64     // how likely the first look's text must be for others
	looks   []outputs
	texts   []verdict // every text that a look thought likely, the likeliest first
}

// verdict is a text with the sum of its log probabilities over the looks.
type verdict struct {
	text  string
	sum   float64
	prior float64 // what the formats make of it, see prior.go; 0 without
}

const (
	// A look that has lost its way must not outvote the others.
	leastLog = -12
	// How likely the best text must be in a single look, and together in two,
	// for the next look to be left out.
	sureAlone, sureTogether = 0.92, 0.5
	// How many of a look's texts are weighed.
	beamKept = 4
)

// LeastAlone is how likely the best text must be in the first look for there to
// be a second. None of the labelled frames' plates that began below it was read
// right in the end.
const LeastAlone = 0.05

func (p *panel) add(o outputs) {
	p.looks = append(p.looks, o)
	beam := o.beam()
	earlier := p.looks[:len(p.looks)-1]
	for _, text := range beam[:min(len(beam), beamKept)] {
		p.weigh(text, earlier)
	}
	for i := range p.texts {
		v := &p.texts[i]
		v.sum += max(o.logProbability(v.text), leastLog)
	}
	p.sort()
	if p.formats != nil {
		p.complete()
		p.sort()
	}
}

// weigh takes in a text, as likely as some looks make it.
func (p *panel) weigh(text string, looks []outputs) {
	if slices.ContainsFunc(p.texts, func(v verdict) bool { return v.text == text }) {
		return
	}
	v := verdict{text: text, prior: priorOf(text, p.formats)}
	for _, o := range looks {
		v.sum += max(o.logProbability(text), leastLog)
	}
	p.texts = append(p.texts, v)
}

func (p *panel) sort() {
	n := float64(len(p.looks))
	slices.SortStableFunc(p.texts, func(a, b verdict) int { return cmp.Compare(b.sum+n*b.prior, a.sum+n*a.prior) })
}

// mean is the geometric mean of a text's probabilities over the looks.
func (p *panel) mean(v verdict) float64 { return math.Exp(v.sum / float64(len(p.looks))) }

// hopeless tells after the first look that what is there is no plate: on
// signs, grilles and leaves no text stands out, or only a short one.
func (p *panel) hopeless() bool {
	best := p.texts[0]
	if p.row || p.fills {
		return p.mean(best) < p.least
	}
	return len(best.text) <= shortest || p.mean(best) < p.least
}

// cutOff tells after a first look that is hopeless whether it may be so because
// the ends of the plate were not where they were thought to be. Fences, leaves
// and windows say less than that.
func (p *panel) cutOff() bool {
	const faint = 0.01
	best := p.texts[0]
	return !p.row && p.least <= LeastAlone && len(best.text) >= shortest && p.mean(best) >= faint
}

func (p *panel) settled() bool {
	best := p.texts[0]
	if len(p.looks) == 1 {
		return p.confidence(best) >= sureAlone
	}
	return p.confidence(best) >= sureTogether
}

// reading is the likeliest text; ok is false when it is none that a plate
// carries.
func (p *panel) reading(l rectify.Line) (Reading, bool) {
	best := p.texts[0]
	if n := len(best.text); n < shortest && !p.row || n == 0 || n > longest {
		return Reading{}, false
	}
	r := Reading{
		Text: best.text, Confidence: p.confidence(best), Line: l, Looks: len(p.looks),
		Format: p.formats.Name(best.text), Prior: p.formats.Prior(best.text),
	}
	// Characters: what the texts of the same length say, each as likely as the
	// looks together, and the formats, make it.
	weights := make([]float64, 0, len(p.texts))
	total := 0.0
	for _, v := range p.texts {
		w := 0.0
		if len(v.text) == len(best.text) {
			w = p.confidence(v)
		}
		weights = append(weights, w)
		total += w
	}
	for i := range best.text {
		share := map[string]float64{}
		for k, v := range p.texts {
			if weights[k] > 0 {
				share[v.text[i:i+1]] += weights[k] / max(total, 1)
			}
		}
		r.Characters = append(r.Characters, characterOf(best.text[i:i+1], share))
	}
	return r, true
}
