package issuer

import (
	"cmp"
	"image"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"platewatch/ocr/rectify"
)

// LookAtPaint adds what the colours of characters and ground say, in a picture
// (8 bit, BGR) with the corners around the number. A grey picture says nothing.
func (e *Evidence) LookAtPaint(picture gocv.Mat, ink [4]rectify.Point) {
	p, ok := paintOf(picture, ink)
	if !ok {
		return
	}
	share := func(of float64, seen bool) float64 {
		if seen {
			return math.Log(of)
		}
		return math.Log(1 - of)
	}
	for k, i := range issuers() {
		e.logs[k] += share(i.Red, p.red)
		if !p.lamplit {
			e.logs[k] += share(i.Yellow, p.yellow)
		}
	}
}

// paint are the colours of a plate.
type paint struct {
	red     bool // characters
	yellow  bool // ground
	lamplit bool // everything around is yellow too, as under sodium lamps
}

// paintOf measures the darkest pixels around the number against the bright ones.
func paintOf(picture gocv.Mat, ink [4]rectify.Point) (paint, bool) {
	const (
		redder   = 0.12 // of the characters against the ground: red's share of it over that of green and blue
		yellower = 0.30 // of the ground: what blue lacks beside the brightest channel
		fewest   = 40
		least    = 3 // mean difference of the channels, 0–255; below it the picture is grey
	)
	if picture.Type() != gocv.MatTypeCV8UC3 {
		return paint{}, false
	}
	pix, err := picture.DataPtrUint8()
	if err != nil {
		return paint{}, false
	}
	w, h := picture.Cols(), picture.Rows()
	at := func(x, y int) pixel {
		i := 3 * (y*w + x)
		return pixel{float64(pix[i+2]), float64(pix[i+1]), float64(pix[i])}
	}
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range ink {
		x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
	}
	number := image.Rect(int(x0), int(y0), int(x1)+1, int(y1)+1).Intersect(image.Rect(0, 0, w, h))
	var all []pixel
	chroma := 0.0
	for y := number.Min.Y; y < number.Max.Y; y++ {
		for x := number.Min.X; x < number.Max.X; x++ {
			c := at(x, y)
			all = append(all, c)
			chroma += max(c.r, c.g, c.b) - min(c.r, c.g, c.b)
		}
	}
	if len(all) < fewest || chroma < least*float64(len(all)) {
		return paint{}, false
	}
	slices.SortFunc(all, func(a, b pixel) int { return cmp.Compare(a.r+a.g+a.b, b.r+b.g+b.b) })
	mean := func(from, to int) pixel {
		var sum pixel
		part := all[len(all)*from/100 : len(all)*to/100]
		for _, c := range part {
			sum = pixel{sum.r + c.r/float64(len(part)), sum.g + c.g/float64(len(part)), sum.b + c.b/float64(len(part))}
		}
		return sum
	}
	dark, ground := mean(2, 15), mean(55, 92)
	over := func(a, b float64) float64 { return a / max(b, 1) }
	out := paint{
		red:    over(dark.r, ground.r)-(over(dark.g, ground.g)+over(dark.b, ground.b))/2 > redder,
		yellow: ground.yellow() > yellower,
	}
	// The picture around the plate, where there is enough of it.
	const across, down, enough, cast = 32, 24, 200, 0.22
	margin := number.Dy()
	var around pixel
	n := 0.0
	for i := range down {
		for j := range across {
			x, y := (2*j+1)*w/(2*across), (2*i+1)*h/(2*down)
			if (image.Point{X: x, Y: y}).In(number.Inset(-margin)) {
				continue
			}
			c := at(x, y)
			around, n = pixel{around.r + c.r, around.g + c.g, around.b + c.b}, n+1
		}
	}
	out.lamplit = n >= enough && around.yellow() > cast
	return out, true
}

// pixel is a colour, 0–255.
type pixel struct{ r, g, b float64 }

// yellow is what blue lacks beside the brighter of red and green, 0–1.
func (p pixel) yellow() float64 { return 1 - p.b/max(p.r, p.g, 1) }
