package optics

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/deploy/tools/goldentest"
)

// project is the place of a point in the picture, pixels from its middle, by the
// pinhole itself: no formula of the package is used.
func project(s place, x, y, z float64) (u, v float64) {
	focal := s.Lens / (s.SensorWidth / float64(s.PictureWidth))
	ahead := [3]float64{s.Distance, s.Offset, roadToPlate - s.Height}
	n := math.Sqrt(ahead[0]*ahead[0] + ahead[1]*ahead[1] + ahead[2]*ahead[2])
	for i := range ahead {
		ahead[i] /= n
	}
	h := math.Hypot(ahead[0], ahead[1])
	right := [3]float64{-ahead[1] / h, ahead[0] / h, 0}
	down := [3]float64{ahead[1]*right[2] - ahead[2]*right[1], ahead[2]*right[0] - ahead[0]*right[2], ahead[0]*right[1] - ahead[1]*right[0]}
	if down[2] > 0 {
		for i := range down {
			down[i] = -down[i]
		}
	}
	p := [3]float64{x, y, z - s.Height}
	dot := func(a [3]float64) float64 { return a[0]*p[0] + a[1]*p[1] + a[2]*p[2] }
	return focal * dot(right) / dot(ahead), focal * dot(down) / dot(ahead)
}

// TestAgainstPinhole compares the formulas with the projection of a plate's corners.
func TestAgainstPinhole(t *testing.T) {
	for name, change := range map[string]func(*place){
		"default": func(*place) {}, "steep": func(s *place) { s.Distance, s.Height = 8, 6 }, "far": func(s *place) { s.Distance, s.Lens = 60, 50 },
		"beside": func(s *place) { s.Offset, s.Distance = 8, 16 }, "fast": func(s *place) { s.Speed, s.Shutter = 130, 1.0/250 }, "european": func(s *place) { s.Plate = "eu" },
	} {
		s := defaultSetup()
		change(&s)
		r, err := compute(s)
		if err != nil {
			t.Fatal(err)
		}
		half, tall := r.Plate.Width/2000, r.Plate.Characters/2000
		u1, v1 := project(s, s.Distance, s.Offset-half, roadToPlate)
		u2, v2 := project(s, s.Distance, s.Offset+half, roadToPlate)
		_, top := project(s, s.Distance, s.Offset, roadToPlate+tall)
		_, bottom := project(s, s.Distance, s.Offset, roadToPlate-tall)
		way := s.Speed / 3.6 * s.Shutter
		bu, bv := project(s, s.Distance-way/2, s.Offset, roadToPlate)
		au, av := project(s, s.Distance+way/2, s.Offset, roadToPlate)
		for what, tc := range map[string][2]float64{
			"width":  {r.PlateWidth, math.Hypot(u2-u1, v2-v1)},
			"height": {r.CharacterHeight, bottom - top},
			"blur":   {r.Blur, math.Hypot(au-bu, av-bv)},
		} {
			// The formulas neglect the shear that yaw and pitch together make.
			if got, want := tc[0], tc[1]; math.Abs(got-want) > 0.02*math.Abs(want) {
				t.Errorf("%s, %s: %.2f px, the pinhole says %.2f", name, what, got, want)
			}
		}
	}
}

// TestKnown holds a setup to numbers from a calculator.
func TestKnown(t *testing.T) {
	s := defaultSetup()
	s.Lens = 12
	// p = 5.57/1920 = 0.002901 mm; D² = 225 + 11.56 + 4
	r, err := compute(s)
	if err != nil {
		t.Fatal(err)
	}
	for what, tc := range map[string][2]float64{
		"sight":       {r.Sight, 15.509},
		"yaw":         {r.Yaw, 7.595},
		"pitch":       {r.Pitch, 12.663},
		"hyperfocal":  {r.Near, 6.905}, // H = 144/(2·0.005802) + 12 = 12,421 mm
		"view":        {r.View, 7.193}, // 5.57 mm × (15509 − 12)/12
		"diffraction": {r.Diffraction, 0.925},
	} {
		if math.Abs(tc[0]-tc[1]) > 0.002*tc[1] {
			t.Errorf("%s: %.4f, want %.4f", what, tc[0], tc[1])
		}
	}
	if r.Far != 0 {
		t.Errorf("beyond the hyperfocal distance all is sharp: %v", r.Far)
	}
	s.Lens = 50
	long, err := compute(s)
	if err != nil || long.Far < s.Distance || long.Near > long.Sight || long.Far < long.Sight {
		t.Errorf("sharp from %v to %v, %v", long.Near, long.Far, err)
	}
	// The advised lens gives what is wanted, the advised shutter keeps the bound.
	s.Lens = r.Lens
	if again, err := compute(s); err != nil || math.Abs(again.PlateWidth-again.Plate.Moving) > 0.3 {
		t.Errorf("%+v, %v", again, err)
	}
	s.Lens, s.Shutter = 12, r.Shutter
	if again, err := compute(s); err != nil || math.Abs(again.Blur-again.BlurBound) > 1e-9 {
		t.Errorf("%+v, %v", again, err)
	}
	s.Speed = 0
	if still, err := compute(s); err != nil || still.Blur != 0 || still.Shutter != 0 {
		t.Errorf("%+v, %v", still, err)
	}
}

func TestRefuses(t *testing.T) {
	for want, change := range map[string]func(*place){
		"-lens: 0 millimetres is out of range": func(s *place) { s.Lens = 0 },
		"-lens: NaN":                           func(s *place) { s.Lens = math.NaN() },
		"-distance: 15000 metres":              func(s *place) { s.Distance = 15000 },
		"-shutter: 1000 seconds":               func(s *place) { s.Shutter = 1000 },
		"-plate: there is no kind \"nl\"":      func(s *place) { s.Plate = "nl" },
		"-sensor and -picture: the sensor's 5.57 × 3.13 mm and the picture's 1080 × 1920": func(s *place) { s.PictureWidth, s.PictureHeight = 1080, 1920 },
	} {
		s := defaultSetup()
		change(&s)
		_, err := compute(s)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Error(), want) || e.Hint() == "" {
			t.Errorf("%v, want %s", err, want)
		}
	}
	var s place
	for _, bad := range []string{"", "x", "5.57", "axb", "1/0"} {
		if s.setSensor(bad) == nil || s.setPicture(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for _, bad := range []string{"", "fast", "1/0", "1/x", "ms"} {
		if s.setShutter(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for text, want := range map[string]float64{"1/1000": 0.001, "1/500 s": 0.002, "2ms": 0.002, "0.5": 0.5} {
		if err := s.setShutter(text); err != nil || s.Shutter != want {
			t.Errorf("%q: %v, %v", text, s.Shutter, err)
		}
	}
	if err := s.setSensor("1/1.8"); err != nil || s.SensorWidth != 7.68 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestGolden(t *testing.T) {
	bad := defaultSetup()
	bad.Distance, bad.Offset, bad.Height, bad.Lens, bad.Speed, bad.Shutter = 6, 6, 7, 4, 130, 1.0/60
	for name, s := range map[string]place{"default": defaultSetup(), "bad": bad} {
		r, err := compute(s)
		if err != nil {
			t.Fatal(err)
		}
		var text, svg bytes.Buffer
		if err := errors.Join(r.write(&text), r.svg(&svg)); err != nil {
			t.Fatal(err)
		}
		for file, got := range map[string]string{name + ".txt": text.String(), name + ".svg": svg.String()} {
			path := filepath.Join("testdata", file)
			goldentest.Compare(t, path, got)
		}
		if r.good() == (name == "bad") {
			t.Errorf("%s: good is %t", name, r.good())
		}
	}
}

// good reports whether all rows are.
func (r *result) good() bool {
	for _, q := range r.rows() {
		if !q.Good {
			return false
		}
	}
	return true
}
