package paint

import (
	"image"
	"math"
)

// Decal is a picture that is drawn into scenes at any size, with copies of half the
// size each (mipmaps), so that a small one does not alias.
type Decal []*image.RGBA

func NewDecal(img *image.RGBA) Decal {
	d := Decal{img}
	for img.Rect.Dx() >= 32 && img.Rect.Dy() >= 16 {
		h := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx()/2, img.Rect.Dy()/2))
		for y := range h.Rect.Dy() {
			for x := range h.Rect.Dx() {
				a, b := img.Pix[img.PixOffset(2*x, 2*y):], img.Pix[img.PixOffset(2*x, 2*y+1):]
				q := h.Pix[h.PixOffset(x, y):]
				for c := range 4 {
					q[c] = uint8((int(a[c]) + int(a[c+4]) + int(b[c]) + int(b[c+4]) + 2) / 4)
				}
			}
		}
		d = append(d, h)
		img = h
	}
	return d
}

// Paste lays the decal over the quadrilateral q (pixels, clockwise from the top
// left), its brightness times light, with antialiased edges and 2 × 2 samples a
// pixel. It reports whether q could be mapped.
func (c *Canvas) Paste(d Decal, q [4]Point, light float64) bool {
	size := math.Max(q[1].Sub(q[0]).Len(), q[2].Sub(q[3]).Len())
	tex := d[0]
	for _, t := range d[1:] {
		if float64(t.Rect.Dx()) < size*1.5 {
			break
		}
		tex = t
	}
	w, h := float64(tex.Rect.Dx()), float64(tex.Rect.Dy())
	m, err := RectTo(w, h, q)
	if err != nil {
		return false
	}
	inv := m.Inverse()
	r := Bounds(q[:]).Intersect(c.Image.Rect)
	var lut [256]uint8
	for v := range lut {
		lut[v] = uint8(Clamp(float64(v)*light+.5, 0, 255))
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			var cr, cg, cb, n float64
			for k := range 4 {
				p := inv.Apply(Point{float64(x) + .25 + .5*float64(k&1), float64(y) + .25 + .5*float64(k>>1)})
				if !(p.X >= 0 && p.Y >= 0 && p.X < w && p.Y < h) {
					continue
				}
				a, b, e := bilinear(tex, p.X-.5, p.Y-.5)
				cr, cg, cb, n = cr+a, cg+b, cb+e, n+1
			}
			if n == 0 {
				continue
			}
			o := c.Image.Pix[c.Image.PixOffset(x, y):]
			a := n / 4
			o[0] = uint8(Mix(float64(o[0]), float64(lut[uint8(cr/n+.5)]), a) + .5)
			o[1] = uint8(Mix(float64(o[1]), float64(lut[uint8(cg/n+.5)]), a) + .5)
			o[2] = uint8(Mix(float64(o[2]), float64(lut[uint8(cb/n+.5)]), a) + .5)
		}
	}
	return true
}

func bilinear(t *image.RGBA, x, y float64) (r, g, b float64) {
	mx, my := t.Rect.Dx()-1, t.Rect.Dy()-1
	fx, fy := math.Floor(x), math.Floor(y)
	tx, ty := x-fx, y-fy
	x0, y0 := min(max(int(fx), 0), mx), min(max(int(fy), 0), my)
	x1, y1 := min(max(int(fx)+1, 0), mx), min(max(int(fy)+1, 0), my)
	p, q := t.Pix[y0*t.Stride+4*x0:], t.Pix[y0*t.Stride+4*x1:]
	u, v := t.Pix[y1*t.Stride+4*x0:], t.Pix[y1*t.Stride+4*x1:]
	w0, w1, w2, w3 := (1-tx)*(1-ty), tx*(1-ty), (1-tx)*ty, tx*ty
	f := func(i int) float64 {
		return w0*float64(p[i]) + w1*float64(q[i]) + w2*float64(u[i]) + w3*float64(v[i])
	}
	return f(0), f(1), f(2)
}
