package ocr

import (
	"cmp"
	"image"
	"math"
	"slices"
	"strings"

	"platewatch/ocr/find"
	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
)

// evidence is what speaks for and against a reading being a plate, and being
// right. Its order is that of the weights below.
func evidence(r read.Reading, c find.Candidate, height float64) [evidences]float64 {
	n := float64(len(r.Text))
	return [evidences]float64{
		1,
		math.Log((c.Score + 1e-4) / (1 - c.Score + 1e-4)), // how plate-like the place is
		math.Log(r.Confidence + 0.02),                     // how sure the reader is
		min(2, math.Abs(n-float64(len(r.Line.Letters)))),  // it read more or less than there is
		truthOf(r.Agreed),
		min(height, 30) / 20, // of the characters in the frame, 20 px
		truthOf(c.Light),
		truthOf(n < 5),
		truthOf(n > 8),
		truthOf(!strings.ContainsAny(r.Text, "0123456789")),
	}
}

const evidences = 10

// judge holds the weights of two logistic regressions, with one or two digits:
// that a reading stands on a plate at all, and that all of its text is right.
// They were chosen on the labelled frames.
type judge struct {
	isPlate, isRight [evidences]float64
	// Below these probabilities a reading is not reported: they let 99 % of
	// the right readings through.
	leastPlate, leastRight float64
}

// How sure a reader says it is means something else for each kind of model.
var (
	lineJudge = judge{
		isPlate:    [evidences]float64{0.9, 0.6, 1, -0.3, -0.7, 1.1, -1.3, -0.7, -1.5, -1.9},
		isRight:    [evidences]float64{-2, 0.45, 0.35, -1.3, 0.7, 1, -0.7, -2.1, -1.6, -1.8},
		leastPlate: 0.25,
	}
	wholeJudge = judge{
		isPlate:    [evidences]float64{-1.8, 0.6, 0.7, 0.3, 0.7, 2.5, 0.3, -1.5, -1.4, -2.1},
		isRight:    [evidences]float64{-2, 0.8, 0.95, 0.2, 1, 1.4, 0.6, -1.5, -1.1, -1.8},
		leastPlate: 0.4, leastRight: 0.1,
	}
)

func judgeOf(m read.Model) judge {
	if m.Whole {
		return wholeJudge
	}
	return lineJudge
}

func probability(weights, evidence [evidences]float64) float64 {
	s := 0.0
	for i, e := range evidence {
		s += weights[i] * e
	}
	return 1 / (1 + math.Exp(-s))
}

func truthOf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// scored is a reading with the chance that it stands on a plate.
type scored struct {
	Plate
	plate float64
}

// choose keeps the readings that are plates: likely enough, and none inside
// another. The most confident comes first.
func (j judge) choose(readings []scored) []Plate {
	slices.SortStableFunc(readings, func(a, b scored) int { return cmp.Compare(b.Confidence, a.Confidence) })
	var kept []Plate
next:
	for _, p := range readings {
		if p.plate < j.leastPlate || p.Confidence < j.leastRight || !plausible(p.Text) {
			continue
		}
		for _, k := range kept {
			if overlap(p.Box, k.Box) > 0.3 {
				continue next
			}
		}
		kept = append(kept, p.Plate)
	}
	return kept
}

// plausible rejects what no plate carries: fewer than four characters, none of
// them a digit, and rows of strokes (a radiator grille reads as 111111).
// Vanity plates without a digit exist; they are rare, and lettering on
// vehicles and shops is not, so they must be five characters or more.
func plausible(text string) bool {
	if len(text) < 4 {
		return false
	}
	bars := strings.Count(text, "1") + strings.Count(text, "I")
	if 2*bars > len(text)+1 {
		return false
	}
	return len(text) >= 5 || strings.ContainsAny(text, "0123456789")
}

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
