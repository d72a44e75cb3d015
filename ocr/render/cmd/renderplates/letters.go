package main

// letterHabits draws some of a typeface's letters anew, as habits does its
// figures: in photographs the reader took the R of dies with upright legs for a
// B or a P, a low-waisted E for an F, a Y with a low fork for a V, an I with serifs for
// a T, and H, M, U and W for each other.
func letterHabits(d dice, t *typeface, wide, stroke float64) {
	square, rounded := pick(d, 2, 2.3, 2.8, 4.), d.one(.3)
	draw := func(c byte, width float64, strokes func(p *pen)) {
		if d.one(.5) {
			return
		}
		t.redraw(c, width, pen{stroke: stroke, square: square, rounded: rounded}, strokes)
	}
	waist := d.in(.44, .56)
	draw('R', wide, func(p *pen) {
		knee := d.in(.46, .58)
		p.path(point{0, 1}, point{0, 0})
		p.path(p.bowl(0, 1, 0, knee)...)
		switch d.IntN(4) {
		case 0: // upright, under the bowl's edge
			p.path(point{d.in(.7, .9), knee}, point{d.in(.9, 1), d.in(.64, .74)}, point{1, 1})
		case 1: // from the stem's side
			p.path(point{d.in(.1, .35), knee}, point{1, 1})
		case 2:
			p.path(point{d.in(.4, .6), knee}, point{1, 1})
		default: // nearly upright
			p.path(point{d.in(.6, .85), knee}, point{d.in(.92, 1), 1})
		}
	})
	draw('P', wide*d.in(.9, 1), func(p *pen) {
		p.path(point{0, 1}, point{0, 0})
		p.path(p.bowl(0, 1, 0, d.in(.48, .6))...)
	})
	draw('B', wide, func(p *pen) {
		p.path(point{0, 1}, point{0, 0})
		p.path(p.bowl(0, d.in(.88, 1), 0, waist)...)
		p.path(p.bowl(0, 1, waist, 1)...)
	})
	draw('E', wide*d.in(.82, 1), func(p *pen) {
		p.path(point{1, 0}, point{0, 0}, point{0, 1}, point{1, 1})
		p.path(point{0, waist}, point{d.in(.7, 1), waist})
	})
	draw('F', wide*d.in(.82, 1), func(p *pen) {
		low := d.in(.44, .6)
		p.path(point{1, 0}, point{0, 0}, point{0, 1})
		p.path(point{0, low}, point{d.in(.7, 1), low})
	})
	draw('H', wide, func(p *pen) {
		p.path(point{0, 0}, point{0, 1})
		p.path(point{1, 0}, point{1, 1})
		p.path(point{0, waist}, point{1, waist})
	})
	draw('N', wide*d.in(.95, 1.1), func(p *pen) {
		p.path(point{0, 1}, point{0, 0}, point{1, 1}, point{1, 0})
	})
	draw('U', wide, func(p *pen) {
		round := d.in(.2, .5)
		q := append([]point{{0, 0}, {0, 1 - round}}, p.arc(.5, 1-round, .5, round, 180, 0)...)
		p.path(append(q, point{1, 0})...)
	})
	draw('Z', wide*d.in(.9, 1.05), func(p *pen) {
		p.path(point{0, 0}, point{1, 0}, point{0, 1}, point{1, 1})
	})
	draw('A', wide*d.in(.95, 1.15), func(p *pen) {
		bar, top := d.in(.62, .8), pick(d, 0, 0, d.in(.05, .2))
		p.path(point{0, 1}, point{.5 - top, 0}, point{.5 + top, 0}, point{1, 1})
		x := (.5 - top) * (1 - bar)
		p.path(point{x, bar}, point{1 - x, bar})
	})
	draw('K', wide, func(p *pen) {
		meet, from := d.in(.5, .7), d.in(0, .3)
		p.path(point{0, 0}, point{0, 1})
		p.path(point{1, 0}, point{0, meet})
		p.path(point{from, meet * (1 - from)}, point{1, 1})
	})
	draw('Y', wide*d.in(.95, 1.1), func(p *pen) {
		fork := d.in(.4, .68)
		p.path(point{0, 0}, point{.5, fork}, point{1, 0})
		p.path(point{.5, fork}, point{.5, 1})
	})
	serif := d.one(.5)
	letter := stroke
	if serif {
		letter = wide * d.in(.5, .85)
	}
	draw('I', letter, func(p *pen) {
		p.path(point{.5, 0}, point{.5, 1})
		if serif {
			p.path(point{0, 0}, point{1, 0})
			p.path(point{0, 1}, point{1, 1})
		}
	})
	draw('C', wide, func(p *pen) {
		open := d.in(25, 50)
		p.path(p.arc(.5, .5, .5, .5, -open, open-360)...)
	})
}
