package passage

import (
	"cmp"
	"slices"

	"platewatch/ocr"
	"platewatch/ocr/read"
)

// vote sums what the frames of a passage read: never the frames themselves, so
// that a parked car costs no memory.
type vote struct {
	byLength map[int]*tally        // votes per character, for each length of text
	texts    map[string]*testimony // frames per text
	text     string                // the one that wins
}

// tally sums votes for texts of one length.
type tally struct {
	weight float64
	places []map[string]float64 // per character: weight of each alternative
}

// testimony is what speaks for a text.
type testimony struct {
	frames       int
	first, other float64 // the two highest confidences of views that are over
	view         int     // the latest view with this text
	sum, n       float64 // of the confidences in it
	all          float64 // of the confidences of all frames
}

// maxTexts bounds the different texts remembered; more come only from a place
// that is not a plate.
const maxTexts = 64

// hear adds a frame's confidence. Frames of one view show the same pixels, so
// they count as one look with their mean confidence.
func (s *testimony) hear(confidence float64, view int) {
	if view != s.view && s.n > 0 {
		s.first, s.other = best(s.first, s.other, s.sum/s.n)
		s.sum, s.n = 0, 0
	}
	s.view = view
	s.frames++
	s.all += confidence
	s.sum, s.n = s.sum+confidence, s.n+1
}

// sureness is the chance that not both of the two surest views are wrong. More
// do not count: what misleads the reader once, a bolt, a shadow, a sign that
// is no plate, misleads it in every frame.
func (s *testimony) sureness() float64 {
	first, other := s.first, s.other
	if s.n > 0 {
		first, other = best(first, other, s.sum/s.n)
	}
	return 1 - (1-first)*(1-other)
}

func best(first, other, c float64) (float64, float64) {
	switch {
	case c > first:
		return c, first
	case c > other:
		return first, c
	}
	return first, other
}

// weight is a frame's. Larger characters are read better: a distant first read
// must not outweigh a near one. Beyond 40 px size adds nothing.
func weight(p ocr.Plate) float64 { return p.Confidence * p.Confidence * min(p.Height, 40) / 40 }

// cast adds a frame's reading in the given view.
func (v *vote) cast(p ocr.Plate, view int) {
	if v.byLength == nil {
		v.byLength, v.texts = map[int]*tally{}, map[string]*testimony{}
	}
	w := weight(p)
	n := len(p.Characters)
	t := v.byLength[n]
	if t == nil {
		t = &tally{places: make([]map[string]float64, n)}
		for i := range t.places {
			t.places[i] = map[string]float64{}
		}
		v.byLength[n] = t
	}
	t.weight += w
	for i, c := range p.Characters {
		t.places[i][c.Text] += w * c.Confidence
		for _, a := range c.Alternatives {
			t.places[i][a.Text] += w * a.Confidence
		}
	}
	s := v.texts[p.Text]
	if s == nil && len(v.texts) < maxTexts {
		s = &testimony{}
		v.texts[p.Text] = s
	}
	if s != nil {
		s.hear(p.Confidence, view)
	}
	v.text = v.winner().text()
}

// winner is the length that got the most weight.
func (v *vote) winner() *tally {
	var best *tally
	length := 0
	for n, t := range v.byLength {
		if best == nil || t.weight > best.weight || t.weight == best.weight && n > length {
			best, length = t, n
		}
	}
	return best
}

// agreeing is how many frames read exactly the text that wins.
func (v *vote) agreeing() int {
	if s := v.texts[v.text]; s != nil {
		return s.frames
	}
	return 0
}

// confidence is the chance that all of the text is right: its sureness, times
// the share of the weight that stands behind a text of its length. A text that
// no frame read as a whole has none. What never moved was seen once, however
// many frames there are.
func (v *vote) confidence(moved bool) float64 {
	total := 0.0
	for _, t := range v.byLength {
		total += t.weight
	}
	s := v.texts[v.text]
	if s == nil || total <= 0 {
		return 0
	}
	sure := s.all / float64(s.frames)
	if moved {
		sure = s.sureness()
	}
	return sure * v.winner().weight / total
}

// characters are those of the text, each with its alternatives: the frames' mean
// confidences, weighted. What the frames gave to no character is left over here
// too: it tells a character that was read alone but doubtfully from a sure one.
func (v *vote) characters() []read.Character {
	winner := v.winner()
	var out []read.Character
	for _, place := range winner.places {
		all := ranked(place)
		for i := range all {
			all[i].Confidence /= max(winner.weight, 1e-9)
		}
		out = append(out, read.Character{
			Text: all[0].Text, Confidence: all[0].Confidence, Alternatives: all[1:min(len(all), 6)]})
	}
	return out
}

// text is the heaviest character of every place.
func (t *tally) text() string {
	b := make([]byte, 0, len(t.places))
	for _, place := range t.places {
		b = append(b, ranked(place)[0].Text...)
	}
	return string(b)
}

// ranked lists a place's characters, the heaviest first.
func ranked(place map[string]float64) []read.Alternative {
	all := make([]read.Alternative, 0, len(place))
	for text, w := range place {
		all = append(all, read.Alternative{Text: text, Confidence: w})
	}
	slices.SortFunc(all, func(a, b read.Alternative) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Text, b.Text))
	})
	return all
}
