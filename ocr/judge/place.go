package judge

import "platewatch/ocr/internal/logistic"

// placeTerms is how many properties the finder measures of a candidate.
const placeTerms = 23

// PlaceWeights are those of the logistic regression over a candidate's
// properties, in the order of the finder's FeatureNames.
type PlaceWeights struct {
	Bias  float64
	Terms [placeTerms]float64
}

// Place is the probability that a candidate is a plate, before it is read.
// score is the finder's, 0–1, and features are what it measured; without weights
// of its own the judge believes the score.
//
// The finder's ranking is fitted to rendered streets, which have less clutter
// than real ones. Fitted to the labelled pictures, each folder judged by weights
// that do not know it, half as many places that are none stand above nineteen of
// twenty plates: 336 of 8,093 instead of 704 (cmd/fitjudge prints it).
func (j *Judge) Place(score float64, features []float64) float64 {
	if j.place == nil {
		return score
	}
	return j.place.Probability(features)
}

// Probability is the regression's estimate, 0–1.
func (w *PlaceWeights) Probability(features []float64) float64 {
	z := w.Bias
	for i, x := range features {
		z += w.Terms[i] * x
	}
	return logistic.Probability(z)
}
