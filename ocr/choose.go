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

// choose keeps the readings that are plates, likely enough and none inside
// another, and gives every attempt without a verdict its own. The most
// confident comes first.
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

// precedence is the order in which readings take their places: the surer one
// first; but two rows are surer than either of them alone only in that nothing
// is missing, so they get a start, and so does what has a figure in it before
// lettering that has none.
func (r JudgedPlate) precedence() float64 {
	const start = 0.3
	p := r.Confidence
	if r.Rows > 1 {
		p += start
	}
	if hasFigure(r.Text) {
		p += start
	}
	return p
}

// smallPrintOf tells whether a reading is what stands above or below the number
// on one and the same plate, a state, a slogan, a dealer, and which number that is.
func smallPrintOf(r JudgedPlate, all []*Attempt, j *judge.Judge) (text string, ok bool) {
	const (
		smaller = 0.75 // of the number's height; rows of one plate are alike: see rectify
		near    = 1    // heights of the number between the two
		under   = 0.6  // of the print's width
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

// verdictOn judges a reading. kept are the surer ones that are reported.
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
		if overlap(r.Box, k.Box) > samePlace {
			return Verdict{reason: insideAnother, text: k.Text}
		}
	}
	return Verdict{reason: reported}
}

// samePlace is the overlap from which two readings cannot both be plates.
const samePlace = 0.3

// plausible rejects what no plate carries: fewer than four characters, none of
// them a digit, and rows of strokes (a radiator grille reads as 111111).
// Vanity plates without a digit exist; they are rare, and lettering on
// vehicles and shops is not, so they must be five characters or more. In a
// picture that is all plate there are no signs, and three may be a number.
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

// overlap is the intersection over the smaller one's area, 0–1.
func overlap(a, b image.Rectangle) float64 {
	i := a.Intersect(b)
	smaller := min(a.Dx()*a.Dy(), b.Dx()*b.Dy())
	if i.Empty() || smaller == 0 {
		return 0
	}
	return float64(i.Dx()*i.Dy()) / float64(smaller)
}

// around is the smallest rectangle that holds the corners.
func around(corners [4]rectify.Point) image.Rectangle {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range corners {
		x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
	}
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1)), int(math.Ceil(y1)))
}
