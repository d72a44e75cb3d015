package observe

import (
	"image"
	"testing"
	"time"

	"gocv.io/x/gocv"
	"golang.org/x/sys/unix"

	"platewatch/capture/motion"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
)

// car is a still of a car, at rest in the middle of the picture.
func car(t *testing.T) (picture gocv.Mat, plate render.PlateView) {
	t.Helper()
	f, err := render.Still(render.ClipSpec{Seed: 5, Sensor: sensor.Effects{Noise: 1}, Vehicles: []render.Vehicle{{
		Body: render.Hatch, Plate: render.PlateSpec{Layout: "nl", Text: "HX-274-K"}, Lane: render.LaneNear, Away: true, Mark: 8}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	rgba, err := gocv.NewMatFromBytes(f.Image.Rect.Dy(), f.Image.Rect.Dx(), gocv.MatTypeCV8UC4, f.Image.Pix)
	if err != nil {
		t.Fatal(err)
	}
	defer rgba.Close()
	picture = gocv.NewMat()
	t.Cleanup(func() { picture.Close() })
	gocv.CvtColor(rgba, &picture, gocv.ColorRGBAToBGR)
	return picture, f.Truth.Plates[0]
}

func newObserver(t *testing.T, p Params) *Observer {
	t.Helper()
	r, err := ocr.New(ocr.PictureParams())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	o, err := New(r, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func see(t *testing.T, o *Observer, picture gocv.Mat, at time.Duration) FrameResult {
	t.Helper()
	s, err := o.Observe(t.Context(), picture, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Plates outside the area or the sizes are not read; the others are, in pixels of the
// whole picture.
func TestAreaAndSizes(t *testing.T) {
	picture, plate := car(t)
	w, h := float64(picture.Cols()), float64(picture.Rows())
	around := func(grow float64) []motion.Corner {
		b := plate.Box.Inset(-int(grow * float64(plate.Box.Dy())))
		x0, y0, x1, y1 := float64(b.Min.X)/w, float64(b.Min.Y)/h, float64(b.Max.X)/w, float64(b.Max.Y)/h
		return []motion.Corner{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
	}
	for _, tt := range []struct {
		name string
		p    Params
		read bool
	}{
		{"all", Params{}, true},
		{"included", Params{Area: motion.Area{Include: around(3)}}, true},
		{"excluded", Params{Area: motion.Area{Exclude: [][]motion.Corner{around(0.5)}}}, false},
		{"elsewhere", Params{Area: motion.Area{Include: []motion.Corner{{X: 0, Y: 0}, {X: 0.3, Y: 0}, {X: 0.3, Y: 0.3}}}}, false},
		{"too small", Params{MinHeight: 200}, false},
		{"too large", Params{MaxHeight: 8}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := DefaultParams()
			p.Area, p.MinHeight, p.MaxHeight = tt.p.Area, tt.p.MinHeight, tt.p.MaxHeight
			s := see(t, newObserver(t, p), picture, 0)
			found := false
			for _, q := range s.Plates {
				found = found || q.Text == plate.Text && centre(q.Box).In(plate.Box)
			}
			if found != tt.read {
				t.Errorf("read %v", s.Plates)
			}
		})
	}
}

// TestUndescribed: a passage is followed although the model for its issuer cannot be
// opened, here for want of a file descriptor, and the failure is reported.
func TestUndescribed(t *testing.T) {
	picture, plate := car(t)
	p := DefaultParams()
	p.Gate = false
	o := newObserver(t, p)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := before
	none.Cur = 3
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
	found, told := false, false
	for i := range 3 {
		s := see(t, o, picture, time.Duration(i)*200*time.Millisecond)
		told = told || s.Undescribed != nil
		for _, u := range s.Updates {
			found = found || u.Passage.Text == plate.Text
		}
	}
	if !found || !told {
		t.Errorf("passage found %v, failure told %v", found, told)
	}
}

// TestParkedCarCostsNothing: a parked car is read until its text is sure, then only
// in searches of the whole frame; it stays one passage.
func TestParkedCarCostsNothing(t *testing.T) {
	picture, plate := car(t)
	o := newObserver(t, DefaultParams())
	looks := map[Extent]int{}
	reported := map[uint64]string{} // a sign on the street may be read too, and is never sure
	for i := range 5 * 60 {
		s := see(t, o, picture, time.Duration(i)*200*time.Millisecond)
		looks[s.Extent]++
		for _, u := range s.Updates {
			switch u.Event {
			case passage.Sure, passage.Corrected:
				reported[u.Passage.Number] = u.Passage.Text
			case passage.Ended:
				t.Errorf("the passage of %s ended while it stands there", u.Passage.Text)
			}
		}
	}
	if looks[Whole] != 12 || looks[Parts] > 12 {
		t.Errorf("in a minute %d looks everywhere and %d in parts", looks[Whole], looks[Parts])
	}
	parked := 0
	for _, u := range o.Flush() {
		if u.Passage.Sure && u.Passage.Parked && u.Passage.Text == plate.Text {
			parked++
		}
	}
	if len(reported) != 1 || parked != 1 {
		t.Errorf("reported %v, of which %d are the parked car", reported, parked)
	}
}

// A plate that extends beyond the part of the frame that was searched is left to a
// search that sees all of it.
func TestCutOff(t *testing.T) {
	bounds := image.Rect(0, 0, 1000, 500)
	at := func(x0, x1 int) ocr.Plate { return ocr.Plate{Height: 20, Box: image.Rect(x0, 100, x1, 130)} }
	for _, tt := range []struct {
		plate ocr.Plate
		place image.Rectangle
		want  bool
	}{
		{at(300, 400), image.Rect(200, 50, 500, 200), false},
		{at(203, 300), image.Rect(200, 50, 500, 200), true},
		{at(400, 496), image.Rect(200, 50, 500, 200), true},
		{at(0, 90), image.Rect(0, 50, 300, 200), false},
		{at(905, 1000), image.Rect(700, 50, 1000, 200), false},
	} {
		if got := cutOff(tt.plate, tt.place, bounds); got != tt.want {
			t.Errorf("%v in %v: %v", tt.plate.Box, tt.place, got)
		}
	}
}

func TestParamsRefused(t *testing.T) {
	for name, change := range map[string]func(*Params){
		"heights the wrong way round": func(p *Params) { p.MinHeight, p.MaxHeight = 50, 20 },
		"no full look":                func(p *Params) { p.FullLook = 0 },
		"an area of two corners":      func(p *Params) { p.Area.Include = make([]motion.Corner, 2) },
		"no agreement":                func(p *Params) { p.Passage.Agree = 0 },
	} {
		p := DefaultParams()
		change(&p)
		if o, err := New(nil, p); err == nil {
			o.Close()
			t.Errorf("%s is accepted", name)
		}
	}
}
