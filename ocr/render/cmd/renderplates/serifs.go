package main

// Strokes of some dies end in small cross strokes, among them Virginia's,
// Idaho's and Delaware's. Without having seen them the reader takes their F for
// a P, their E for a B and their T for an I.

// serifs gives a typeface such ends. wide is the width of a usual character,
// stroke that of the strokes, both as a share of the height.
func serifs(d dice, t *typeface, wide, stroke float64) {
	feet, beaks := d.one(.8), d.one(.8) // across the ends of stems, down from the ends of arms
	half := d.in(.5, 1.1) * stroke      // of a foot beyond the stem's middle
	beak := d.in(.07, .2) + stroke*.5
	square := pick(d, 2, 2.3, 2.8)
	draw := func(c byte, width float64, strokes func(p *pen, foot float64)) {
		if d.one(.1) {
			return
		}
		t.redraw(c, width, pen{stroke: stroke, square: square}, func(p *pen) {
			foot := 0.
			if feet {
				foot = min(half/max(.01, p.wide-stroke), .4)
			}
			strokes(p, foot)
		})
	}
	foot := func(p *pen, x, y, half float64) {
		if half > 0 {
			p.path(point{max(0, x-half), y}, point{min(1, x+half), y})
		}
	}
	down := func(p *pen, x, from, length float64) {
		if beaks {
			p.path(point{x, from}, point{x, from + length})
		}
	}
	waist := d.in(.44, .54)
	draw('E', wide*d.in(.85, 1.05), func(p *pen, f float64) {
		p.path(point{1, 0}, point{f * .6, 0}, point{f * .6, 1}, point{1, 1})
		if feet {
			p.path(point{0, 0}, point{f, 0})
			p.path(point{0, 1}, point{f, 1})
		}
		down(p, 1, 0, beak)
		down(p, 1, 1, -beak)
		reach := d.in(.6, .85)
		p.path(point{f * .6, waist}, point{reach, waist})
		down(p, reach, waist-beak*.45, beak*.9)
	})
	draw('F', wide*d.in(.85, 1.05), func(p *pen, f float64) {
		p.path(point{1, 0}, point{f * .6, 0}, point{f * .6, 1})
		foot(p, f*.6, 1, f)
		down(p, 1, 0, beak)
		reach := d.in(.6, .85)
		p.path(point{f * .6, waist}, point{reach, waist})
		down(p, reach, waist-beak*.45, beak*.9)
	})
	draw('T', wide, func(p *pen, f float64) {
		p.path(point{0, 0}, point{1, 0})
		p.path(point{.5, 0}, point{.5, 1})
		foot(p, .5, 1, f)
		down(p, 0, 0, beak)
		down(p, 1, 0, beak)
	})
	draw('L', wide*d.in(.85, 1), func(p *pen, f float64) {
		p.path(point{f, 0}, point{f, 1}, point{1, 1})
		foot(p, f, 0, f)
		foot(p, f, 1, f)
		down(p, 1, 1, -beak)
	})
	draw('Z', wide*d.in(.9, 1.05), func(p *pen, _ float64) {
		p.path(point{0, 0}, point{1, 0}, point{0, 1}, point{1, 1})
		down(p, 0, 0, beak)
		down(p, 1, 1, -beak)
	})
	draw('2', wide, func(p *pen, _ float64) {
		bowl := p.arc(.5, .28, .5, .28, 180+d.in(0, 20), 360+d.in(5, 45))
		p.path(append(bowl, point{0, 1}, point{1, 1})...)
		down(p, 1, 1, -beak*.8)
	})
	draw('7', wide, func(p *pen, f float64) {
		p.path(point{0, 0}, point{1, 0}, point{d.in(.3, .5), 1})
		down(p, 0, 0, beak)
	})
	draw('5', wide, func(p *pen, _ float64) {
		p.path(append([]point{{.95, 0}, {.08, 0}, {.04, .46}}, p.arc(.47, .68, .53, .32, -140, 150)...)...)
		down(p, .95, 0, beak*.7)
	})
	draw('I', wide*d.in(.5, .8), func(p *pen, _ float64) {
		p.path(point{.5, 0}, point{.5, 1})
		p.path(point{0, 0}, point{1, 0})
		p.path(point{0, 1}, point{1, 1})
	})
	draw('1', wide*d.in(.5, .8), func(p *pen, _ float64) {
		p.path(point{0, d.in(.08, .25)}, point{.5, 0}, point{.5, 1})
		p.path(point{0, 1}, point{1, 1})
	})
	draw('J', wide*d.in(.8, 1), func(p *pen, f float64) {
		p.path(append([]point{{1 - f, 0}, {1 - f, .7}}, p.arc(.5-f/2, .7, .5-f/2, .3, 0, 170)...)...)
		foot(p, 1-f, 0, f)
	})
	draw('P', wide, func(p *pen, f float64) {
		knee := d.in(.48, .58)
		p.path(point{f, 1}, point{f, 0})
		p.path(p.bowl(f, 1, 0, knee)...)
		foot(p, f, 0, f)
		foot(p, f, 1, f)
	})
	ends := func(p *pen, f float64, xs ...float64) {
		for _, x := range xs {
			foot(p, x, 0, f)
			foot(p, x, 1, f)
		}
	}
	draw('H', wide, func(p *pen, f float64) {
		p.path(point{f, 0}, point{f, 1})
		p.path(point{1 - f, 0}, point{1 - f, 1})
		p.path(point{f, waist}, point{1 - f, waist})
		ends(p, f, f, 1-f)
	})
	draw('N', wide*d.in(.95, 1.1), func(p *pen, f float64) {
		p.path(point{f, 1}, point{f, 0}, point{1 - f, 1}, point{1 - f, 0})
		foot(p, f, 1, f)
		foot(p, f/2, 0, f/2)
		foot(p, 1-f, 0, f)
	})
	draw('M', wide*d.in(1, 1.2), func(p *pen, f float64) {
		p.path(point{f, 1}, point{f, 0}, point{.5, d.in(.4, .9)}, point{1 - f, 0}, point{1 - f, 1})
		foot(p, f, 1, f)
		foot(p, 1-f, 1, f)
		foot(p, f/2, 0, f/2)
		foot(p, 1-f/2, 0, f/2)
	})
	draw('U', wide, func(p *pen, f float64) {
		round := d.in(.2, .45)
		q := append([]point{{f, 0}, {f, 1 - round}}, p.arc(.5, 1-round, .5-f, round, 180, 0)...)
		p.path(append(q, point{1 - f, 0})...)
		foot(p, f, 0, f)
		foot(p, 1-f, 0, f)
	})
	draw('A', wide*d.in(.95, 1.15), func(p *pen, f float64) {
		bar, f := d.in(.62, .8), f*.8
		p.path(point{f, 1}, point{.5, 0}, point{1 - f, 1})
		x := f + (.5-f)*(1-bar)
		p.path(point{x, bar}, point{1 - x, bar})
		foot(p, f, 1, f)
		foot(p, 1-f, 1, f)
	})
	draw('K', wide, func(p *pen, f float64) {
		meet := d.in(.5, .65)
		p.path(point{f, 0}, point{f, 1})
		p.path(point{1 - f*.5, 0}, point{f, meet})
		p.path(point{f + (1-f)*.3, meet * .7}, point{1 - f*.5, 1})
		foot(p, f, 0, f)
		foot(p, f, 1, f)
		foot(p, 1-f*.5, 1, f*.5)
	})
	draw('Y', wide, func(p *pen, f float64) {
		fork := d.in(.45, .6)
		p.path(point{f * .5, 0}, point{.5, fork}, point{1 - f*.5, 0})
		p.path(point{.5, fork}, point{.5, 1})
		foot(p, .5, 1, f)
		foot(p, f*.5, 0, f*.5)
		foot(p, 1-f*.5, 0, f*.5)
	})
	draw('V', wide, func(p *pen, f float64) {
		p.path(point{f * .5, 0}, point{.5, 1}, point{1 - f*.5, 0})
		foot(p, f*.5, 0, f*.5)
		foot(p, 1-f*.5, 0, f*.5)
	})
}
