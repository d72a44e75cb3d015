package ocr

import (
	"cmp"
	"image"
	"math"
	"slices"
	"strings"

	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
)

// choose keeps the readings that are likely enough to be plates and do not lie
// inside a more confident one, and gives every attempt without a verdict its
// own. The most confident comes first.
func (r *Recogniser) choose(attempts []Attempt) []Plate {
	var open []*Attempt
	for i := range attempts {
		if a := &attempts[i]; a.Verdict.reason == notJudged {
			open = append(open, a)
		}
	}
	slices.SortStableFunc(open, func(a, b *Attempt) int { return cmp.Compare(b.Reading.precedence(), a.Reading.precedence()) })
	var kept []Plate
	for _, a := range open {
		if text, ok := r.smallPrintOf(a.Reading, open); ok {
			a.Verdict = Verdict{reason: smallPrint, text: text}
			continue
		}
		if a.Verdict = r.verdictOn(a.Reading, kept); a.Verdict.Reported() {
			kept = append(kept, a.Reading.Plate)
		}
	}
	var fitting []Plate
	for _, a := range open {
		if !a.Verdict.Reported() {
			continue
		}
		if text, out := outOfScale(a.Reading.Plate, kept); out {
			a.Verdict = Verdict{reason: tooLarge, text: text}
			continue
		}
		fitting = append(fitting, a.Reading.Plate)
	}
	slices.SortStableFunc(fitting, func(a, b Plate) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return fitting
}

// outOfScale tells whether a reading is higher up in the picture than two sure plates and
// yet larger, and which is one of them: it stands on a sign. The camera stands upright
// above a road, so what is higher up is further away.
func outOfScale(p Plate, plates []Plate) (text string, out bool) {
	const larger, enough = 1.5, 2 // times the heights of the characters; plates
	n := 0
	for _, k := range plates {
		if k.Confidence >= sureEnough && p.Box.Max.Y < k.Box.Min.Y && p.Height > larger*k.Height {
			text = k.Text
			n++
		}
	}
	return text, n >= enough
}

// precedence is the order in which readings claim their places: by confidence.
// Two-row readings get a bonus, because each row alone would look more
// confident; so do texts with a figure, before lettering that has none.
func (r JudgedPlate) precedence() float64 {
	const bonus = 0.3
	p := r.Confidence
	if r.Rows > 1 {
		p += bonus
	}
	if hasFigure(r.Text) {
		p += bonus
	}
	return p
}

// smallPrintOf tells whether a reading is small print above or below the number
// of the same plate, such as a state, a slogan or a dealer, and which number
// that is.
func (r *Recogniser) smallPrintOf(small JudgedPlate, all []*Attempt) (text string, ok bool) {
	const (
		smaller = 0.75 // of the number's height; the rows of a two-row plate are alike, see rectify
		near    = 1    // most heights of the number between the two
		under   = 0.6  // least share of the print's width above or below the number
	)
	for _, a := range all {
		n := a.Reading
		if small.Height >= smaller*n.Height || !hasFigure(n.Text) || !r.verdictOn(n, nil).Reported() {
			continue
		}
		gap := max(small.Box.Min.Y-n.Box.Max.Y, n.Box.Min.Y-small.Box.Max.Y)
		beside := min(small.Box.Max.X, n.Box.Max.X) - max(small.Box.Min.X, n.Box.Min.X)
		if float64(gap) < near*n.Height && float64(beside) > under*float64(small.Box.Dx()) {
			return n.Text, true
		}
	}
	return "", false
}

// verdictOn judges a reading. kept are the reported ones that precede it.
func (r *Recogniser) verdictOn(p JudgedPlate, kept []Plate) Verdict {
	switch {
	case p.OnPlate < r.judge.LeastPlate:
		return Verdict{reason: hardlyPlate, value: p.OnPlate, than: r.judge.LeastPlate}
	case p.Confidence < r.judge.LeastRight:
		return Verdict{reason: hardlyRight, value: p.Confidence, than: r.judge.LeastRight}
	case !r.plausible(p.Text, p.Evidence.Fills):
		return Verdict{reason: implausible, text: p.Text}
	}
	for _, k := range kept {
		if coverage(p.Box, k.Box) > samePlace {
			return Verdict{reason: insideAnother, text: k.Text}
		}
	}
	return Verdict{reason: reported}
}

// samePlace is the coverage above which two readings cannot both be plates.
const samePlace = 0.3

// usual is how many characters a plate has at least where nothing says that shorter
// ones are to be expected.
const usual = 4

// Readable tells whether a plate with a text (A to Z, 0 to 9) can be reported where
// a list has it. A list may hold others, which no camera finds.
func (p Params) Readable(text string) bool {
	return len(text) >= max(p.MinCharacters, 1) && len(text) <= read.Longest && !strokes(text)
}

// shortest is how many characters a plate has at least.
func (r *Recogniser) shortest() int {
	if r.p.MinCharacters > 0 {
		return r.p.MinCharacters
	}
	least := usual
	for _, n := range [...]int{r.formats.Shortest(), int(r.listed.Load())} {
		if n > 0 {
			least = min(least, n)
		}
	}
	return least
}

// plausible rejects texts that plates do not have: those that are shorter than the
// configuration says, or than the plates of the regions and the lists; and rows of
// strokes. Elsewhere fewer than four characters and four without a figure are no
// plate: vanity plates like that exist, but are rarer than lettering on vehicles and
// shops. A picture that a plate fills shows no signs: there three characters with a
// figure may be a number.
func (r *Recogniser) plausible(text string, fills bool) bool {
	n := len(text)
	switch listed := int(r.listed.Load()); {
	case strokes(text):
		return false
	case r.p.MinCharacters > 0:
		return n >= r.p.MinCharacters
	case n > usual || n == usual && hasFigure(text):
		return true
	case r.formats.Has(text) || listed > 0 && n >= listed:
		return true
	}
	return fills && n == 3 && hasFigure(text)
}

// strokes tells whether a text is a row of strokes: a radiator grille reads as
// 111111.
func strokes(text string) bool {
	bars := strings.Count(text, "1") + strings.Count(text, "I")
	return 2*bars > len(text)+1
}

func hasFigure(text string) bool { return strings.ContainsAny(text, "0123456789") }

// coverage is the share of the smaller rectangle that the other one covers, 0–1.
func coverage(a, b image.Rectangle) float64 {
	i := a.Intersect(b)
	smaller := min(a.Dx()*a.Dy(), b.Dx()*b.Dy())
	if i.Empty() || smaller == 0 {
		return 0
	}
	return float64(i.Dx()*i.Dy()) / float64(smaller)
}

// around is the smallest rectangle that contains the corners.
func around(corners [4]rectify.Point) image.Rectangle {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range corners {
		x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
	}
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1)), int(math.Ceil(y1)))
}
