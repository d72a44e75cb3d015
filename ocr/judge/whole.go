package judge

// Room is how far the characters of a reading are from the end of what can be
// seen: of the picture, or of the area that is searched. In heights of the
// characters; 0 and less where they are cut.
type Room struct {
	Left, Right, Above, Below float64
	// LeftEnd and RightEnd are what is seen between the characters and the end of
	// the picture, where the plate fills it.
	LeftEnd, RightEnd End
	Fills             bool // the plate fills the picture
	Form              Form // of such a picture
}

// Form is how the proportions of a picture that a plate fills compare with those of the
// plates of the region.
type Form int

// The forms.
const (
	// AnyForm: the region's plates have several, or it is none of the others.
	AnyForm Form = iota
	// AsPlates: of crops/us 95 % are; of the same cut 20 % inside at any side none.
	AsPlates
	// TooLow: a part is missing above or below. Of crops/us 2 % are; of the same cut
	// 20 % inside there 98 %.
	TooLow
	// TooNarrow: a part is missing at the left or right. Of crops/us 1 % are, of crops/eu
	// 4 %; of the same cut 20 % inside there nearly half.
	TooNarrow
	// Narrow: a part may be missing at the left or right.
	Narrow
)

// MostRoom is the distance from which the end of what can be seen hides no
// character, in their heights: no plate has a wider gap.
const MostRoom = 1.1

// Hidden is the probability that a character lies, in whole or in part, beyond the
// end of what can be seen. [Judge.Right] judges only what is visible.
//
// Measured with `make cutoff` on the labelled photographs, cut 20 and 35 % inside
// their plates: beside the cut, 95 % of the readings at 0.5 and more end within
// 0.55 heights of the picture's end, and all within 1; of 109 plates of frames
// that are in full view none does. Pictures that show a plate alone leave little
// room beside it. There 78 % of the cut ones end within 0.1 heights and 86 %
// within 0.2, of the uncut ones 12 and 40 %, and an edge of the plate is visible
// on a quarter of the uncut and on none of the cut ones. On some of the Narrow ones that
// end further from the cut, a part of a character is left beside it; but so stands an
// edge or a sticker on 3 in 100 uncut ones, mostly European plates with room above.
func (r Room) Hidden() float64 {
	side, over := ramp{0.6, 0.3, MostRoom}, ramp{0.2, 0.4, 0.5}
	switch {
	case r.Form == AsPlates:
		side, over = ramp{0, 0.3, 0.06}, ramp{-0.03, 0.4, 0.03}
	case r.Fills:
		side, over = ramp{0.1, 0.3, 0.2}, ramp{0.03, 0.4, 0.12}
	}
	p := over.at(min(r.Above, r.Below))
	if !(r.Fills && r.LeftEnd.Edge) {
		p *= side.at(r.Left)
	}
	if !(r.Fills && r.RightEnd.Edge) {
		p *= side.at(r.Right)
	}
	const part = 0.6 // most likely to be whole where the form says that a part is missing
	switch {
	case r.Form == TooLow, r.Form == TooNarrow:
		p = min(p, part)
	case r.Form == Narrow && r.partBeside():
		p = min(p, 1-odd)
	}
	return 1 - p
}

// partBeside tells whether the plain ground beside the characters ends before the
// picture does, and without an edge of the plate: a part of a character may stand there.
func (r Room) partBeside() bool {
	const widest, least = 0.6, 0.15 // of a part of a character
	part := func(room float64, e End) bool { return !e.Edge && room < widest && room-e.Ground > least }
	return part(r.Left, r.LeftEnd) || part(r.Right, r.RightEnd)
}

// ramp is least up to from, and rises to 1 at to.
type ramp struct{ from, least, to float64 }

func (r ramp) at(x float64) float64 {
	return r.least + (1-r.least)*min(max((x-r.from)/(r.to-r.from), 0), 1)
}
