package ocr

import (
	"cmp"
	"image"
	"math"
	"slices"
	"strings"

	"platewatch/ocr/judge"
	"platewatch/ocr/rectify"
)

// choose keeps the readings that are likely enough to be plates and do not lie
// inside a more confident one, and gives every attempt without a verdict its
// own. The most confident comes first.
func choose(attempts []Attempt, j *judge.Judge) []Plate {
	var open []*Attempt
	for i := range attempts {
		if a := &attempts[i]; a.Verdict.reason == notJudged {
			open = append(open, a)
		}
	}
	slices.SortStableFunc(open, func(a, b *Attempt) int { return cmp.Compare(b.Reading.precedence(), a.Reading.precedence()) })
	var kept []Plate
	for _, a := range open {
		if text, ok := smallPrintOf(a.Reading, open, j); ok {
			a.Verdict = Verdict{reason: smallPrint, text: text}
			continue
		}
		if a.Verdict = verdictOn(a.Reading, kept, j); a.Verdict.Reported() {
			kept = append(kept, a.Reading.Plate)
		}
	}
	slices.SortStableFunc(kept, func(a, b Plate) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return kept
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
func smallPrintOf(r JudgedPlate, all []*Attempt, j *judge.Judge) (text string, ok bool) {
	const (
		smaller = 0.75 // of the number's height; the rows of a two-row plate are alike, see rectify
		near    = 1    // most heights of the number between the two
		under   = 0.6  // least share of the print's width above or below the number
	)
	for _, a := range all {
		n := a.Reading
		if r.Height >= smaller*n.Height || !hasFigure(n.Text) || !verdictOn(n, nil, j).Reported() {
			continue
		}
		gap := max(r.Box.Min.Y-n.Box.Max.Y, n.Box.Min.Y-r.Box.Max.Y)
		beside := min(r.Box.Max.X, n.Box.Max.X) - max(r.Box.Min.X, n.Box.Min.X)
		if float64(gap) < near*n.Height && float64(beside) > under*float64(r.Box.Dx()) {
			return n.Text, true
		}
	}
	return "", false
}

// verdictOn judges a reading. kept are the reported ones that precede it.
func verdictOn(r JudgedPlate, kept []Plate, j *judge.Judge) Verdict {
	switch {
	case r.OnPlate < j.LeastPlate:
		return Verdict{reason: hardlyPlate, value: r.OnPlate, than: j.LeastPlate}
	case r.Confidence < j.LeastRight:
		return Verdict{reason: hardlyRight, value: r.Confidence, than: j.LeastRight}
	case !plausible(r.Text, r.Evidence.Fills):
		return Verdict{reason: implausible, text: r.Text}
	}
	for _, k := range kept {
		if coverage(r.Box, k.Box) > samePlace {
			return Verdict{reason: insideAnother, text: k.Text}
		}
	}
	return Verdict{reason: reported}
}

// samePlace is the coverage above which two readings cannot both be plates.
const samePlace = 0.3

// Readable tells whether a plate with a text (A to Z, 0 to 9) can be reported: see
// plausible. A list may hold others, which no camera finds.
func Readable(text string) bool { return plausible(text, false) }

// plausible rejects texts that plates do not have: fewer than four characters,
// four without a digit, and rows of strokes (a radiator grille reads as 111111).
// Vanity plates without a digit exist, but are rarer than lettering on vehicles
// and shops, so they need five characters or more. A picture that a plate fills
// shows no signs: there three characters with a digit may be a number.
func plausible(text string, fills bool) bool {
	if len(text) < 4 && !(fills && len(text) == 3 && hasFigure(text)) {
		return false
	}
	bars := strings.Count(text, "1") + strings.Count(text, "I")
	if 2*bars > len(text)+1 {
		return false
	}
	return len(text) >= 5 || hasFigure(text)
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
