// Package judge estimates how likely a reading is to stand on a plate at all,
// and how likely it is to be right: with two logistic regressions for each
// reading model, over what the finder, the line and the reader measured. Those
// for the built-in model are in weights.go; cmd/fitjudge fits them and measures
// how well they predict pictures that they were not fitted to.
package judge

import (
	"math"
	"strings"

	"platewatch/ocr/internal/logistic"
)

// Evidence is what was measured of a reading.
type Evidence struct {
	Text    string
	Place   float64 // the finder's score, 0–1
	Reader  float64 // the reader's confidence, 0–1
	Prior   float64 // log-prior by the formats of the regions; 0 without regions
	Letters int     // shapes on the line that was read
	Agreed  bool    // the reading was settled before all crops were read
	Height  float64 // of the characters in the frame, pixels
	Light   bool    // light characters on a dark ground
	Fills   bool    // the plate fills the frame
	// Framed: such short plates are expected, and the edges of one are visible on all
	// sides. Then few characters, and no figure, do not speak against a plate.
	Framed bool
}

// terms is the number of features.
const terms = 14

// Terms names the features.
var Terms = [terms]string{
	"place, log odds", "reader, log confidence", "characters read more or less than shapes", "looks agreed",
	"height below 20 px, log", "height above 20 px", "light on dark", "fewer than 5 characters", "more than 8 characters",
	"no figure", "no letter", "characters that dies stamp alike", "formats, log prior", "fills the frame",
}

// Vector is the evidence as features, in the order of [Terms].
func (e Evidence) Vector() []float64 {
	n := len(e.Text)
	height := max(e.Height, 4)
	alike := 0.0
	for _, c := range e.Text {
		alike += number(strings.ContainsRune("O0QI1", c))
	}
	return []float64{
		math.Log((e.Place + 1e-4) / (1 - e.Place + 1e-4)),
		math.Log(e.Reader + 0.02),
		min(2, math.Abs(float64(n-e.Letters))),
		number(e.Agreed),
		math.Log(min(height, 20) / 20),
		min(max(height-20, 0), 20) / 20,
		number(e.Light),
		number(n < 5 && !e.Framed),
		number(n > 8),
		number(!strings.ContainsAny(e.Text, "0123456789") && !e.Framed),
		number(strings.Trim(e.Text, "0123456789") == "" && !e.Framed),
		min(2, alike),
		min(max(e.Prior, -6), 6),
		number(e.Fills),
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Weights are those of a logistic regression.
type Weights struct {
	Bias  float64
	Terms [terms]float64
}

// Probability is the regression's estimate for the evidence, 0–1.
func (w Weights) Probability(e Evidence) float64 {
	z := w.Bias
	for i, v := range e.Vector() {
		z += w.Terms[i] * v
	}
	return logistic.Probability(z)
}

// Judge holds the two regressions for one reading model.
type Judge struct {
	plate, right Weights
	// Unsure is the reader's confidence below which a text is believed at most as far as
	// ceiling says, whatever speaks for the place; 0 for readers whose confidence says
	// little.
	Unsure float64
	// LeastPlate and LeastRight are the probabilities below which a reading is
	// not reported: such readings are hardly ever right.
	LeastPlate, LeastRight float64
}

// A reader's confidence means something different for each model, so each has
// its own judge.
var (
	wholePlates = Judge{plate: platePlate, right: plateRight, Unsure: 0.8, LeastPlate: 0.2, LeastRight: 0.05}
	// For Debian's models: a few digits, chosen on the labelled frames.
	lines = Judge{
		plate:      Weights{0.9, [terms]float64{0.6, 1, -0.3, -0.7, 0.7, 0.5, -1.3, -0.7, -1.5, -1.9, -0.5, 0, 0.1, 0}},
		right:      Weights{-1, [terms]float64{0.45, 0.35, -1.3, 0.7, 0.7, 0.5, -0.7, -2.1, -1.6, -1.8, -0.5, -0.2, 0.1, 0}},
		LeastPlate: 0.25,
	}
)

// OfPlates is the judge of the built-in model, which reads whole plates.
func OfPlates() *Judge { return &wholePlates }

// OfLines is the judge of Debian's models, which read cut-out lines.
func OfLines() *Judge { return &lines }

// Plate is the probability that the reading stands on a plate, whatever it says.
func (j *Judge) Plate(e Evidence) float64 { return j.plate.Probability(e) }

// Right is the probability that all of the text is right.
func (j *Judge) Right(e Evidence) float64 {
	p := j.right.Probability(e)
	if e.Reader < j.Unsure {
		return min(p, ceiling(e.Reader))
	}
	return p
}

// ceiling is how far a text is believed of which the reader is unsure. The regression,
// which is linear in the logarithm, lets a clear place and a format make up for that: of
// 124 labelled plates that it put at 0.9 and more with a reader below 0.8, 29 were wrong
// (below 0.6 a third, up to 0.7 a quarter, up to 0.8 a sixth), of 1,686 others 2 %.
func ceiling(reader float64) float64 { return 0.45 + 0.5*reader }
