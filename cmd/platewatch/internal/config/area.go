package config

import (
	"errors"
	"fmt"
	"math"
)

// validateArea checks the polygons.
func (c Camera) validateArea(f *findings, at string) {
	const advice = "write the corners in order, as fractions from the top left: [[0.0, 0.3], [1.0, 0.3], [1.0, 1.0], [0.0, 1.0]]"
	if len(c.Include) > 0 && !f.bad(at+".include") {
		if err := checkPolygon(c.Include); err != nil {
			f.addf(at+".include", advice, "is no area: %v", err)
		}
	}
	const most = 32
	if len(c.Exclude) > most {
		f.addf(at+".exclude", "", "lists %d polygons, at most %d are taken", len(c.Exclude), most)
	}
	for i, p := range c.Exclude {
		key := indexPath(at+".exclude", i)
		if f.bad(key) || f.bad(at+".exclude") {
			continue
		}
		if err := checkPolygon(p); err != nil {
			f.addf(key, advice, "is no area: %v", err)
		}
	}
}

func checkPolygon(p [][]float64) error {
	const most = 64
	if len(p) < 3 || len(p) > most {
		return fmt.Errorf("a polygon of %d corners, 3 to %d are possible", len(p), most)
	}
	twice := 0.0
	for i, c := range p {
		if len(c) != 2 {
			return fmt.Errorf("corner %d has %d numbers: x and y", i+1, len(c))
		}
		if !(c[0] >= 0 && c[0] <= 1 && c[1] >= 0 && c[1] <= 1) {
			return fmt.Errorf("corner %d is outside the picture, 0 to 1", i+1)
		}
		if n := p[(i+1)%len(p)]; len(n) == 2 {
			twice += c[0]*n[1] - n[0]*c[1]
		}
	}
	if math.Abs(twice) < 1e-6 {
		return errors.New("the polygon encloses nothing")
	}
	return nil
}
