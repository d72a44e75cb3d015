package maps

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/shape"
)

// slanted calls f with columns of many slants around many heights of a picture.
func slanted(t *testing.T, f func(grey gocv.Mat, r *rand.Rand, y, reach float64, slants []float64)) {
	t.Helper()
	for i, size := range append([]image.Point{{400, 125}, {611, 90}}, sizes...) {
		grey, r := noise(size, uint64(i)), rand.New(rand.NewPCG(9, uint64(i)))
		defer grey.Close()
		for range 20 {
			slants := make([]float64, 1+r.IntN(5))
			for k := range slants {
				slants[k] = 1.6*r.Float64() - 0.8
			}
			f(grey, r, float64(size.Y)*(1.2*r.Float64()-0.1), float64(size.Y)*r.Float64(), slants)
		}
	}
}

// TestGathered counts pixel by pixel.
func TestGathered(t *testing.T) {
	slanted(t, func(grey gocv.Mat, r *rand.Rand, y, reach float64, slants []float64) {
		var b shape.Bits
		Above(plane1(t, grey), 128, r.IntN(2) == 0, &b)
		x0 := r.IntN(b.W)
		x1 := x0 + 1 + r.IntN(b.W-x0)
		var want []float64
		for _, slant := range slants {
			columns := map[int]float64{}
			for dy := -reach; dy <= reach; dy += 2 {
				row := int(math.Round(y + dy))
				if row < 0 || row >= b.H {
					continue
				}
				for x := x0; x < x1; x++ {
					columns[x-int(math.Round(slant*dy))] += float64(b.Set(x, x+1, row))
				}
			}
			sum := 0.0
			for _, n := range columns {
				sum += n * n
			}
			want = append(want, sum)
		}
		if got := Along(y, reach, b.H, slants).Gathered(&b, x0, x1); !slices.Equal(got, want) {
			t.Errorf("%d × %d, from %d to %d: %v, not %v", b.W, b.H, x0, x1, got, want)
		}
	})
}

// TestSteps counts pixel by pixel.
func TestSteps(t *testing.T) {
	slanted(t, func(grey gocv.Mat, r *rand.Rand, y, reach float64, slants []float64) {
		g, half := plane1(t, grey), 1+r.IntN(9)
		least := (1 + r.IntN(60)) * half
		want := make([]uint16, g.W)
		for _, slant := range slants {
			darker, lighter := make([]uint16, g.W), make([]uint16, g.W)
			for dy := -reach; dy <= reach; dy += 2 {
				row := int(math.Round(y + dy))
				if row < 0 || row >= g.H {
					continue
				}
				for x := half; x < g.W-half; x++ {
					at, step := x-int(math.Round(slant*dy)), 0
					for k := range half {
						step += int(g.Pix[row*g.W+x+k]) - int(g.Pix[row*g.W+x-1-k])
					}
					switch {
					case at < 0 || at >= g.W:
					case step >= least:
						lighter[at]++
					case step <= -least:
						darker[at]++
					}
				}
			}
			for x := range want {
				want[x] = max(want[x], darker[x], lighter[x])
			}
		}
		if got := Along(y, reach, g.H, slants).Steps(g, half, least); !slices.Equal(got, want) {
			t.Errorf("%d × %d, %d beside: it is not what single pixels give", g.W, g.H, half)
		}
	})
}
