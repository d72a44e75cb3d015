package paint

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// Canvas paints antialiased polygons into a picture. It keeps the rasteriser
// and the coverage mask between calls, so that painting allocates nothing once
// it has grown to its largest shape.
type Canvas struct {
	Image *image.RGBA
	ras   vector.Rasterizer
	mask  image.Alpha
	Tint  *Tint // applied to colours before they are painted; nil: none
}

// Tint maps the three channels of a colour.
type Tint [3][256]uint8

func (t *Tint) apply(c color.RGBA) color.RGBA {
	if t == nil {
		return c
	}
	return color.RGBA{t[0][c.R], t[1][c.G], t[2][c.B], c.A}
}

// Resize makes the picture w × h, reusing its memory; the content is undefined.
func (c *Canvas) Resize(w, h int) {
	if c.Image != nil && cap(c.Image.Pix) >= 4*w*h {
		c.Image.Pix, c.Image.Stride, c.Image.Rect = c.Image.Pix[:4*w*h], 4*w, image.Rect(0, 0, w, h)
		return
	}
	c.Image = image.NewRGBA(image.Rect(0, 0, w, h))
}

// Ink is a colour, or a linear gradient from c0 at p0 to c1 at p1 where the
// two points differ. Alpha is the coverage, 0–1.
type Ink struct {
	c0, c1 color.RGBA
	p0, p1 Point
	alpha  float64
}

func Solid(c color.RGBA) Ink                       { return Ink{c0: c, c1: c, alpha: 1} }
func Sheer(c color.RGBA, alpha float64) Ink        { return Ink{c0: c, c1: c, alpha: alpha} }
func Gradient(c0, c1 color.RGBA, p0, p1 Point) Ink { return Ink{c0, c1, p0, p1, 1} }

// Fill paints the union of the polygons. They must all have the same
// orientation where they overlap; opposite orientations cut holes.
func (c *Canvas) Fill(pt Ink, polys ...[]Point) {
	lo, hi := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, p := range polys {
		for _, q := range p {
			lo.X, lo.Y = math.Min(lo.X, q.X), math.Min(lo.Y, q.Y)
			hi.X, hi.Y = math.Max(hi.X, q.X), math.Max(hi.Y, q.Y)
		}
	}
	// A shape far outside costs nothing, and NaN never reaches the rasteriser.
	b := c.Image.Rect
	if !(lo.X < float64(b.Max.X) && lo.Y < float64(b.Max.Y) && hi.X > float64(b.Min.X) && hi.Y > float64(b.Min.Y)) {
		return
	}
	r := image.Rect(int(math.Max(math.Floor(lo.X), float64(b.Min.X))), int(math.Max(math.Floor(lo.Y), float64(b.Min.Y))),
		int(math.Min(math.Ceil(hi.X), float64(b.Max.X))), int(math.Min(math.Ceil(hi.Y), float64(b.Max.Y))))
	if r.Empty() {
		return
	}
	c.ras.Reset(r.Dx(), r.Dy())
	c.ras.DrawOp = draw.Src
	ox, oy := float64(r.Min.X), float64(r.Min.Y)
	// Far outside the picture single-precision coordinates are too coarse,
	// so shapes that reach far are clipped first, a little outside the picture.
	const guard = 2048
	far := lo.X < -guard || lo.Y < -guard || hi.X > float64(b.Max.X)+guard || hi.Y > float64(b.Max.Y)+guard
	for _, p := range polys {
		if far {
			p = ClipRect(p, -8, -8, float64(b.Max.X)+8, float64(b.Max.Y)+8)
		}
		if len(p) < 3 {
			continue
		}
		c.ras.MoveTo(float32(p[0].X-ox), float32(p[0].Y-oy))
		for _, q := range p[1:] {
			c.ras.LineTo(float32(q.X-ox), float32(q.Y-oy))
		}
		c.ras.ClosePath()
	}
	n := r.Dx() * r.Dy()
	if cap(c.mask.Pix) < n {
		c.mask.Pix = make([]uint8, n)
	}
	c.mask.Pix, c.mask.Stride, c.mask.Rect = c.mask.Pix[:n], r.Dx(), image.Rect(0, 0, r.Dx(), r.Dy())
	c.ras.Draw(&c.mask, c.mask.Rect, image.Opaque, image.Point{})
	c.blend(r, pt)
}

// blend lays the paint over rectangle r of the picture, through the mask.
func (c *Canvas) blend(r image.Rectangle, pt Ink) {
	a := uint32(Clamp(pt.alpha, 0, 1)*256 + 0.5)
	pt.c0, pt.c1 = c.Tint.apply(pt.c0), c.Tint.apply(pt.c1)
	d := pt.p1.Sub(pt.p0)
	l2 := d.X*d.X + d.Y*d.Y
	for y := r.Min.Y; y < r.Max.Y; y++ {
		m := c.mask.Pix[(y-r.Min.Y)*c.mask.Stride:][:r.Dx()]
		row := c.Image.Pix[c.Image.PixOffset(r.Min.X, y):][:4*r.Dx()]
		cr, cg, cb := uint32(pt.c0.R), uint32(pt.c0.G), uint32(pt.c0.B)
		for x, mv := range m {
			if mv == 0 {
				continue
			}
			if l2 > 0 {
				t := Clamp(((float64(r.Min.X+x)+.5-pt.p0.X)*d.X+(float64(y)+.5-pt.p0.Y)*d.Y)/l2, 0, 1)
				k := uint32(t * 256)
				cr = (uint32(pt.c0.R)*(256-k) + uint32(pt.c1.R)*k) >> 8
				cg = (uint32(pt.c0.G)*(256-k) + uint32(pt.c1.G)*k) >> 8
				cb = (uint32(pt.c0.B)*(256-k) + uint32(pt.c1.B)*k) >> 8
			}
			w := (uint32(mv) + uint32(mv>>7)) * a // 0–65536
			q := row[4*x : 4*x+4 : 4*x+4]
			q[0] = uint8((uint32(q[0])*(65536-w) + cr*w + 32768) >> 16)
			q[1] = uint8((uint32(q[1])*(65536-w) + cg*w + 32768) >> 16)
			q[2] = uint8((uint32(q[2])*(65536-w) + cb*w + 32768) >> 16)
			q[3] = 255
		}
	}
}

// Clear makes every pixel the colour.
func (c *Canvas) Clear(col color.RGBA) {
	p := c.Image.Pix
	if len(p) < 4 {
		return
	}
	p[0], p[1], p[2], p[3] = col.R, col.G, col.B, 255
	for n := 4; n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
}

// Rect is the polygon of an upright rectangle.
func Rect(x0, y0, x1, y1 float64) []Point { return []Point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} }

// Ellipse is a polygon with n corners on an ellipse.
func Ellipse(cx, cy, rx, ry float64, n int) []Point {
	p := make([]Point, n)
	for i := range p {
		s, k := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		p[i] = Point{cx + rx*k, cy + ry*s}
	}
	return p
}

// RoundRect is a rectangle with corners of radius r.
func RoundRect(x0, y0, x1, y1, r float64) []Point {
	r = math.Min(r, math.Min(x1-x0, y1-y0)/2)
	if r <= 0 {
		return Rect(x0, y0, x1, y1)
	}
	const k = 6
	p := make([]Point, 0, 4*(k+1))
	for q, c := range [4]Point{{x1 - r, y1 - r}, {x0 + r, y1 - r}, {x0 + r, y0 + r}, {x1 - r, y0 + r}} {
		for i := 0; i <= k; i++ {
			s, co := math.Sincos(math.Pi / 2 * (float64(q) + float64(i)/k))
			p = append(p, Point{c.X + r*co, c.Y + r*s})
		}
	}
	return p
}

// Reversed is the polygon with the other orientation: a hole.
func Reversed(p []Point) []Point {
	o := make([]Point, len(p))
	for i, q := range p {
		o[len(p)-1-i] = q
	}
	return o
}

func RGB(v uint32) color.RGBA {
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

// Shade multiplies a colour by k, clipped at white.
func Shade(c color.RGBA, k float64) color.RGBA {
	f := func(v uint8) uint8 { return uint8(Clamp(float64(v)*k, 0, 255)) }
	return color.RGBA{f(c.R), f(c.G), f(c.B), 255}
}

// BlendColor is a at t = 0 and b at t = 1.
func BlendColor(a, b color.RGBA, t float64) color.RGBA {
	f := func(x, y uint8) uint8 { return uint8(Clamp(Mix(float64(x), float64(y), t)+.5, 0, 255)) }
	return color.RGBA{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), 255}
}
