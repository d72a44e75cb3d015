package motion

import (
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"gocv.io/x/gocv"
)

const gateFrame = 40 * time.Millisecond

// watchedRoad is what the gate watches: 320 × 180, with a sensor's noise.
type watchedRoad struct {
	t     testing.TB
	gate  *Gate
	m     gocv.Mat
	r     *rand.Rand
	noise float64
	light int
	cars  []image.Rectangle
	at    time.Duration

	normal [4096]float64 // deviates, drawn once: the noise of a frame begins anywhere among them
}

func newWatchedRoad(t testing.TB, a Area) *watchedRoad {
	s := &watchedRoad{t: t, gate: NewGate(a), m: gocv.NewMatWithSize(180, 320, gocv.MatTypeCV8UC3), r: rand.New(rand.NewPCG(1, 2)), noise: 3}
	for i := range s.normal {
		s.normal[i] = s.r.NormFloat64()
	}
	t.Cleanup(func() { s.m.Close() })
	return s
}

// frame draws the next frame and lets the gate watch it.
func (s *watchedRoad) frame() []image.Rectangle {
	s.t.Helper()
	px, err := s.m.DataPtrUint8()
	if err != nil {
		s.t.Fatal(err)
	}
	shift := s.r.IntN(len(s.normal))
	for i := range px {
		x, y := i/3%320, i/3/320
		v := 90 + s.light + (x/40+y/20)%2*40
		for _, c := range s.cars {
			if image.Pt(x, y).In(c) {
				v = 200 + s.light
			}
		}
		px[i] = byte(min(max(float64(v)+s.noise*s.normal[(i*7+i/4096+shift)%len(s.normal)], 0), 255))
	}
	places, err := s.gate.Watch(s.m, s.at)
	if err != nil {
		s.t.Fatal(err)
	}
	s.at += gateFrame
	return places
}

// settle lets twenty seconds go by, on a few frames.
func (s *watchedRoad) settle() {
	for range 40 {
		s.frame()
		s.at += 11 * gateFrame
	}
}

// watch runs n frames and says on how many something moved.
func (s *watchedRoad) watch(n int) (moved int) {
	for range n {
		if len(s.frame()) > 0 {
			moved++
		}
	}
	return moved
}

func TestGate(t *testing.T) {
	s := newWatchedRoad(t, Area{})
	if places := s.frame(); len(places) != 1 || places[0] != image.Rect(0, 0, 320, 180) {
		t.Errorf("the first frame is looked at in %v", places)
	}
	if n := s.watch(100); n > 2 {
		t.Errorf("on %d of 100 frames of noise something moved", n)
	}
	for x := 0; x < 250; x += 20 { // a car
		car := image.Rect(x, 75, x+60, 110)
		s.cars = []image.Rectangle{car}
		places := s.frame()
		if len(places) == 0 {
			t.Fatalf("the car at %v is not seen", car)
		}
		if !car.In(places[0]) {
			t.Errorf("of the car at %v only %v is looked at", car, places)
		}
		if !s.gate.Moved(car) || s.gate.Moved(image.Rect(0, 150, 320, 180)) {
			t.Errorf("at %v: moved there %v, elsewhere %v", car, s.gate.Moved(car), s.gate.Moved(image.Rect(0, 150, 320, 180)))
		}
	}
	// It stops: after a while it is part of the road, and when it leaves, that
	// is seen.
	s.settle()
	if n := s.watch(100); n > 5 {
		t.Errorf("a parked car moves on %d of 100 frames", n)
	}
	s.cars = nil
	if len(s.frame()) == 0 {
		t.Error("nobody saw the parked car leave")
	}
	s.settle()
	// The light changes: everything is looked at, but not for long.
	s.light = 40
	if places := s.frame(); len(places) != 1 || area(places[0]) < 320*180/2 {
		t.Errorf("when the light changes, %v is looked at", places)
	}
	s.settle()
	if n := s.watch(100); n > 5 {
		t.Errorf("long after the light changed something moves on %d of 100 frames", n)
	}
	s.noise = 9 // night
	s.settle()
	if n := s.watch(100); n > 10 {
		t.Errorf("in the noise of the night something moves on %d of 100 frames", n)
	}
	s.cars = []image.Rectangle{image.Rect(150, 100, 210, 135)}
	if len(s.frame()) == 0 {
		t.Error("a car in the night is not seen")
	}
}

func TestGateLooksWhereItShould(t *testing.T) {
	half := []Corner{{0, 0.5}, {1, 0.5}, {1, 1}, {0, 1}}
	clock := [][]Corner{{{0, 0.8}, {0.3, 0.8}, {0.3, 1}, {0, 1}}}
	s := newWatchedRoad(t, Area{Include: half, Exclude: clock})
	s.watch(50)
	for _, tt := range []struct {
		name string
		car  image.Rectangle
		seen bool
	}{
		{"outside", image.Rect(100, 20, 160, 50), false},
		{"on the clock", image.Rect(10, 150, 50, 170), false},
		{"inside", image.Rect(150, 110, 210, 140), true},
	} {
		s.cars = []image.Rectangle{tt.car}
		if places := s.frame(); (len(places) > 0) != tt.seen {
			t.Errorf("%s: %v", tt.name, places)
		}
	}
}

func TestGateTakesWhatComes(t *testing.T) {
	g := NewGate(Area{})
	for _, size := range []image.Point{{2, 2}, {640, 360}, {3, 2000}, {1, 1}, {1920, 1080}, {7, 5}} {
		m := gocv.NewMatWithSize(size.Y, size.X, gocv.MatTypeCV8UC1)
		for range 2 {
			places, err := g.Watch(m, 0)
			if tiny := size.X < 2; (err != nil) != tiny {
				t.Errorf("%v: %v", size, err)
			}
			for _, p := range places {
				if !p.In(image.Rectangle{Max: size}) {
					t.Errorf("%v: %v is outside", size, p)
				}
			}
		}
		m.Close()
	}
}

func TestArea(t *testing.T) {
	triangle := []Corner{{0, 0}, {1, 0}, {0, 1}}
	hole := []Corner{{0.1, 0.1}, {0.3, 0.1}, {0.3, 0.3}, {0.1, 0.3}}
	a := Area{Include: triangle, Exclude: [][]Corner{hole}}
	for key, err := range a.Problems() {
		t.Fatal(key, err)
	}
	const w, h = 100, 80
	m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(200, 0, 0, 0), h, w, gocv.MatTypeCV8UC1)
	defer m.Close()
	a.Blank(&m)
	for y := range h {
		for x := range w {
			kept := m.GetUCharAt(y, x) == 200
			if in := a.Contains(image.Pt(x, y), image.Pt(w, h)); in != kept {
				t.Fatalf("the pixel %d, %d: contained %v, kept %v", x, y, in, kept)
			}
		}
	}
	if !a.Contains(image.Pt(2, 2), image.Pt(w, h)) || a.Contains(image.Pt(20, 16), image.Pt(w, h)) || a.Contains(image.Pt(90, 70), image.Pt(w, h)) {
		t.Error("the wrong pixels are in")
	}
	if b := (Area{Include: hole}).Bounds(image.Pt(w, h)); b != image.Rect(10, 8, 30, 24) {
		t.Errorf("bounds %v", b)
	}
	for name, bad := range map[string]Area{
		"two corners": {Include: triangle[:2]},
		"outside":     {Include: []Corner{{0, 0}, {2, 0}, {0, 1}}},
		"a line":      {Exclude: [][]Corner{{{0, 0}, {0.5, 0.5}, {1, 1}}}},
	} {
		accepted := true
		for range bad.Problems() {
			accepted = false
		}
		if accepted {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestJoin(t *testing.T) {
	got := Join([]image.Rectangle{image.Rect(0, 0, 10, 10), image.Rect(5, 5, 20, 20), image.Rect(100, 100, 110, 110), image.Rect(300, 0, 310, 10), image.Rect(112, 100, 120, 110)}, 3)
	if len(got) != 3 {
		t.Errorf("%d rectangles: %v", len(got), got)
	}
	for _, r := range []image.Rectangle{image.Rect(0, 0, 20, 20), image.Rect(100, 100, 120, 110), image.Rect(300, 0, 310, 10)} {
		found := false
		for _, g := range got {
			found = found || r.In(g)
		}
		if !found {
			t.Errorf("%v is in none of %v", r, got)
		}
	}
}

// BenchmarkGate is one 720p frame on which nothing moves.
func BenchmarkGate(b *testing.B) {
	m := gocv.NewMatWithSize(720, 1280, gocv.MatTypeCV8UC3)
	defer m.Close()
	g := NewGate(Area{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := g.Watch(m, time.Duration(i)*gateFrame); err != nil {
			b.Fatal(err)
		}
	}
}
