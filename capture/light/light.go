// Package light measures how plates come out in a camera's pictures, and sums
// it up for whoever adjusts the camera.
package light

import (
	"image"
	"math"
	"slices"
	"sync"

	"gocv.io/x/gocv"
)

// Plate is how a plate came out in a picture.
type Plate struct {
	Bright  float64 // grey level of its ground: the 90th percentile, 0–255
	Dark    float64 // of its ink: the 10th percentile
	Clipped float64 // share of its pixels that are as good as white (250 and more)
	Blur    float64 // width of an upright stroke's edge, pixels; a sharp one has 2
	Smear   float64 // that, over the width of a level stroke's edge: above 1.5 it moved sideways
	Height  float64 // of its characters, pixels
}

// Measure measures a plate on a grey picture; false where there is too
// little of it. height is that of its characters.
func Measure(grey gocv.Mat, box image.Rectangle, height float64) (Plate, bool) {
	box = box.Intersect(image.Rect(0, 0, grey.Cols(), grey.Rows()))
	px, err := grey.DataPtrUint8()
	if err != nil || grey.Channels() != 1 || box.Dx() < 16 || box.Dy() < 6 {
		return Plate{}, false
	}
	step := grey.Step()
	var levels, across, down [256]int
	for y := box.Min.Y + 1; y < box.Max.Y; y++ {
		row, above := px[y*step:], px[(y-1)*step:]
		for x := box.Min.X + 1; x < box.Max.X; x++ {
			v := int(row[x])
			levels[v]++
			across[abs(v-int(row[x-1]))]++
			down[abs(v-int(above[x]))]++
		}
	}
	l := Plate{Height: height}
	l.Dark, l.Bright = quantile(&levels, 0.1), quantile(&levels, 0.9)
	n, white := 0, 0
	for v, c := range levels {
		n += c
		if v >= 250 {
			white += c
		}
	}
	l.Clipped = float64(white) / float64(n)
	// The steepest steps are at strokes' edges: the contrast over the step is
	// how many pixels an edge takes.
	const steepest = 0.97
	contrast := max(l.Bright-l.Dark, 1)
	l.Blur = contrast / max(quantile(&across, steepest), 1)
	l.Smear = l.Blur / max(contrast/max(quantile(&down, steepest), 1), 0.1)
	return l, true
}

func abs(v int) int { return max(v, -v) }

// quantile of a histogram, q from 0 to 1.
func quantile(h *[256]int, q float64) float64 {
	n := 0
	for _, c := range h {
		n += c
	}
	left := int(math.Ceil(q * float64(n)))
	for v, c := range h {
		if left -= c; left <= 0 {
			return float64(v)
		}
	}
	return 255
}

// OverExposed tells whether so much of the plate is white that thin strokes are
// lost.
func (p Plate) OverExposed() bool { return p.Clipped >= overExposed }

// Bounds of a plate that came out well.
const (
	overExposed  = 0.25 // share of white pixels: thin strokes are eaten
	underExposed = 70.0 // grey level of the ground: noise is as strong as ink
	blurred      = 0.15 // edge, in heights of a character: as wide as a stroke
	smeared      = 1.5
	tooSmall     = 12.0 // pixels of height
)

// Guidance sums up the plates read lately.
type Guidance struct {
	Plates  int     // that it is taken from; 0: nothing is known
	Median  Plate   // each value's
	Over    float64 // share of them that are over-exposed, 0–1
	Under   float64 // under-exposed
	Blurred float64 // blurred by motion
	Small   float64 // too small
}

// Advice is what an installer should do, one sentence; empty when all is well.
func (g Guidance) Advice() string {
	const often = 0.3
	switch {
	case g.Plates < fewPlates:
		return ""
	case g.Over > often:
		return "plates are over-exposed: shorten the exposure, or turn the light down"
	case g.Blurred > often:
		return "plates are blurred by motion: shorten the exposure and add light"
	case g.Under > often:
		return "plates are too dark: add light, or lengthen the exposure as long as they stay sharp"
	case g.Small > often:
		return "plates are small: zoom in, or bring the camera nearer"
	}
	return ""
}

const (
	guidancePlates = 64 // that are remembered
	fewPlates      = 5  // from which something is said
)

// Meter remembers the light on the plates read lately. It is safe for
// concurrent use.
type Meter struct {
	mu    sync.Mutex
	ring  [guidancePlates]Plate
	n, at int
}

// Add takes a plate, one for each vehicle.
func (m *Meter) Add(l Plate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ring[m.at] = l
	m.at = (m.at + 1) % len(m.ring)
	m.n = min(m.n+1, len(m.ring))
}

// Guidance is what they say together.
func (m *Meter) Guidance() Guidance {
	m.mu.Lock()
	defer m.mu.Unlock()
	plates := m.ring[:m.n]
	g := Guidance{Plates: m.n}
	if m.n == 0 {
		return g
	}
	share := func(is func(Plate) bool) float64 {
		n := 0
		for _, p := range plates {
			if is(p) {
				n++
			}
		}
		return float64(n) / float64(len(plates))
	}
	median := func(of func(Plate) float64) float64 {
		v := make([]float64, 0, len(plates))
		for _, p := range plates {
			v = append(v, of(p))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	g.Over = share(Plate.OverExposed)
	g.Under = share(func(p Plate) bool { return p.Bright < underExposed })
	g.Blurred = share(func(p Plate) bool { return p.Blur >= blurred*p.Height && p.Blur > 3 && p.Smear >= smeared })
	g.Small = share(func(p Plate) bool { return p.Height < tooSmall })
	g.Median = Plate{
		Bright: median(func(p Plate) float64 { return p.Bright }), Dark: median(func(p Plate) float64 { return p.Dark }),
		Clipped: median(func(p Plate) float64 { return p.Clipped }), Blur: median(func(p Plate) float64 { return p.Blur }),
		Smear: median(func(p Plate) float64 { return p.Smear }), Height: median(func(p Plate) float64 { return p.Height }),
	}
	return g
}
