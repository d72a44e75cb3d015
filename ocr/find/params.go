package find

import "fmt"

// When says when an expensive step is taken.
type When int

const (
	Never  When = iota
	Unsure      // only when the cheap steps gave no certain candidate
	Always
)

// Params are the finder's settings.
type Params struct {
	// MinHeight and MaxHeight bound the characters' height in pixels of a
	// pyramid level; together with the levels (1, 1/2, 1/4, 1/8) characters of
	// MinHeight to 8 × MaxHeight are found. Below 7 px strokes merge.
	MinHeight, MaxHeight float64
	// SecondLook enlarges promising regions and searches them again. It recovers
	// small night plates and costs about twice as much as the first look.
	SecondLook When
	// Sure is the score from which the first look's best candidate makes a
	// second look unnecessary when SecondLook is Unsure.
	Sure float64
	// LightText also searches for light characters on a dark ground in the second
	// look.
	LightText bool
	// Regions bounds how many regions of either kind get a second look.
	Regions int
	// Keep bounds how many candidates are returned.
	Keep int
}

// DefaultParams are the values with which the accuracy in the README was
// measured.
func DefaultParams() Params {
	return Params{MinHeight: 7, MaxHeight: 34, SecondLook: Unsure, Sure: 0.9, LightText: true, Regions: 8, Keep: 16}
}

// validate reports the first invalid setting.
func (p Params) validate() error {
	switch {
	case p.MinHeight < 5 || p.MaxHeight > 60 || p.MinHeight >= p.MaxHeight:
		return fmt.Errorf("find: character heights %g to %g px: they must lie within 5 to 60, the smaller first", p.MinHeight, p.MaxHeight)
	case p.Sure < 0 || p.Sure > 1:
		return fmt.Errorf("find: sure is %g: it is a probability, 0 to 1", p.Sure)
	case p.Regions < 0 || p.Regions > 64:
		return fmt.Errorf("find: %d regions for a second look: 0 to 64", p.Regions)
	case p.Keep < 1:
		return fmt.Errorf("find: %d candidates to keep: at least one", p.Keep)
	}
	return nil
}
