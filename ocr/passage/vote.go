package passage

import (
	"cmp"
	"slices"

	"platewatch/ocr/text"
)

// vote sums the readings of a passage's frames. It keeps no frames, so a parked
// car needs no more memory than one that goes by.
type vote struct {
	byLength map[int]*tally        // votes per character, for each length of text
	texts    map[string]*textVotes // frames per text
	text     string                // the winner
}

// tally sums votes for texts of one length.
type tally struct {
	weight float64
	places []map[string]float64 // per character: weight of each alternative
}

// textVotes are the frames that read one text.
type textVotes struct {
	frames       int
	weight       float64 // of all of them
	hidden       float64 // the least of the frames' probabilities that a character is hidden
	first, other float64 // the two highest confidences of earlier views
	view         int     // the latest view with this text
	sum, n       float64 // of the confidences in that view
	all          float64 // sum of the confidences of all frames
}

// maxTexts bounds the different texts remembered; only lettering that is no
// plate gives more.
const maxTexts = 64

// add adds a frame's confidence. Frames of one view show the same pixels, so
// they count as one, with their mean confidence.
func (s *textVotes) add(confidence float64, view int) {
	if view != s.view && s.n > 0 {
		s.first, s.other = best(s.first, s.other, s.sum/s.n)
		s.sum, s.n = 0, 0
	}
	s.view = view
	s.frames++
	s.all += confidence
	s.sum, s.n = s.sum+confidence, s.n+1
}

// probability is 1 − P(both most confident views are wrong). Further views do
// not count: what misleads the reader once, such as a bolt, a shadow or a sign,
// misleads it in every frame.
func (s *textVotes) probability() float64 {
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

// weight is that of a frame. Larger characters are read better, so a distant
// first reading must not outweigh a near one. Beyond 40 px size adds nothing. A
// view that may be cut off must not outweigh a complete one, however many there
// are: the plate of a vehicle that stops at the picture's edge is read hundreds of
// times.
func weight(p Observation) float64 {
	w := p.Confidence * p.Confidence * min(p.Height, 40) / 40
	if p.cutOff() {
		const part = 0.001
		w *= part
	}
	return w
}

// cast adds a frame's reading in the given view.
func (v *vote) cast(p Observation, view int) {
	if v.byLength == nil {
		v.byLength, v.texts = map[int]*tally{}, map[string]*textVotes{}
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
		s = &textVotes{hidden: 1}
		v.texts[p.Text] = s
	}
	if s != nil {
		s.add(p.Confidence, view)
		s.weight += w
		s.hidden = min(s.hidden, p.Hidden)
	}
	v.text = v.winner().likeliest()
}

// winner is the tally of the length with the most weight.
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

// agreeing is how many frames read exactly the winning text.
func (v *vote) agreeing() int {
	if s := v.texts[v.text]; s != nil {
		return s.frames
	}
	return 0
}

// hidden is the probability that the winning text lacks a character: that one lies
// outside what can be seen, on the most complete view that reads exactly this text, or
// that only other frames show it, see [vote.longer].
func (v *vote) hidden() float64 {
	if s := v.texts[v.text]; s != nil {
		return max(s.hidden, v.longer())
	}
	return 1
}

// longer is the share of the frames' weight that read the winning text with one
// character more before or after it. The reader loses the first or the last one where
// it touches the frame of the plate, and what is left looks whole. Of the 2,130 look-ups
// of `make reads` two lacked a character before this counted; it keeps no right one back.
func (v *vote) longer() float64 {
	longer := 0.0
	for t, s := range v.texts {
		if n := len(v.text); len(t) == n+1 && (t[1:] == v.text || t[:n] == v.text) {
			longer += s.weight
		}
	}
	if longer == 0 {
		return 0
	}
	return longer / v.weight()
}

// weight is that of all frames.
func (v *vote) weight() float64 {
	total := 0.0
	for _, t := range v.byLength {
		total += t.weight
	}
	return total
}

// confidence is the probability that all of the text is right: that of its
// views, times the share of the weight of texts of its length. It is 0 for a
// text that no frame read as a whole. A plate that never moved was seen in one
// view only, so its frames give their mean.
func (v *vote) confidence(moved bool) float64 {
	total := v.weight()
	s := v.texts[v.text]
	if s == nil || total <= 0 {
		return 0
	}
	sure := s.all / float64(s.frames)
	if moved {
		sure = s.probability()
	}
	return sure * v.winner().weight / total
}

// characters are those of the text, each with its alternatives and their
// weighted mean confidences over the frames. They need not add up to 1: the
// remainder tells a character that was read without alternatives but with low
// confidence from a certain one.
func (v *vote) characters() []text.Character {
	winner := v.winner()
	var out []text.Character
	for _, place := range winner.places {
		all := ranked(place)
		for i := range all {
			all[i].Confidence /= max(winner.weight, 1e-9)
		}
		out = append(out, text.Character{
			Text: all[0].Text, Confidence: all[0].Confidence, Alternatives: all[1:min(len(all), 6)]})
	}
	return out
}

// likeliest is the text with the heaviest character at every place.
func (t *tally) likeliest() string {
	b := make([]byte, 0, len(t.places))
	for _, place := range t.places {
		b = append(b, ranked(place)[0].Text...)
	}
	return string(b)
}

// ranked lists a place's characters, the heaviest first.
func ranked(place map[string]float64) []text.Alternative {
	all := make([]text.Alternative, 0, len(place))
	for character, w := range place {
		all = append(all, text.Alternative{Text: character, Confidence: w})
	}
	slices.SortFunc(all, func(a, b text.Alternative) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Text, b.Text))
	})
	return all
}
