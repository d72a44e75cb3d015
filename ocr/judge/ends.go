package judge

// Ends is what can be seen of the ends of a plate in a frame, and whether its text
// is complete by the formats. What hides a character, such as a pole or the bumper
// of the next car, hides the plate's edge as well.
type Ends struct {
	Left, Right End
	// Foreign: regions are expected, and the text has none of their formats.
	Foreign bool
	Text    float64 // width of the text
	Reader  float64 // the reader's confidence, 0–1
}

// End is one end of a plate. Lengths are in heights of the characters.
type End struct {
	Edge   bool    // an edge is visible
	Gap    float64 // from the characters to that edge
	Ground float64 // plain ground beside the characters, up to 1.5
}

// odd is the probability that a character is hidden where one thing alone is not as on
// most plates: what does not yet make a view too unsure to act on, because most of those
// plates are in full view.
const odd = 0.1

// Hidden is the probability that an obstacle hides a character.
//
// Measured on rendered plates beside obstacles and on five folders of labelled
// frames, of readings at 0.8 and more: an end without an edge and with little
// ground have 40 % of the readings from which a character is missing, 20 % of the
// others beside an obstacle, and 9 % of the labelled frames. A text without a format and something odd at an end have 26, 1
// and 1 %, but nearly half of the plates from abroad.
//
// Of 216 readings at 0.9 and more beside obstacles, and 336 on nine folders of labelled
// frames, a plate that seems narrower than any car's has 5 of the 21 that are wrong, 4
// of the right ones, and 2 % of the frames; an edge at one end only, and a reader that is
// not quite sure, 8, 20 and 4 %.
func (e Ends) Hidden() float64 {
	const both = 0.5
	hides := e.Left.hides(e.Right) || e.Right.hides(e.Left)
	switch {
	case e.Foreign && hides:
		return both
	case hides, e.narrow(), e.lopsided(), e.Foreign && (e.Left.strange(e.Right) || e.Right.strange(e.Left)):
		return odd
	}
	return 0
}

// narrow tells whether the plate ends sooner than one of a car can, in heights of its
// characters: the United States' are 4 to 4.8 wide, and all others wider; the rest is for
// views from the side.
func (e Ends) narrow() bool {
	const narrowest = 3.4
	return e.Left.reach()+e.Text+e.Right.reach() < narrowest
}

// lopsided tells whether only one end has an edge, and the reader hesitated.
func (e Ends) lopsided() bool {
	const quite = 0.97
	return e.Left.Edge != e.Right.Edge && e.Reader < quite
}

// reach is how far the plate goes on at this end.
func (s End) reach() float64 {
	if s.Edge {
		return s.Gap
	}
	return s.Ground
}

// hides tells whether something may hide a character at this end.
func (s End) hides(other End) bool {
	const little, less = 0.1, 0.05 // ground; less of it than at the other end
	return !s.Edge && s.Ground < little && s.Ground+less < other.Ground
}

// strange tells whether anything at this end is not as on most plates.
func (s End) strange(other End) bool {
	const (
		farther  = 0.3  // more of a gap than of ground: something stands between
		touching = 0.06 // hardly any ground, or none up to the edge
		room     = 0.1  // of the other end
		uneven   = 0.15 // less of a gap than at the other end
		open     = 1.2  // ground that does not end, where it does at the other end
	)
	return !s.Edge && other.Edge && s.Ground >= open || s.Edge && (s.Gap > farther+s.Ground || s.Gap < touching || other.Edge && other.Gap-s.Gap > uneven) ||
		s.Ground < touching && other.Ground > room
}
