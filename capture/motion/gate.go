// Package motion tells where in a camera's pictures something moves, within the
// part of the picture that matters.
package motion

import (
	"errors"
	"image"
	"math"
	"time"

	"gocv.io/x/gocv"
)

const (
	// gateColumns is how many cells the picture is divided into across: one
	// cell is then 8 pixels of a 720p frame, half the height of the smallest
	// character that is read.
	gateColumns = 160
	// A cell moved when it differs from the background by at least leastChange
	// grey levels and overUnrest times its own usual variation: noise, leaves,
	// rain.
	leastChange = 10.0
	overUnrest  = 4.0
	// Time constants with which the background follows a cell that is still and
	// one that moved (a car that stops is background after about three of them),
	// and the usual variation follows.
	followStill = 700 * time.Millisecond
	followMoved = 2500 * time.Millisecond
	followNoise = 4 * time.Second
	// fewCells is how many neighbouring cells must move: fewer are an insect, or
	// noise.
	fewCells = 3
	// aroundCells is how far a place that moved reaches beyond its cells.
	aroundCells = 3
	// maxPlaces bounds the rectangles; with more, the nearest become one.
	maxPlaces = 6
)

// Gate tells where in a camera's pictures something moves. It compares each
// picture, at a sixteenth of its size and less, with a background that
// follows slowly. It has one user at a time.
type Gate struct {
	area Area
	size image.Point // of the pictures
	cell int         // pixels a side
	w, h int         // cells
	live []bool      // cells that matter

	now, back, unrest []float32
	moved             []bool
	label             []bool // scratch of places
	stack             []int32
	last              time.Duration
	fresh             bool // there is no background yet
	places            []image.Rectangle
}

// NewGate makes a gate that looks at an area.
func NewGate(a Area) *Gate { return &Gate{area: a} }

// Watch takes the next picture (8 bit, BGR or grey) and its time, which must
// not go back, and returns the rectangles in which something moved, in its
// pixels, valid until the next call. The first picture, and the first of another
// size, count as moved everywhere.
func (g *Gate) Watch(picture gocv.Mat, at time.Duration) ([]image.Rectangle, error) {
	size := image.Pt(picture.Cols(), picture.Rows())
	if size.X < 2 || size.Y < 2 {
		return nil, errors.New("the motion gate was given no picture")
	}
	px, err := picture.DataPtrUint8()
	if err != nil {
		return nil, err
	}
	if size != g.size {
		g.resize(size)
	}
	channels := picture.Channels()
	g.sample(px, picture.Step(), channels, min(1, channels-1))
	if g.fresh {
		g.fresh, g.last = false, at
		copy(g.back, g.now)
		for i := range g.moved {
			g.moved[i] = g.live[i]
		}
		g.places = append(g.places[:0], g.area.Bounds(size))
		return g.places, nil
	}
	dt := max(at-g.last, time.Millisecond)
	g.last = at
	g.compare(dt)
	g.locate()
	return g.places, nil
}

// resize starts anew with pictures of another size.
func (g *Gate) resize(size image.Point) {
	g.size = size
	g.cell = max(2, (size.X+gateColumns-1)/gateColumns)
	g.w, g.h = (size.X+g.cell-1)/g.cell, (size.Y+g.cell-1)/g.cell
	n := g.w * g.h
	g.now, g.back, g.unrest = make([]float32, n), make([]float32, n), make([]float32, n)
	g.live, g.moved, g.label = make([]bool, n), make([]bool, n), make([]bool, n)
	for i := range n {
		g.unrest[i] = 1.5
		middle := image.Pt(i%g.w*g.cell+g.cell/2, i/g.w*g.cell+g.cell/2)
		g.live[i] = g.area.Contains(middle, size)
	}
	g.fresh = true
}

// sample takes the mean of eight pixels of each cell: of green, which is most
// of what is bright.
func (g *Gate) sample(px []byte, step, channels, channel int) {
	quarter := max(1, g.cell/4)
	for y := range g.h {
		y0 := min(y*g.cell+quarter/2, g.size.Y-1)
		y1 := min(y*g.cell+g.cell-1-quarter/2, g.size.Y-1)
		upper, lower := px[y0*step:], px[y1*step:]
		for x := range g.w {
			sum := 0
			for k := range 4 {
				c := min(x*g.cell+k*quarter, g.size.X-1)*channels + channel
				sum += int(upper[c]) + int(lower[c])
			}
			g.now[y*g.w+x] = float32(sum) / 8
		}
	}
}

// compare marks the cells that moved and lets the background follow.
func (g *Gate) compare(dt time.Duration) {
	follow := func(over time.Duration) float32 { return float32(1 - math.Exp(-float64(dt)/float64(over))) }
	still, moved, noise := follow(followStill), follow(followMoved), follow(followNoise)
	for i, v := range g.now {
		d := v - g.back[i]
		away := d
		if away < 0 {
			away = -away
		}
		if away > max(leastChange, overUnrest*g.unrest[i]) {
			g.moved[i] = g.live[i]
			g.back[i] += moved * d
			// A cell that keeps moving (a tree in the wind) slowly raises its own
			// threshold.
			g.unrest[i] += noise * 0.1 * (away - g.unrest[i])
			continue
		}
		g.moved[i] = false
		g.back[i] += still * d
		g.unrest[i] += noise * (away - g.unrest[i])
	}
}

// locate puts neighbouring cells that moved into rectangles.
func (g *Gate) locate() {
	g.places = g.places[:0]
	clear(g.label)
	for i, m := range g.moved {
		if !m || g.label[i] {
			continue
		}
		box, n := g.spread(i)
		if n >= fewCells {
			g.add(g.pixels(box.Inset(-aroundCells)))
		}
	}
}

// spread follows the cells that moved from one on, over gaps of one cell.
func (g *Gate) spread(from int) (box image.Rectangle, n int) {
	g.stack = append(g.stack[:0], int32(from))
	g.label[from] = true
	for len(g.stack) > 0 {
		i := int(g.stack[len(g.stack)-1])
		g.stack = g.stack[:len(g.stack)-1]
		x, y := i%g.w, i/g.w
		box = box.Union(image.Rect(x, y, x+1, y+1))
		n++
		for v := max(0, y-2); v <= min(g.h-1, y+2); v++ {
			for u := max(0, x-2); u <= min(g.w-1, x+2); u++ {
				if j := v*g.w + u; g.moved[j] && !g.label[j] {
					g.label[j] = true
					g.stack = append(g.stack, int32(j))
				}
			}
		}
	}
	return box, n
}

// pixels is a rectangle of cells in the picture.
func (g *Gate) pixels(cells image.Rectangle) image.Rectangle {
	r := image.Rect(cells.Min.X*g.cell, cells.Min.Y*g.cell, cells.Max.X*g.cell, cells.Max.Y*g.cell)
	return r.Intersect(g.area.Bounds(g.size))
}

func (g *Gate) add(r image.Rectangle) {
	if r.Empty() {
		return
	}
	g.places = Join(append(g.places, r), maxPlaces)
}

// Moved tells whether anything moved within a rectangle of the last picture.
func (g *Gate) Moved(r image.Rectangle) bool {
	if g.cell == 0 {
		return true
	}
	cells := image.Rect(r.Min.X/g.cell, r.Min.Y/g.cell, (r.Max.X+g.cell-1)/g.cell, (r.Max.Y+g.cell-1)/g.cell).
		Intersect(image.Rect(0, 0, g.w, g.h))
	for y := cells.Min.Y; y < cells.Max.Y; y++ {
		for x := cells.Min.X; x < cells.Max.X; x++ {
			if g.moved[y*g.w+x] {
				return true
			}
		}
	}
	return false
}

// Join unites rectangles that overlap, and then those whose union adds the
// least, until there are at most so many. It may change rs.
func Join(rs []image.Rectangle, atMost int) []image.Rectangle {
	for len(rs) > 1 {
		first, second, least := -1, -1, math.MaxInt
		for i := range rs {
			for j := i + 1; j < len(rs); j++ {
				added := area(rs[i].Union(rs[j])) - area(rs[i]) - area(rs[j])
				if rs[i].Overlaps(rs[j]) {
					added = min(added, 0)
				}
				if added < least {
					first, second, least = i, j, added
				}
			}
		}
		if least > 0 && len(rs) <= atMost {
			break
		}
		rs[first] = rs[first].Union(rs[second])
		rs = append(rs[:second], rs[second+1:]...)
	}
	return rs
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }
