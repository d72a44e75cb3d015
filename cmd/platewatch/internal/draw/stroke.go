package draw

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"

	"platewatch/ocr/rectify"
)

// outline draws a closed line through the points, width pixels wide.
func outline(on draw.Image, points []rectify.Point, width float64, c color.Color) {
	for i, p := range points {
		segment(on, p, points[(i+1)%len(points)], width, c)
	}
}

// segment draws a straight line with square ends, so that those of an outline
// fill its corners.
func segment(on draw.Image, a, b rectify.Point, width float64, c color.Color) {
	dx, dy := b.X-a.X, b.Y-a.Y
	length := math.Hypot(dx, dy)
	if length == 0 {
		return
	}
	dx, dy = dx/length*width/2, dy/length*width/2
	corners := [4]rectify.Point{
		{X: a.X - dx - dy, Y: a.Y - dy + dx}, {X: b.X + dx - dy, Y: b.Y + dy + dx},
		{X: b.X + dx + dy, Y: b.Y + dy - dx}, {X: a.X - dx + dy, Y: a.Y - dy - dx},
	}
	around := boxOf(corners[:]).Inset(-1).Intersect(on.Bounds())
	if around.Empty() {
		return
	}
	r := vector.NewRasterizer(around.Dx(), around.Dy())
	at := func(p rectify.Point) (x, y float32) {
		return float32(p.X - float64(around.Min.X)), float32(p.Y - float64(around.Min.Y))
	}
	r.MoveTo(at(corners[0]))
	for _, p := range corners[1:] {
		r.LineTo(at(p))
	}
	r.ClosePath()
	r.Draw(on, around, image.NewUniform(c), image.Point{})
}

// boxOf is the smallest rectangle that holds the points.
func boxOf(points []rectify.Point) image.Rectangle {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		x0, y0, x1, y1 = min(x0, p.X), min(y0, p.Y), max(x1, p.X), max(y1, p.Y)
	}
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1)), int(math.Ceil(y1)))
}

// boxPoints are the corners of a rectangle, clockwise from the top left.
func boxPoints(x, y, w, h float64) []rectify.Point {
	return []rectify.Point{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}}
}
