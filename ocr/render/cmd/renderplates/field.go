package main

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// field is a grey picture of w × h, 0 black to 1 white.
type field struct {
	w, h int
	v    []float32
	ras  vector.Rasterizer
	mask image.Alpha
}

type point struct{ x, y float64 }

// shape makes the field w × h and fills it with v, keeping its memory.
func (f *field) shape(w, h int, v float64) {
	f.w, f.h = w, h
	if cap(f.v) < w*h {
		f.v = make([]float32, w*h)
	}
	f.v = f.v[:w*h]
	for i := range f.v {
		f.v[i] = float32(v)
	}
}

// fill paints polygons, antialiased; opposite orientations cut holes.
func (f *field) fill(v, alpha float64, polys ...[]point) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range polys {
		for _, q := range p {
			x0, x1, y0, y1 = min(x0, q.x), max(x1, q.x), min(y0, q.y), max(y1, q.y)
		}
	}
	// Not image.Rect, which would put corners right that lie beyond the field.
	r := image.Rectangle{
		Min: image.Pt(int(max(0, math.Floor(x0))), int(max(0, math.Floor(y0)))),
		Max: image.Pt(int(min(float64(f.w), math.Ceil(x1))), int(min(float64(f.h), math.Ceil(y1)))),
	}
	if !(x0 < x1 && y0 < y1) || r.Empty() {
		return
	}
	f.ras.Reset(r.Dx(), r.Dy())
	f.ras.DrawOp = draw.Src
	ox, oy := float64(r.Min.X), float64(r.Min.Y)
	for _, p := range polys {
		f.ras.MoveTo(float32(p[0].x-ox), float32(p[0].y-oy))
		for _, q := range p[1:] {
			f.ras.LineTo(float32(q.x-ox), float32(q.y-oy))
		}
		f.ras.ClosePath()
	}
	n := r.Dx() * r.Dy()
	if cap(f.mask.Pix) < n {
		f.mask.Pix = make([]uint8, n)
	}
	f.mask = image.Alpha{Pix: f.mask.Pix[:n], Stride: r.Dx(), Rect: image.Rect(0, 0, r.Dx(), r.Dy())}
	f.ras.Draw(&f.mask, f.mask.Rect, image.Opaque, image.Point{})
	a, to := float32(alpha/255), float32(v)
	for y := range r.Dy() {
		row := f.v[(r.Min.Y+y)*f.w+r.Min.X:][:r.Dx()]
		for x, m := range f.mask.Pix[y*r.Dx():][:r.Dx()] {
			row[x] += (to - row[x]) * a * float32(m)
		}
	}
}

func (f *field) rect(x0, y0, x1, y1, v float64) {
	f.fill(v, 1, []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}})
}

// outline draws the edge of a rectangle, t wide, inwards.
func (f *field) outline(x0, y0, x1, y1, t, v float64) {
	f.fill(v, 1, []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}, []point{{x0 + t, y0 + t}, {x0 + t, y1 - t}, {x1 - t, y1 - t}, {x1 - t, y0 + t}})
}

func oval(cx, cy, rx, ry float64, turn float64) []point {
	const corners = 18
	p := make([]point, corners)
	for i := range p {
		s, c := math.Sincos(turn * 2 * math.Pi * float64(i) / corners)
		p[i] = point{cx + rx*c, cy + ry*s}
	}
	return p
}

func (f *field) disc(cx, cy, r, v float64) { f.fill(v, 1, oval(cx, cy, r, r, 1)) }

func (f *field) ring(cx, cy, r, t, v float64) {
	f.fill(v, 1, oval(cx, cy, r, r, 1), oval(cx, cy, max(0, r-t), max(0, r-t), -1))
}

func (f *field) line(x0, y0, x1, y1, t, v float64) {
	dx, dy := x1-x0, y1-y0
	l := math.Hypot(dx, dy)
	if l == 0 {
		return
	}
	nx, ny := -dy/l*t/2, dx/l*t/2
	f.fill(v, 1, []point{{x0 + nx, y0 + ny}, {x1 + nx, y1 + ny}, {x1 - nx, y1 - ny}, {x0 - nx, y0 - ny}})
}

// stamp lays a glyph into the rectangle, in grey v.
func (f *field) stamp(g *glyph, x, y, w, h, v, alpha float64) {
	if g == nil || w <= 0 || h <= 0 {
		return
	}
	sx, sy := float64(g.w)/w, float64(g.h)/h
	to, a := float32(v), float32(alpha)/255
	for py := max(0, int(y)); py < min(f.h, int(math.Ceil(y+h))); py++ {
		gy0, gy1 := span((float64(py)-y)*sy, sy, g.h)
		for px := max(0, int(x)); px < min(f.w, int(math.Ceil(x+w))); px++ {
			gx0, gx1 := span((float64(px)-x)*sx, sx, g.w)
			sum := 0
			for gy := gy0; gy < gy1; gy++ {
				for _, m := range g.ink[gy*g.w+gx0 : gy*g.w+gx1] {
					sum += int(m)
				}
			}
			if sum > 0 {
				o := &f.v[py*f.w+px]
				*o += (to - *o) * a * float32(sum) / float32((gy1-gy0)*(gx1-gx0))
			}
		}
	}
}

// span is the range of source cells under one target cell, at least one.
func span(from, step float64, n int) (int, int) {
	a := min(max(int(from+.5), 0), n-1)
	return a, min(max(int(from+step+.5), a+1), n)
}

// at is the value at (x, y) in pixel centres, interpolated; outside, the edge's.
func (f *field) at(x, y float64) float32 {
	x, y = min(max(x, 0), float64(f.w-1)), min(max(y, 0), float64(f.h-1))
	x0, y0 := int(x), int(y)
	tx, ty := float32(x-float64(x0)), float32(y-float64(y0))
	x1, y1 := min(x0+1, f.w-1), min(y0+1, f.h-1)
	a, b := f.v[y0*f.w:], f.v[y1*f.w:]
	top := a[x0] + (a[x1]-a[x0])*tx
	return top + (b[x0]+(b[x1]-b[x0])*tx-top)*ty
}

// clouds adds slow noise: a grid of cells pixels, between -amount/2 and +amount/2.
func (f *field) clouds(d dice, cell int, amount float64) {
	grid := field{w: f.w/cell + 2, h: f.h/cell + 2}
	grid.v = make([]float32, grid.w*grid.h)
	for i := range grid.v {
		grid.v[i] = float32(d.in(-amount/2, amount/2))
	}
	for y := range f.h {
		for x := range f.w {
			f.v[y*f.w+x] += grid.at(float64(x)/float64(cell), float64(y)/float64(cell))
		}
	}
}

// slope adds a linear ramp: dx from left to right, dy from top to bottom.
func (f *field) slope(dx, dy float64) {
	for y := range f.h {
		for x := range f.w {
			f.v[y*f.w+x] += float32(dx*(float64(x)/float64(f.w)-.5) + dy*(float64(y)/float64(f.h)-.5))
		}
	}
}

// blob is an irregular round patch.
func blob(d dice, cx, cy, rx, ry float64) []point {
	p := make([]point, 6+d.IntN(16))
	for i := range p {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(len(p)))
		q := d.in(.4, 1.15)
		p[i] = point{cx + rx*q*c, cy + ry*q*s}
	}
	return p
}
