package read

import (
	"cmp"
	"math"
	"slices"

	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/rectify"
	"platewatch/ocr/region"
	"platewatch/ocr/text"
)

// beyondEnds is tried where the first crop shows next to nothing: it reaches
// past the ends and edges of the plate, which may have been found in the wrong
// place. Of 2,400 labelled plates it reads four that are lost without it.
var beyondEnds = Crop{Line: 0, Around: rectify.Around{Half: 0.95, Beyond: 1.5}}

// panel collects the outputs for several crops of one plate.
type panel struct {
	formats *region.Set // of the expected regions; nil for none
	row     bool        // one row of a plate that has two
	fills   bool        // the plate fills the frame
	effort  Effort      // what the place is worth
	short   int         // fewest characters of the plates that are expected; 0: more than shortest
	looks   []ctc.Outputs
	texts   []textScore // every text that is likely on some crop, the likeliest first
}

// textScore is a text with the sum of its log probabilities over the crops.
type textScore struct {
	text  string
	sum   float64
	prior float64 // weighted log-prior by the formats, see prior.go; 0 without regions
}

const (
	// leastLog bounds the log probability of a text on one crop, so that one
	// failed crop does not outvote the others.
	leastLog = -12
	// The confidence of the best text from which no further crop is read: after
	// the first, and after two or more.
	sureAlone, sureTogether = 0.92, 0.5
	// beamKept is how many of a crop's texts are weighed.
	beamKept = 4
)

// Effort is what a place is worth.
type Effort struct {
	// Least is how likely the first crop's text must be for a model that reads whole
	// plates to try further ones; [LeastAlone] where nothing else was read in the picture.
	Least float64
	// Again: a place whose first crop shows next to nothing is cut out around the
	// characters that were seen there, where something else stands beside them.
	Again bool
	// Long: texts of three characters and fewer are given up, also where such plates are
	// expected.
	Long bool
	// Worth tells whether a text with a log-prior would be reported if the reader were
	// sure of it; nil: any. No further crop is read of one that would not.
	Worth func(text string, prior float64) bool
	// Glance: only the cheaper network looks, where the model has one.
	Glance bool
}

// LeastAlone is how likely the best text of the first crop must be for a second
// one to be read. None of the labelled frames' plates that began below it was
// read right in the end.
const LeastAlone = 0.05

func (p *panel) add(o ctc.Outputs) {
	p.looks = append(p.looks, o)
	beam := o.Beam()
	earlier := p.looks[:len(p.looks)-1]
	for _, likely := range beam[:min(len(beam), beamKept)] {
		p.weigh(likely, earlier)
	}
	for i := range p.texts {
		v := &p.texts[i]
		v.sum += max(o.LogProbability(v.text), leastLog)
	}
	p.sort()
	if p.formats != nil {
		p.complete()
		p.sort()
	}
}

// weigh adds a text with the sum of its log probabilities over some crops.
func (p *panel) weigh(candidate string, looks []ctc.Outputs) {
	if slices.ContainsFunc(p.texts, func(v textScore) bool { return v.text == candidate }) {
		return
	}
	v := textScore{text: candidate, prior: priorOf(candidate, p.formats)}
	for _, o := range looks {
		v.sum += max(o.LogProbability(candidate), leastLog)
	}
	p.texts = append(p.texts, v)
}

func (p *panel) sort() {
	n := float64(len(p.looks))
	slices.SortStableFunc(p.texts, func(a, b textScore) int { return cmp.Compare(b.sum+n*b.prior, a.sum+n*a.prior) })
}

// mean is the geometric mean of a text's probabilities over the crops.
func (p *panel) mean(v textScore) float64 { return math.Exp(v.sum / float64(len(p.looks))) }

// hopeless tells after the first crop that no plate is there: on signs, grilles
// and leaves no text is likely, or only a short one. A text of a format needs less than
// others, and what differs only in O and 0, or I and 1, counts together.
func (p *panel) hopeless() bool {
	best := p.texts[0]
	least := p.effort.Least
	if p.formats.Prior(best.text) > 0 {
		least = min(least, LeastAlone)
	}
	if p.row || p.fills {
		return p.mean(best) < least
	}
	if n := len(best.text); n <= shortest && (p.short == 0 || p.effort.Long || n < p.short || p.mean(best) < leastShort) {
		return true
	}
	alike, like := 0.0, text.Fold(best.text)
	for _, v := range p.texts {
		if text.Fold(v.text) == like {
			alike += p.mean(v)
		}
	}
	return alike < least
}

// pointless tells that the likeliest text would not be reported however sure the reader
// became: the characters are too small, or it has no figure where little speaks for a
// plate. Of 964 looks of the full network on 643 street pictures a fifth went there, and
// none of the texts that they gave was right.
func (p *panel) pointless() bool {
	best := p.texts[0].text
	return !p.row && p.effort.Worth != nil && !p.effort.Worth(best, p.formats.Prior(best))
}

// fewest is how many characters a text has at least.
func (p *panel) fewest() int {
	if p.short > 0 {
		return min(p.short, shortest)
	}
	return shortest
}

// leastShort is how likely a short text must be on the first crop: on signs and grilles
// short ones are read at less.
const leastShort = 0.3

// otherwise is how to cut the plate out after a hopeless first crop, because its ends
// were found in the wrong place; nil where that would be in vain. Fences, leaves and
// windows give texts that are still less likely.
func (p *panel) otherwise(plate *rectify.Plate, l rectify.Line, c Crop) (*Crop, rectify.Line, error) {
	const (
		faint  = 0.01
		narrow = 0.7 // of the crop's width: the characters fill less, so something stands beside them
	)
	best := p.texts[0]
	if p.row || len(best.text) < shortest {
		return nil, l, nil
	}
	if p.effort.Again && len(best.text) > shortest {
		row, crop, err := p.extent(plate, l, c)
		if err != nil {
			return nil, l, err
		}
		if row.to-row.from < narrow*(crop.to-crop.from) {
			l.X0, l.X1 = row.from, row.to
			return &c, l.Within(), nil
		}
	}
	if p.effort.Least <= LeastAlone && p.mean(best) >= faint {
		return &beyondEnds, l, nil
	}
	return nil, l, nil
}

// reaching is a line made as long as the text that the first crop gave, and whether a
// crop around it shows more of the plate. Where the finder saw only the middle of a row,
// the first crop may end inside a character, and the text looks whole without it; or it
// goes on to the edges, and a later one that does not would cut the text.
func (p *panel) reaching(plate *rectify.Plate, l rectify.Line, c Crop) (rectify.Line, bool, error) {
	const more = 0.3 // character heights
	if p.row || len(p.texts[0].text) <= shortest {
		return l, false, nil
	}
	row, crop, err := p.extent(plate, l, c)
	if err != nil {
		return l, false, err
	}
	wide := l
	wide.X0, wide.X1 = min(l.X0, row.from), max(l.X1, row.to)
	if l.X0-wide.X0 < more*l.Height && wide.X1-l.X1 < more*l.Height {
		return l, false, nil
	}
	x0, x1, err := plate.Span(wide, c.Around)
	return wide, crop.from-x0 > more*l.Height || x1-crop.to > more*l.Height, err
}

// columns are a part of a levelled picture.
type columns struct{ from, to float64 }

// extent is where the row of the likeliest text stands on the first crop, and what that crop shows.
func (p *panel) extent(plate *rectify.Plate, l rectify.Line, c Crop) (row, crop columns, err error) {
	x0, x1, err := plate.Span(l, c.Around)
	from, to := p.looks[0].Extent(p.texts[0].text)
	return columns{x0 + from*(x1-x0), x0 + to*(x1-x0)}, columns{x0, x1}, err
}

func (p *panel) settled() bool {
	if len(p.looks) == 1 {
		return p.sure(sureAlone)
	}
	return p.sure(sureTogether)
}

// sure tells whether the likeliest text has at least that confidence.
func (p *panel) sure(least float64) bool { return p.confidence(p.texts[0]) >= least }

// result is the likeliest text; ok is false when no plate can carry it.
func (p *panel) result(l rectify.Line) (Result, bool) {
	best := p.texts[0]
	if n := len(best.text); n < p.fewest() && !p.row || n == 0 || n > longest {
		return Result{}, false
	}
	r := Result{
		Reading: text.Reading{Text: best.text, Confidence: p.confidence(best)}, Line: l, Looks: len(p.looks),
		Format: p.formats.Name(best.text), Prior: p.formats.Prior(best.text),
	}
	// The characters' shares come from all texts of the same length, each
	// weighted with its confidence.
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
