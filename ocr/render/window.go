package render

import "slices"

// windows are the outlines of a vehicle's windows on the screen. Those of a row of
// side windows are one.
func (s *stage) windows(c *car) (all [][]Point) {
	add := func(p ...vec) {
		if o := s.outline(p); len(o) >= 3 {
			all = append(all, slices.Clone(o))
		}
	}
	across := func(s0, s1 float64) { // over the body's width, from one height of the roof line to another
		y0, y1 := c.sh.height(s0), c.sh.height(s1)
		w0, w1 := c.sh.halfWidth(s0)*c.sh.tumble, c.sh.halfWidth(s1)*c.sh.tumble
		add(c.at(-w0, y0, s0), c.at(w0, y0, s0), c.at(w1, y1, s1), c.at(-w1, y1, s1))
	}
	across(c.sh.screen[1], c.sh.screen[0])
	if r := c.sh.rearGlass; r[1] > r[0] {
		across(r[0], r[1])
	}
	if c.Body == Van && !c.front {
		add(c.tail(-tailGlassX, tailGlassY[0]), c.tail(tailGlassX, tailGlassY[0]), c.tail(tailGlassX, tailGlassY[1]), c.tail(-tailGlassX, tailGlassY[1]))
	}
	for _, r := range c.sh.side {
		for _, side := range [2]float64{-1, 1} {
			x := side * c.sh.half
			add(c.at(x, c.sh.belt, r[0]), c.at(x, c.sh.belt, r[1]), c.at(x, c.sh.height(r[1]), r[1]), c.at(x, c.sh.height(r[0]), r[0]))
		}
	}
	return all
}

// The windows in the tail of a van: half the width that they take together, and
// their heights above the road.
const tailGlassX = .36 + .27

var tailGlassY = [2]float64{1.26, 1.76}
