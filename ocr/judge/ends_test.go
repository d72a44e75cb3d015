package judge

import "testing"

// TestEnds: an end at which something may hide a character makes a view less sure, and
// with a text that has no format, too unsure to act on.
func TestEnds(t *testing.T) {
	margin := End{Edge: true, Gap: 0.3, Ground: 0.28}
	for name, test := range map[string]struct {
		left, right End
		foreign     bool
		least, most float64
	}{
		"a plate in full view":                     {margin, margin, false, 0, 0},
		"the same, of another country":             {margin, margin, true, 0, 0},
		"a pole touches the last character":        {margin, End{}, false, 0.05, 0.1},
		"a pole touches the first":                 {End{Ground: 0.05}, margin, false, 0.05, 0.1},
		"white paint goes on beside it":            {End{Ground: 1.5}, margin, false, 0, 0},
		"white paint, and too few characters":      {End{Ground: 1.5}, margin, true, 0.05, 0.1},
		"narrow margins, an edge that is not seen": {End{Ground: 0.08}, End{Edge: true, Gap: 0.08, Ground: 0.08}, false, 0, 0},
		"no edge is seen anywhere: a far plate":    {End{Ground: 0.5}, End{Ground: 0.5}, false, 0, 0},
		"a pole, and too few characters":           {margin, End{}, true, 0.4, 0.6},
		"something before the edge, and too few":   {margin, End{Edge: true, Gap: 0.9, Ground: 0.1}, true, 0.05, 0.1},
		"something before the edge, all the text":  {margin, End{Edge: true, Gap: 0.9, Ground: 0.1}, false, 0, 0},
	} {
		e := Ends{Left: test.left, Right: test.right, Foreign: test.foreign, Text: 4, Reader: 0.99}
		if h := e.Hidden(); h < test.least || h > test.most {
			t.Errorf("%s: %.2f, want %.2f to %.2f", name, h, test.least, test.most)
		}
		e.Left, e.Right = e.Right, e.Left
		if h := e.Hidden(); h < test.least || h > test.most {
			t.Errorf("%s, the other way round: %.2f", name, h)
		}
	}
}

// TestNarrow: a plate that is narrower than any, or ends at one side only where the
// reader hesitates, may lack a character.
func TestNarrow(t *testing.T) {
	margin := End{Edge: true, Gap: 0.1, Ground: 0.1}
	for _, test := range []struct {
		e    Ends
		want bool
	}{
		{Ends{Left: margin, Right: margin, Text: 3.5, Reader: 0.99}, false},
		{Ends{Left: margin, Right: margin, Text: 3.1, Reader: 0.99}, true},
		{Ends{Left: margin, Right: End{Ground: 0.4}, Text: 4, Reader: 0.99}, false},
		{Ends{Left: margin, Right: End{Ground: 0.4}, Text: 4, Reader: 0.95}, true},
		{Ends{Left: End{Ground: 0.4}, Right: End{Ground: 0.4}, Text: 4, Reader: 0.95}, false},
	} {
		if got := test.e.Hidden() > 0; got != test.want {
			t.Errorf("%+v: hidden %v", test.e, got)
		}
	}
}

// TestShaped: a picture with a plate's proportions shows it to the edges.
func TestShaped(t *testing.T) {
	tight := Room{Left: 0.1, Right: 0.1, Above: 0.1, Below: 0.1, Fills: true}
	if h := tight.Hidden(); h < 0.2 {
		t.Errorf("a picture of other proportions: %.2f", h)
	}
	tight.Form = AsPlates
	if h := tight.Hidden(); h != 0 {
		t.Errorf("a picture with a plate's proportions: %.2f", h)
	}
	tight.Left = 0
	if h := tight.Hidden(); h < 0.2 {
		t.Errorf("the same, a character at its end: %.2f", h)
	}
}

// TestForm: a picture that is lower or narrower than plates shows a part of one, however
// much room there is around the characters.
func TestForm(t *testing.T) {
	for form, want := range map[Form]bool{AnyForm: false, AsPlates: false, TooLow: true, TooNarrow: true} {
		if got := (Room{Left: 1, Right: 1, Above: 1, Below: 1, Fills: true, Form: form}).Hidden() >= 0.3; got != want {
			t.Errorf("form %d: hidden %v", form, got)
		}
	}
}

// TestPartBeside: on a picture somewhat narrower than plates, what stands between the
// ground beside the characters and the picture's end may be a part of one.
func TestPartBeside(t *testing.T) {
	whole := Room{Left: 0.35, Right: 0.35, Above: 1, Below: 1, LeftEnd: End{Ground: 0.35}, RightEnd: End{Ground: 0.35}, Fills: true, Form: Narrow}
	for _, test := range []struct {
		name string
		part func(*Room)
		want bool
	}{
		{"ground to both ends", func(*Room) {}, false},
		{"something at the left", func(r *Room) { r.LeftEnd.Ground = 0.1 }, true},
		{"something at the right", func(r *Room) { r.RightEnd.Ground = 0 }, true},
		{"the plate's edge", func(r *Room) { r.RightEnd.Ground, r.RightEnd.Edge = 0, true }, false},
		{"too far for a part", func(r *Room) { r.RightEnd.Ground, r.Right = 0, 0.7 }, false},
		{"a plate's proportions", func(r *Room) { r.RightEnd.Ground, r.Form = 0, AsPlates }, false},
		{"other ones", func(r *Room) { r.RightEnd.Ground, r.Form = 0, AnyForm }, false},
	} {
		r := whole
		test.part(&r)
		if got := r.Hidden() > 0; got != test.want {
			t.Errorf("%s: hidden %.2f", test.name, r.Hidden())
		}
	}
}
