package passage

import (
	"cmp"
	"image"
	"slices"
	"time"

	"platewatch/ocr"
	"platewatch/ocr/read"
)

// track is an open passage: sums over its frames, never the frames themselves,
// so that a parked car costs no memory.
type track struct {
	number      uint64
	first, last time.Duration
	frames      int
	box         image.Rectangle
	step        point         // how far the plate moved between the last two frames
	moved       time.Duration // and in what time

	byLength map[int]*tally     // votes per character, for each length of text
	texts    map[string]textSum // frames per text
	text     string             // the vote's
	best     float64            // quality of the best frame
	reported string             // the text last reported
}

// tally sums votes for texts of one length.
type tally struct {
	weight float64
	places []map[string]float64 // per character: weight of each alternative
}

type textSum struct {
	frames       int
	first, other float64 // the two highest confidences
}

// sureness is the chance that not both of the two surest frames are wrong.
// More frames do not count: what misleads the reader once, a bolt, a shadow, a
// sign that is no plate, misleads it in every frame.
func (s textSum) sureness() float64 { return 1 - (1-s.first)*(1-s.other) }

// maxTexts bounds the different texts remembered; more come only from a place
// that is not a plate.
const maxTexts = 64

// add lets a frame vote. It reports whether the frame shows the plate better
// than all before.
func (k *track) add(p ocr.Plate, at time.Duration) (best bool) {
	if k.frames > 0 {
		a, b := middle(k.box), middle(p.Box)
		k.step, k.moved = point{b.x - a.x, b.y - a.y}, at-k.last
	}
	k.frames++
	k.last, k.box = at, p.Box

	// Larger characters are read better: a distant first read must not
	// outweigh a near one. Beyond 40 px size adds nothing.
	weight := p.Confidence * p.Confidence * min(p.Height, 40) / 40
	if k.byLength == nil {
		k.byLength, k.texts = map[int]*tally{}, map[string]textSum{}
	}
	n := len(p.Characters)
	v := k.byLength[n]
	if v == nil {
		v = &tally{places: make([]map[string]float64, n)}
		for i := range v.places {
			v.places[i] = map[string]float64{}
		}
		k.byLength[n] = v
	}
	v.weight += weight
	for i, c := range p.Characters {
		v.places[i][c.Text] += weight * c.Confidence
		for _, a := range c.Alternatives {
			v.places[i][a.Text] += weight * a.Confidence
		}
	}
	if s, ok := k.texts[p.Text]; ok || len(k.texts) < maxTexts {
		s.frames++
		switch {
		case p.Confidence > s.first:
			s.first, s.other = p.Confidence, s.first
		case p.Confidence > s.other:
			s.other = p.Confidence
		}
		k.texts[p.Text] = s
	}
	k.text = k.winner().text()
	best = weight > k.best
	k.best = max(k.best, weight)
	return best
}

// winner is the length that got the most weight.
func (k *track) winner() *tally {
	var best *tally
	length := 0
	for n, v := range k.byLength {
		if best == nil || v.weight > best.weight || v.weight == best.weight && n > length {
			best, length = v, n
		}
	}
	return best
}

// text is the heaviest character of every place.
func (v *tally) text() string {
	b := make([]byte, 0, len(v.places))
	for _, place := range v.places {
		b = append(b, ranked(place)[0].Text...)
	}
	return string(b)
}

// passage is the track as others see it.
func (k *track) passage(p Params) Passage {
	v := k.winner()
	out := Passage{Number: k.number, Text: k.text, First: k.first, Last: k.last,
		Frames: k.frames, Agreeing: k.texts[k.text].frames, Box: k.box}
	total := 0.0
	for _, t := range k.byLength {
		total += t.weight
	}
	// Times the share of the weight that stands behind a text of this length.
	if s, ok := k.texts[k.text]; ok && total > 0 {
		out.Confidence = s.sureness() * v.weight / total
	}
	for _, place := range v.places {
		all := ranked(place)
		sum := 0.0
		for i := range all {
			sum += all[i].Confidence
		}
		for i := range all {
			all[i].Confidence /= max(sum, 1e-9)
		}
		out.Characters = append(out.Characters, read.Character{
			Text: all[0].Text, Confidence: all[0].Confidence, Alternatives: all[1:min(len(all), 6)]})
	}
	out.Sure = out.Agreeing >= p.Agree && out.Confidence >= p.MinConfidence
	return out
}

// event says what is to be reported after a frame, once for each text.
func (k *track) event(p Params) Event {
	now := k.passage(p)
	switch {
	case !now.Sure || now.Text == k.reported:
		return Seen
	case k.reported == "":
		k.reported = now.Text
		return Sure
	}
	k.reported = now.Text
	return Corrected
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
