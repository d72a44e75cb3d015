package paint

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
			if d := m.Apply(c).Sub(q[i]).Len(); d > 1e-6 {
				t.Fatalf("case %d: corner %d is off by %g px", n, i, d)
			}
		}
		p := Point{w * r.Float64(), h * r.Float64()}
		if d := m.Inverse().Apply(m.Apply(p)).Sub(p).Len(); d > 1e-6 {
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
