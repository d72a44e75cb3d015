package shape

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flood finds the shapes by filling one after the other from its first pixel.
func flood(b Plane) []Shape {
	seen := make([]bool, len(b.Pix))
	var out []Shape
	for at := range b.Pix {
		if b.Pix[at] == 0 || seen[at] {
			continue
		}
		x0, y0, x1, y1, area := b.W, b.H, 0, 0, 0
		seen[at] = true
		for open := []int{at}; len(open) > 0; {
			i := open[len(open)-1]
			open = open[:len(open)-1]
			x, y := i%b.W, i/b.W
			x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			area++
			for ny := max(0, y-1); ny < min(b.H, y+2); ny++ {
				for nx := max(0, x-1); nx < min(b.W, x+2); nx++ {
					if n := ny*b.W + nx; b.Pix[n] != 0 && !seen[n] {
						seen[n] = true
						open = append(open, n)
					}
				}
			}
		}
		w, h := float64(x1-x0), float64(y1-y0)
		out = append(out, Shape{float64(x0), float64(y0), w, h, float64(area), float64(x0) + w/2, float64(y0) + h/2})
	}
	return out
}

func TestEach(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, w := range []int{1, 2, 63, 64, 65, 127, 128, 200} {
		for _, share := range []float64{0, 0.1, 0.3, 0.5, 0.8, 1} {
			t.Run(fmt.Sprintf("%d wide, %.1f set", w, share), func(t *testing.T) {
				b := Plane{make([]uint8, w*37), w, 37}
				for i := range b.Pix {
					if r.Float64() < share {
						b.Pix[i] = 255
					}
				}
				got := slices.Collect(func(yield func(Shape) bool) { Each(b, func(s Shape) { yield(s) }) })
				if d := cmp.Diff(flood(b), got); d != "" {
					t.Errorf("-want +got\n%s", d)
				}
			})
		}
	}
}

func TestMean(t *testing.T) {
	p := Plane{[]uint8{1, 2, 3, 4, 5, 6}, 3, 2}
	for _, c := range []struct {
		x0, y0, x1, y1 int
		want           float64
	}{{0, 0, 3, 2, 3.5}, {-5, -5, 2, 1, 1.5}, {2, 1, 9, 9, 6}, {1, 1, 1, 2, 0}} {
		if got := p.Mean(c.x0, c.y0, c.x1, c.y1); got != c.want {
			t.Errorf("the mean of %v is %g", c, got)
		}
	}
}

// TestLongRows: sums and counts over rows of many words, and the rest.
func TestLongRows(t *testing.T) {
	p := Plane{make([]uint8, 2*3001), 3001, 2}
	for i := range p.Pix {
		p.Pix[i] = 255
	}
	if got := p.Mean(1, 0, 3001, 2); got != 255 {
		t.Errorf("the mean is %g", got)
	}
	var b Bits
	b.pack(p)
	for _, c := range []struct{ x0, x1 int }{{2, 3001}, {0, 64}, {63, 65}, {64, 128}, {5, 5}, {7, 6}} {
		if got := b.Set(c.x0, c.x1, 1); got != max(0, c.x1-c.x0) {
			t.Errorf("%d pixels are set from %d to %d", got, c.x0, c.x1)
		}
	}
}

// TestCut: parts of a map have its pixels, wherever they begin in its words.
func TestCut(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	p := Plane{make([]uint8, 200*9), 200, 9}
	for i := range p.Pix {
		p.Pix[i] = uint8(255 * r.IntN(2))
	}
	var b Bits
	b.pack(p)
	for range 500 {
		x, y := r.IntN(p.W), r.IntN(p.H)
		part := image.Rect(x, y, x+1+r.IntN(p.W-x), y+1+r.IntN(p.H-y))
		m, err := b.Cut(part)
		if err != nil {
			t.Fatal(err)
		}
		cut, err := PlaneOf(m)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range cut.Pix {
			if at := (part.Min.Y+i/cut.W)*p.W + part.Min.X + i%cut.W; v != p.Pix[at] {
				t.Errorf("%v: pixel %d is %d, not %d", part, i, v, p.Pix[at])
				break
			}
		}
		m.Close()
	}
}
