package render

// skeleton returns the centre lines of one character and the width of its box,
// in units of 1/100 of the capital height. The box is what the die cuts: the
// strokes lie in it completely. ok is false for a character the die lacks.
func (d *Die) skeleton(ch rune) (s []stroke, w float64, ok bool) {
	t := d.Stroke
	w = d.Width
	switch ch {
	case 'M':
		w *= d.MWidth
	case 'W':
		w *= d.WWidth
	case '0':
		w *= d.ZeroWidth
	case 'I':
		w = t
		if d.SlabI {
			w = max(d.Width*.6, 2.6*t)
		}
	case '1':
		switch d.One {
		case OneBar:
			w = t
		case OneFlag:
			w = max(d.Width*.56, 2*t)
		case OneSlab:
			w = max(d.Width*.74, 2.6*t)
		}
	case 'J', 'E', 'F', 'L':
		w *= d.NarrowWidth
	case '-', '.', '\'', ':', '/', ',', '!', '&':
		return d.punctuation(ch)
	}
	L, R, T, B := t/2, w-t/2, t/2, 100-t/2
	C, H := w/2, B-T
	M := T + H*d.Waist // the middle bar of E, B, 8, S
	bow := Point{X: (R - L) / 2 * d.Round, Y: (R - L) / 2 * d.Round * d.Tall}
	var sharp Point
	v := func(x, y float64) vert { return vert{x, y, sharp} }
	o := func(x, y float64) vert { return vert{x, y, bow} }
	q := T + H*d.Open // where the arms of C, G, S, 3, 6 end
	p := B - H*d.Open
	e := d.End
	open := func(vs ...vert) stroke { return stroke{v: vs, start: e, end: e} }
	loop := func(vs ...vert) stroke { return stroke{v: vs, closed: true} }
	diag := func(vs ...vert) stroke {
		if e == capRound {
			return open(vs...)
		}
		return stroke{v: vs, start: capCut, end: capCut}
	}
	// ends: a start and an end of its own
	ends := func(a, b int, vs ...vert) stroke {
		if e == capRound {
			if a == capCut {
				a = capRound
			}
			if b == capCut {
				b = capRound
			}
		}
		return stroke{v: vs, start: a, end: b}
	}
	flat := t * d.Apex // half the flat top of A, the flat foot of V
	switch ch {
	case 'A':
		y := T + H*.7
		if e == capRound {
			flat = 0
		}
		k := (C - flat - L) / H * (B - y)
		if e == capRound {
			s = []stroke{open(v(L, B), v(C, T), v(R, B))}
		} else {
			s = []stroke{diag(v(L, B), v(C-flat, T)), diag(v(C+flat, T), v(R, B))}
		}
		s = append(s, ends(capButt, capButt, v(L+k, y), v(R-k, y)))
		if flat > t/2 {
			s = append(s, ends(capButt, capButt, v(C-flat, T), v(C+flat, T)))
		}
	case 'B':
		x := R - (R-L)*.05
		s = []stroke{loop(v(L, T), o(x, T), o(x, M), v(L, M)), loop(v(L, M), o(R, M), o(R, B), v(L, B))}
	case 'C':
		s = []stroke{open(v(R, q), o(R, T), o(L, T), o(L, B), o(R, B), v(R, p))}
	case 'D':
		s = []stroke{loop(v(L, T), o(R, T), o(R, B), v(L, B))}
	case 'E':
		s = []stroke{open(v(R+t/2-d.inset(), T), v(L, T), v(L, B), v(R+t/2-d.inset(), B)), open(v(L, M), v(R-(R-L)*.06, M))}
	case 'F':
		s = []stroke{open(v(R+t/2-d.inset(), T), v(L, T), v(L, B+t/2-d.inset())), open(v(L, M+H*.03), v(R-(R-L)*.06, M+H*.03))}
	case 'G':
		y := T + H*.56
		x := C + (R-L)*.02
		if d.SpurG {
			s = []stroke{open(v(R, q), o(R, T), o(L, T), o(L, B), o(R, B), v(R, y-t/2)), ends(capButt, capButt, v(x, y), v(R+t/2, y))}
		} else {
			s = []stroke{open(v(R, q), o(R, T), o(L, T), o(L, B), o(R, B), v(R, y), v(x, y))}
		}
	case 'H':
		s = []stroke{d.stem(L), d.stem(R), open(v(L, M), v(R, M))}
	case 'I':
		s = []stroke{d.stem(C)}
		if d.SlabI {
			s = append(s, open(v(d.inset(), T), v(w-d.inset(), T)), open(v(d.inset(), B), v(w-d.inset(), B)))
		}
	case 'J':
		s = []stroke{open(v(R, d.inset()), o(R, B), o(L, B), v(L, B-H*.3))}
		if d.BarJ {
			s = append(s, open(v(L+(R-L)*.3, T), v(R, T)))
		}
	case 'K':
		y := T + H*.62
		kx := L + (R-L)*.3
		s = []stroke{d.stem(L), diag(v(R, T), v(L, y)), ends(capButt, capCut, v(kx, y-(kx-L)*(y-T)/(R-L)), v(R, B))}
		s[1].end = capButt
	case 'L':
		s = []stroke{open(v(L, d.inset()), v(L, B), v(R+t/2-d.inset(), B))}
	case 'M':
		y := T + H*d.MDepth
		s = []stroke{d.stem(L), d.stem(R), diag(v(L, T), v(C, y), v(R, T))}
	case 'N':
		s = []stroke{d.stem(L), d.stem(R), diag(v(L, T), v(R, B))}
	case 'O':
		s = []stroke{loop(o(L, T), o(R, T), o(R, B), o(L, B))}
	case '0':
		s = []stroke{loop(o(L, T), o(R, T), o(R, B), o(L, B))}
		if d.SlashZero {
			s = append(s, open(v(L+(R-L)*.15, B-H*.2), v(R-(R-L)*.15, T+H*.2)))
		}
	case 'P':
		y := T + H*.56
		s = []stroke{open(v(L, B+t/2-d.inset()), v(L, T), o(R, T), o(R, y), v(L, y))}
	case 'Q':
		s = []stroke{loop(o(L, T), o(R, T), o(R, B), o(L, B)), ends(capButt, capCut, v(C+(R-L)*.02, T+H*.68), v(R+t*.1, B))}
	case 'R':
		y := T + H*.55
		s = []stroke{open(v(L, B+t/2-d.inset()), v(L, T), o(R, T), o(R, y), v(L, y)), ends(capButt, capCut, v(C-(R-L)*.06, y), v(R, B))}
	case 'S':
		k := H * d.Spine
		s = []stroke{open(v(R, q), o(R, T), o(L, T), o(L, M-k), o(R, M+k), o(R, B), o(L, B), v(L, p))}
	case 'T':
		s = []stroke{d.stem(C), open(v(d.inset(), T), v(w-d.inset(), T))}
	case 'U':
		s = []stroke{open(v(L, d.inset()), o(L, B), o(R, B), v(R, d.inset()))}
	case 'V':
		if e == capRound {
			s = []stroke{open(v(L, T), v(C, B), v(R, T))}
			break
		}
		s = []stroke{diag(v(L, T), v(C-flat*.7, B)), diag(v(C+flat*.7, B), v(R, T))}
	case 'W':
		y := B - H*d.WDepth
		a := L + (R-L)*d.WFoot
		b := R - (R-L)*d.WFoot
		in := func(x float64) stroke {
			return stroke{v: []vert{v(x, B), v(C, y)}, start: capButt, end: capCut, thin: d.WThin, top: y - t*.35}
		}
		s = []stroke{in(a), in(b), diag(v(L, T), v(a, B)), diag(v(R, T), v(b, B))}
		if e == capRound {
			s[2].end, s[3].end = capCut, capCut
		}
	case 'X':
		s = []stroke{diag(v(L, T), v(R, B)), diag(v(R, T), v(L, B))}
	case 'Y':
		y := T + H*.52
		s = []stroke{ends(capCut, capButt, v(L, T), v(C, y)), ends(capCut, capButt, v(R, T), v(C, y)), ends(capButt, e, v(C, y-t*.3), v(C, B+t/2-d.inset()))}
	case 'Z':
		s = []stroke{open(v(d.inset(), T), v(R, T), v(L, B), v(w-d.inset(), B))}
	case '1':
		switch d.One {
		case OneBar:
			s = []stroke{d.stem(C)}
		case OneFlag:
			s = []stroke{open(v(L, T+H*d.Flag), v(R, T), v(R, B+t/2-d.inset()))}
		case OneSlab:
			s = []stroke{open(v(L, T+H*d.Flag), v(C, T), v(C, B+t/2-d.inset())), open(v(d.inset(), B), v(w-d.inset(), B))}
		}
	case '2':
		r2 := vert{R, T + H*.45, Point{X: bow.X, Y: bow.Y * 1.1}}
		s = []stroke{open(v(L, T+H*d.Open*.95), o(L, T), o(R, T), r2, v(L, B), v(w-d.inset(), B))}
	case '3':
		m := T + H*.46
		if d.FlatThree {
			s = []stroke{open(v(d.inset(), T), v(R, T), v(C-(R-L)*.1, T+H*.4), o(R, T+H*.42), o(R, B), o(L, B), v(L, p))}
		} else {
			x := R - (R-L)*.05
			s = []stroke{open(v(L, q), o(L, T), o(x, T), o(x, m), v(C-(R-L)*.12, m)), open(v(C-(R-L)*.12, m), o(R, m), o(R, B), o(L, B), v(L, p))}
		}
	case '4':
		y := B - H*.22
		x := R - (R-L)*.24
		if d.OpenFour {
			s = []stroke{ends(capCut, e, v(C-(R-L)*.02, T), v(L, y), v(R+t/2-d.inset(), y)), ends(e, e, v(x, T+H*.42), v(x, B+t/2-d.inset()))}
		} else {
			s = []stroke{open(v(x, B+t/2-d.inset()), v(x, T), v(L, y), v(R+t/2-d.inset(), y))}
		}
	case '5':
		// A bowl that starts higher or a longer hook is taken for a 9 at 25 px.
		m := T + H*.44
		s = []stroke{open(v(R-(R-L)*.03+t/2-d.inset(), T), v(L+(R-L)*.02, T), v(L, m), o(R, m), o(R, B), o(L, B), v(L, B-H*d.Open*.8))}
	case '6':
		s = d.six(L, R, T, B, H, bow)
	case '9':
		s = d.six(L, R, T, B, H, bow)
		for i := range s {
			for j, a := range s[i].v {
				s[i].v[j].x, s[i].v[j].y = w-a.x, 100-a.y
			}
		}
	case '7':
		s = []stroke{ends(e, capCut, v(d.inset(), T), v(R, T), v(L+(R-L)*.28, B))}
	case '8':
		x := (R - L) * .04
		s = []stroke{loop(o(L+x, T), o(R-x, T), o(R-x, M), o(L+x, M)), loop(o(L, M), o(R, M), o(R, B), o(L, B))}
	default:
		return nil, 0, false
	}
	return s, w, true
}

// six draws the bowl and the back of a 6 (turned round it is the 9).
func (d *Die) six(L, R, T, B, H float64, bow Point) []stroke {
	m := T + H*.42
	bowl := stroke{closed: true, v: []vert{{L, m, bow}, {R, m, bow}, {R, B, bow}, {L, B, bow}}}
	if d.SlantSix { // DIN 1451: the back is one oblique line into a round bowl
		x := R - (R-L)*.3
		return []stroke{bowl, {v: []vert{{x, T, Point{}}, {L, m + H*.14, Point{X: 8, Y: 20}}, {L, B - H*.25, Point{}}}, start: capCut, end: capButt}}
	}
	return []stroke{bowl, {v: []vert{{R, T + H*d.Open*.92, Point{}}, {R, T, bow}, {L, T, bow}, {L, B - H*.25, Point{}}}, start: d.End}}
}

// stem is an upright over the whole height.
func (d *Die) stem(x float64) stroke {
	i := d.inset()
	return stroke{v: []vert{{x, i, Point{}}, {x, 100 - i, Point{}}}, start: d.End, end: d.End}
}

// inset is how far before the edge of the box a straight end stops: round ends
// add their own half circle.
func (d *Die) inset() float64 {
	if d.End == capRound {
		return d.Stroke / 2
	}
	return 0
}

func (d *Die) punctuation(ch rune) ([]stroke, float64, bool) {
	t := d.Stroke
	line := func(w float64, x0, y0, x1, y1 float64) ([]stroke, float64, bool) {
		return []stroke{{v: []vert{{x0, y0, Point{}}, {x1, y1, Point{}}}}}, w, true
	}
	switch ch {
	case '-':
		w := max(d.Width*.5, 1.4*t)
		return line(w, 0, 50, w, 50)
	case '.', ',':
		return line(t*1.1, t*.55, 100-t*1.1, t*.55, 100)
	case '\'':
		return line(t, t/2, 0, t/2, 25)
	case '!':
		return line(t, t/2, 0, t/2, 70)
	case ':':
		s, w, _ := line(t*1.1, t*.55, 28, t*.55, 28+t*1.1)
		u, _, _ := line(t*1.1, t*.55, 100-t*1.1, t*.55, 100)
		return append(s, u...), w, true
	case '/':
		return line(d.Width*.7, d.Width*.7-t/2, 0, t/2, 100)
	}
	// &
	w := d.Width * 1.1
	return []stroke{
		{closed: true, v: []vert{{w * .2, t / 2, Point{X: 9, Y: 9}}, {w * .7, t / 2, Point{X: 9, Y: 9}}, {w * .7, 45, Point{X: 9, Y: 9}}, {w * .2, 45, Point{X: 9, Y: 9}}}},
		{closed: true, v: []vert{{t / 2, 45, Point{X: 12, Y: 12}}, {w * .8, 45, Point{X: 12, Y: 12}}, {w * .8, 100 - t/2, Point{X: 12, Y: 12}}, {t / 2, 100 - t/2, Point{X: 12, Y: 12}}}},
	}, w, true
}
