// Package colour tells the colour of the vehicle that a plate is on, from the
// body around the plate.
//
// No faces and no windscreens are looked at: the region ends four plate heights
// over the plate's middle, below the window line of a car whose plate is on its
// boot lid or bumper.
package colour

import (
	"cmp"
	"image"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"platewatch/ocr/rectify"
	"platewatch/ocr/text"
)

// names of colours, as results and messages have them. Grey is also silver, yellow
// also gold, brown also beige.
var names = [...]string{black, white, grey, red, blue, green, yellow, orange, brown}

const (
	black, white, grey, red, blue, green = "black", "white", "grey", "red", "blue", "green"
	yellow, orange, brown                = "yellow", "orange", "brown"
)

// The body that is looked at, in heights of the plate (110 mm in Europe, 152 mm
// in America) from its middle.
const (
	above  = 4.0 // 440 mm; what is further up than 3.1 counts for less and less
	below  = 2.7
	beside = 15  // steps to each side
	plateX = 2.7 // at least half the width of the plate and of its frame
	frame  = 0.54
	plateY = 1.2
	step   = 0.45
	radius = 0.2 // of a patch
)

// Confidences of distributions: of 401 labelled vehicles in daylight that were
// described, 75 % were named right. Deep paints are taken for each other in the
// shade, and are never told as surely.
const (
	leastSure = 0.25 // what is less likely than this is unknown
	mostSure  = 0.84
	deepSure  = 0.79
)

var deep = []string{black, blue, green, brown}

// Of returns the colours that the vehicle may have, the likeliest first, with
// their probabilities; the remainder to 1 is unknown. ink are the corners around
// the number's characters, clockwise from the top left, in pixels of the picture
// (8 bit, BGR, upright). It returns nothing where the colour cannot be told: a
// grey picture, as at night and in infrared, or no body in sight.
func Of(picture gocv.Mat, plate [4]rectify.Point) []text.Alternative {
	if picture.Channels() != 3 || picture.Type() != gocv.MatTypeCV8UC3 {
		return nil
	}
	pix, err := picture.DataPtrUint8()
	if err != nil {
		return nil
	}
	v := view{pix: pix, w: picture.Cols(), h: picture.Rows()}
	ground, ok := v.ground(plate)
	if !ok {
		return nil
	}
	patches := v.body(plate)
	if len(patches) < fewest || v.colourless() {
		return nil
	}
	return told(patches, ground)
}

// fewest is how many patches of the body must be in sight.
const fewest = 40

// view is a picture's pixels.
type view struct {
	pix  []byte
	w, h int
}

// rgb is a mean colour, 0–255.
type rgb struct{ r, g, b float64 }

func (c rgb) mean() float64   { return (c.r + c.g + c.b) / 3 }
func (c rgb) max() float64    { return max(c.r, c.g, c.b) }
func (c rgb) min() float64    { return min(c.r, c.g, c.b) }
func (c rgb) times(k rgb) rgb { return rgb{c.r * k.r, c.g * k.g, c.b * k.b} }
func (v *view) at(x, y int) rgb {
	i := 3 * (y*v.w + x)
	return rgb{float64(v.pix[i+2]), float64(v.pix[i+1]), float64(v.pix[i])}
}

// ground is the colour of the plate between its characters: the mean of the
// pixels between the 55th and the 92nd percentile of brightness, without glare.
func (v *view) ground(plate [4]rectify.Point) (rgb, bool) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range plate {
		x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
	}
	around := image.Rect(int(x0), int(y0), int(x1)+1, int(y1)+1).Intersect(image.Rect(0, 0, v.w, v.h))
	var all []rgb
	for y := around.Min.Y; y < around.Max.Y; y++ {
		for x := around.Min.X; x < around.Max.X; x++ {
			all = append(all, v.at(x, y))
		}
	}
	const least = 40
	if len(all) < least {
		return rgb{}, false
	}
	slices.SortFunc(all, func(a, b rgb) int { return cmp.Compare(a.mean(), b.mean()) })
	var sum rgb
	part := all[len(all)*55/100 : len(all)*92/100]
	for _, c := range part {
		sum = rgb{sum.r + c.r, sum.g + c.g, sum.b + c.b}
	}
	n := float64(len(part))
	return rgb{sum.r / n, sum.g / n, sum.b / n}, true
}

// patch is a small piece of the body.
type patch struct {
	x, y    float64 // from the plate's middle, its heights, y downwards
	mirror  int     // index of the patch at -x; -1: it is not in the picture
	colour  rgb
	texture float64 // standard deviation of its brightness
}

// body are the patches around the plate that lie in the picture.
func (v *view) body(plate [4]rectify.Point) []patch {
	var middle rectify.Point
	for _, c := range plate {
		middle.X, middle.Y = middle.X+c.X/4, middle.Y+c.Y/4
	}
	across := rectify.Point{X: (plate[1].X - plate[0].X + plate[2].X - plate[3].X) / 2, Y: (plate[1].Y - plate[0].Y + plate[2].Y - plate[3].Y) / 2}
	down := rectify.Point{X: (plate[3].X - plate[0].X + plate[2].X - plate[1].X) / 2, Y: (plate[3].Y - plate[0].Y + plate[2].Y - plate[1].Y) / 2}
	h, wide := math.Hypot(down.X, down.Y), math.Hypot(across.X, across.Y)
	if h < 3 || wide < h {
		return nil
	}
	ux, uy := across.X/wide*h, across.Y/wide*h // one height to the right
	half := max(plateX, wide/h/2+frame)
	r := max(1, int(radius*h))
	var out []patch
	for y := -above; y <= below; y += step {
		var row [2*beside + 1]int // one more than the index; 0: none
		for j := range row {
			x := float64(j-beside) * step
			if math.Abs(x) < half && math.Abs(y) < plateY {
				continue
			}
			px, py := int(middle.X+x*ux-y*uy), int(middle.Y+x*uy+y*ux)
			if px-r < 0 || py-r < 0 || px+r >= v.w || py+r >= v.h {
				continue
			}
			p := v.patch(px, py, r, x, y)
			p.mirror = row[2*beside-j] - 1
			if p.mirror >= 0 {
				out[p.mirror].mirror = len(out)
			}
			out = append(out, p)
			row[j] = len(out)
		}
	}
	return out
}

func (v *view) patch(px, py, r int, x, y float64) patch {
	var sum rgb
	light, square, n := 0.0, 0.0, 0.0
	for yy := py - r; yy <= py+r; yy++ {
		for xx := px - r; xx <= px+r; xx++ {
			c := v.at(xx, yy)
			sum = rgb{sum.r + c.r, sum.g + c.g, sum.b + c.b}
			m := c.mean()
			light, square, n = light+m, square+m*m, n+1
		}
	}
	return patch{x: x, y: y, colour: rgb{sum.r / n, sum.g / n, sum.b / n}, texture: math.Sqrt(max(0, square/n-light/n*light/n))}
}

// colourless tells whether the whole picture has no colours, as at night in infrared.
func (v *view) colourless() bool {
	const (
		across, down = 32, 24 // places that are looked at
		least        = 2.5    // of 255, mean difference between the channels
	)
	sum := 0.0
	for i := range down {
		for j := range across {
			c := v.at((2*j+1)*v.w/(2*across), (2*i+1)*v.h/(2*down))
			sum += c.max() - c.min()
		}
	}
	return sum/(across*down) < least
}
