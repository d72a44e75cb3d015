package optics

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// setSensor reads a sensor: a format ("1/2.8") or millimetres ("5.57x3.13").
func (s *place) setSensor(text string) error {
	if size, ok := sensors[strings.TrimSuffix(strings.TrimSpace(text), `"`)]; ok {
		s.SensorWidth, s.SensorHeight = size[0], size[1]
		return nil
	}
	w, h, err := pair(text)
	if err != nil {
		return fmt.Errorf("write millimetres as 5.57x3.13, or one of %s", strings.Join(slices.Sorted(maps.Keys(sensors)), ", "))
	}
	s.SensorWidth, s.SensorHeight = w, h
	return nil
}

// setPicture reads the size of the picture: "1920x1080".
func (s *place) setPicture(text string) error {
	w, h, err := pair(text)
	if err != nil || w != float64(int(w)) || h != float64(int(h)) {
		return fmt.Errorf("write pixels as 1920x1080")
	}
	s.PictureWidth, s.PictureHeight = int(w), int(h)
	return nil
}

// setShutter reads "1/1000", "0.001" or "1 ms".
func (s *place) setShutter(text string) error {
	const advice = "write a part of a second: 1/1000, 0.001 or 1ms"
	t, factor := strings.ReplaceAll(strings.TrimSpace(text), " ", ""), 1.0
	switch {
	case strings.HasSuffix(t, "ms"):
		t, factor = strings.TrimSuffix(t, "ms"), 1e-3
	default:
		t = strings.TrimSuffix(t, "s")
	}
	over, under, isPart := strings.Cut(t, "/")
	v, err := strconv.ParseFloat(over, 64)
	if err != nil {
		return fmt.Errorf("%s", advice)
	}
	if isPart {
		d, err := strconv.ParseFloat(under, 64)
		if err != nil || d <= 0 {
			return fmt.Errorf("%s", advice)
		}
		v /= d
	}
	s.Shutter = v * factor
	return nil
}

// pair reads two numbers with an x in between.
func pair(text string) (a, b float64, err error) {
	left, right, ok := strings.Cut(strings.NewReplacer("×", "x", "X", "x", " ", "", "mm", "").Replace(text), "x")
	if !ok {
		return 0, 0, fmt.Errorf("%q is no pair", text)
	}
	if a, err = strconv.ParseFloat(left, 64); err != nil {
		return 0, 0, err
	}
	b, err = strconv.ParseFloat(right, 64)
	return a, b, err
}
