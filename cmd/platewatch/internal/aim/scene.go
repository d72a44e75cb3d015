package aim

import (
	"image"
	"math"
	"slices"

	"gocv.io/x/gocv"
)

// scenery is how a whole picture came out, for a camera that sees no plate yet.
type scenery struct {
	Edge    float64 // pixels that the sharpest edges take; a sharp one has 2; 0: too few edges
	Bright  float64 // grey level of the brightest parts: the 99th percentile, 0–255
	Clipped float64 // share of the picture that is white (250 and more), 0–1
	Tilt    float64 // degrees by which upright lines lean to the right
	Upright bool    // there are enough upright lines to know Tilt
}

// Sharpness is 100 for a picture whose edges take two pixels, and less for softer
// ones; 0 where it is not known. It rises to a peak while the focus ring is turned.
func (s scenery) Sharpness() float64 {
	if s.Edge == 0 {
		return 0
	}
	return min(100, 100*sharpEdge/s.Edge)
}

const sharpEdge = 2.0 // pixels that an edge takes in a sharp picture

// plane is a grey picture's pixels.
type plane struct {
	pix        []byte
	step, w, h int
}

func planeOf(grey gocv.Mat) (plane, bool) {
	pix, err := grey.DataPtrUint8()
	if err != nil || grey.Channels() != 1 || grey.Cols() < 32 || grey.Rows() < 32 {
		return plane{}, false
	}
	return plane{pix, grey.Step(), grey.Cols(), grey.Rows()}, true
}

// measureScene measures a grey picture of 8 bits.
func measureScene(grey gocv.Mat) scenery {
	p, ok := planeOf(grey)
	if !ok {
		return scenery{}
	}
	all := image.Rect(0, 0, p.w, p.h)
	dark, bright, clipped := p.levels(all)
	s := scenery{Bright: bright, Clipped: clipped}
	s.Edge = sharpest(p.edges(all, dark, bright))
	s.Tilt, s.Upright = p.tilt()
	return s
}

// smearOf measures how wide edges are inside a part of a picture: across upright ones
// and down level ones, in pixels; 0 where there are too few.
func smearOf(grey gocv.Mat, part image.Rectangle) (across, down float64) {
	p, ok := planeOf(grey)
	if part = part.Intersect(image.Rect(0, 0, p.w, p.h)); !ok || part.Dx() < 32 || part.Dy() < 32 {
		return 0, 0
	}
	dark, bright, _ := p.levels(part)
	return p.edges(part, dark, bright)
}

func sharpest(across, down float64) float64 {
	if across == 0 || down == 0 {
		return max(across, down)
	}
	return min(across, down)
}

// levels are the 1st and 99th percentile of the grey levels, and the share of white.
func (p plane) levels(part image.Rectangle) (dark, bright, clipped float64) {
	var count [256]int
	n, white := 0, 0
	for y := part.Min.Y; y < part.Max.Y; y += 4 {
		for x := part.Min.X; x < part.Max.X; x += 4 {
			v := p.pix[y*p.step+x]
			count[v]++
			n++
			if v >= 250 {
				white++
			}
		}
	}
	seen := 0
	dark, bright = -1, 255
	for v, c := range count {
		seen += c
		if dark < 0 && seen*100 >= n {
			dark = float64(v)
		}
		if seen*100 >= 99*n {
			bright = float64(v)
			break
		}
	}
	return dark, bright, float64(white) / float64(max(n, 1))
}

// edges are the widths of edges across every third row and down every third column:
// the contrast over the steepest step between two pixels. Of all clear edges the
// sharpest quarter counts, because much in a picture is soft by itself.
func (p plane) edges(part image.Rectangle, dark, bright float64) (across, down float64) {
	least := max(16, 0.25*(bright-dark)) // contrast of an edge that counts
	const fewest = 40
	quarter := func(w []float64) float64 {
		if len(w) < fewest {
			return 0
		}
		slices.Sort(w)
		return w[len(w)/4]
	}
	var widths []float64
	for y := part.Min.Y; y < part.Max.Y; y += 3 {
		widths = p.along(widths, y*p.step+part.Min.X, 1, part.Dx(), least)
	}
	across = quarter(widths)
	widths = widths[:0]
	for x := part.Min.X; x < part.Max.X; x += 3 {
		widths = p.along(widths, part.Min.Y*p.step+x, p.step, part.Dy(), least)
	}
	return across, quarter(widths)
}

// along adds the widths of the edges on a line of n pixels, which are stride bytes
// apart: runs that rise or fall all the way, by least or more.
func (p plane) along(widths []float64, at, stride, n int, least float64) []float64 {
	const most = 32 // pixels; anything longer is not an edge
	total, steepest, length := 0, 0, 0
	before := int(p.pix[at])
	for i := 1; i < n; i++ {
		at += stride
		v := int(p.pix[at])
		d := v - before
		before = v
		if d != 0 && (total > 0) == (d > 0) || total == 0 {
			total += d
			steepest = max(steepest, d, -d)
			length++
			continue
		}
		if math.Abs(float64(total)) >= least && length <= most {
			widths = append(widths, math.Abs(float64(total))/float64(steepest))
		}
		total, steepest, length = d, max(d, -d), 1
	}
	return widths
}

// tilt is how upright lines lean, by the directions of steep steps.
func (p plane) tilt() (lean float64, ok bool) {
	const (
		bins   = 60 // of half a degree, ±15°
		steep  = 40
		fewest = 600
		within = 3    // bins to either side of the peak
		share  = 0.45 // of all that must lie there
	)
	var count [bins + 1]float64
	n := 0.0
	for y := 2; y < p.h-2; y += 2 {
		row := p.pix[y*p.step:]
		for x := 2; x < p.w-2; x += 2 {
			dx := int(row[x+1]) - int(row[x-1])
			if dx < steep && dx > -steep {
				continue
			}
			dy := int(p.pix[(y+1)*p.step+x]) - int(p.pix[(y-1)*p.step+x])
			b := math.Round(2*degrees(math.Atan2(float64(dy), float64(dx)*1))) + bins/2
			if dx < 0 {
				b = math.Round(2*degrees(math.Atan2(float64(-dy), float64(-dx)))) + bins/2
			}
			if b >= 0 && b <= bins {
				count[int(b)]++
				n++
			}
		}
	}
	if n < fewest {
		return 0, false
	}
	best, sum := 0, 0.0
	for i := range count {
		s := 0.0
		for k := max(0, i-within); k <= min(bins, i+within); k++ {
			s += count[k]
		}
		if s > sum {
			best, sum = i, s
		}
	}
	if sum < share*n {
		return 0, false
	}
	mean := 0.0
	for k := max(0, best-within); k <= min(bins, best+within); k++ {
		mean += count[k] * float64(k-bins/2) / 2
	}
	// A step that falls downwards to the right belongs to a line that leans to the
	// right.
	return mean / sum, true
}
