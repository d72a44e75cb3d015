package render

import (
	"math/rand/v2"
	"testing"
)

// A homography must take the rectangle's corners to the quadrilateral's, and
// its inverse must bring any point back.
func TestRectTo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 2000 {
		w, h := 10+500*r.Float64(), 10+200*r.Float64()
		j := func() float64 { return 60 * (r.Float64() - .5) }
		q := [4]Point{{100 + j(), 100 + j()}, {400 + j(), 100 + j()}, {400 + j(), 300 + j()}, {100 + j(), 300 + j()}}
		m, err := RectTo(w, h, q)
		if err != nil {
			t.Fatalf("case %d: %v", n, err)
		}
		for i, c := range [4]Point{{0, 0}, {w, 0}, {w, h}, {0, h}} {
			if d := m.Apply(c).sub(q[i]).len(); d > 1e-6 {
				t.Fatalf("case %d: corner %d is off by %g px", n, i, d)
			}
		}
		p := Point{w * r.Float64(), h * r.Float64()}
		if d := m.Inverse().Apply(m.Apply(p)).sub(p).len(); d > 1e-6 {
			t.Fatalf("case %d: the inverse is off by %g px", n, d)
		}
	}
}

func TestRectToRefusesALine(t *testing.T) {
	if _, err := RectTo(10, 10, [4]Point{{0, 0}, {1, 1}, {2, 2}, {3, 3}}); err == nil {
		t.Error("four points on a line were accepted")
	}
	if _, err := RectTo(0, 10, [4]Point{{0, 0}, {1, 0}, {1, 1}, {0, 1}}); err == nil {
		t.Error("an empty rectangle was accepted")
	}
}

// A point straight ahead of an unturned camera lands in the middle of its
// picture, and one a metre aside at ten metres focal/10 pixels beside it.
func TestProjection(t *testing.T) {
	c := View{Width: 1280, Height: 720, Focal: 2000, Rise: 1.5}.pinhole()
	for _, tc := range []struct {
		p    vec
		want Point
	}{
		{vec{0, 1.5, 10}, Point{640, 360}},
		{vec{1, 1.5, 10}, Point{840, 360}},
		{vec{0, .5, 10}, Point{640, 560}},
	} {
		if got, ok := c.project(tc.p); !ok || got.sub(tc.want).len() > 1e-9 {
			t.Errorf("project(%v) = %v, %t; want %v", tc.p, got, ok, tc.want)
		}
	}
	if _, ok := c.project(vec{0, 1, -1}); ok {
		t.Error("a point behind the camera was projected")
	}
	// Turned to the right, what lies ahead moves to the left; pitched down, up.
	c = View{Width: 1280, Height: 720, Focal: 2000, Rise: 1.5, Yaw: 5, Pitch: 3}.pinhole()
	if got, _ := c.project(vec{0, 1.5, 10}); got.X >= 640 || got.Y >= 360 {
		t.Errorf("a camera turned right and down sees the horizon ahead at %v", got)
	}
}
