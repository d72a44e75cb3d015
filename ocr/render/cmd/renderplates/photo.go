package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"

	"platewatch/ocr/render"
	"platewatch/ocr/render/paint"
)

// A stored picture shows the candidate box with an eighth of its size around
// it, so that the trainer can move the box's sides.
const (
	storedW, storedH = 216, 72
	beyond           = .125
)

// photo is a stored picture and its truth, in its pixels.
type photo struct {
	pix     [storedW * storedH]uint8
	label   string
	text    [4]point // corners around the characters, clockwise from the top left
	centres []float64
	hidden  bool // a part of the plate, by an obstacle: text may be what is left of it
}

// shoot takes a picture of the plate the way a roadside camera would and cuts
// out the candidate box.
func (o *photo) shoot(p *plate, d dice) error {
	high := pick(d, d.in(8, 13), d.in(10, 20), d.in(10, 20), d.in(13, 24), d.in(16, 36), d.in(16, 36), d.in(20, 40))
	night := d.one(.08)
	if night {
		high = max(high, 10)
	}
	scale := high / p.text.h()
	before := p.obstruct(d)
	region, size, m := place(p, d, scale)
	back, err := paint.RectTo(float64(size.X), float64(size.Y), region)
	if err != nil {
		return err
	}
	onto := product(m.Inverse(), back)

	if scale < 1 {
		p.blur(max(.3, .45/scale*d.in(.4, .9)))
	}
	pic := field{}
	pic.shape(size.X, size.Y, 0)
	scenery(&pic, p, d)
	for y := range pic.h {
		for x := range pic.w {
			q := onto.Apply(render.Point{X: float64(x) + .5, Y: float64(y) + .5})
			if c := p.cover(q.X, q.Y, 1/scale); c > 0 {
				v := &pic.v[y*pic.w+x]
				*v += (p.at(q.X-.5, q.Y-.5) - *v) * float32(c)
			}
		}
	}
	forth := back.Inverse()
	taken := func(x, y float64) point { // from the drawing to the picture
		q := forth.Apply(m.Apply(render.Point{X: x, Y: y}))
		return point{q.X, q.Y}
	}
	if before != nil {
		before.draw(&pic, taken)
	}
	expose(&pic, p, d, high, night)
	out, err := finish(&pic, p, d, high)
	if err != nil {
		return err
	}
	for i, v := range out.v {
		o.pix[i] = uint8(min(max(v, 0), 255))
	}
	// the truth goes the same way
	at := func(x, y float64) point {
		q := taken(x, y)
		return point{q.x * storedW / float64(size.X), q.y * storedH / float64(size.Y)}
	}
	o.label, o.centres, o.hidden = p.label, o.centres[:0], before != nil
	t := p.text
	o.text = [4]point{at(t.x0, t.y0), at(t.x1, t.y0), at(t.x1, t.y1), at(t.x0, t.y1)}
	for _, x := range p.centres {
		o.centres = append(o.centres, at(x, (t.y0+t.y1)/2).x)
	}
	return nil
}

// place chooses a camera position: m takes the drawing to the camera's
// pixels, region is the stored part there, size its size in pixels.
func place(p *plate, d dice, scale float64) (region [4]render.Point, size image.Point, m paint.Homography) {
	w, h := float64(p.w), float64(p.h)
	narrow := d.in(.92, 1.06)
	steep := d.one(.08)
	if d.one(.25) { // from the side
		narrow = d.in(.6, 1)
	}
	roll := d.bell(2.4)
	if d.one(.2) {
		roll = d.in(-11, 11)
	}
	s, c := math.Sincos(roll * math.Pi / 180)
	shear, px, py := d.bell(.05), d.bell(.035), d.bell(.05)
	if steep { // near the edge of the picture, from high up or from beside
		narrow, shear, px = d.in(.42, .8), d.in(-.35, .35), d.bell(.08)
	}
	at := func(x, y float64) render.Point {
		x, y = (x-w/2)*narrow, y-h/2
		q := 1 + px*2*x/w + py*.6*2*y/h
		x, y = x/q+shear*y, y/q
		return render.Point{X: (x*c - y*s) * scale, Y: (x*s + y*c) * scale}
	}
	m, _ = paint.RectTo(w, h, [4]render.Point{at(0, 0), at(w, 0), at(w, h), at(0, h)})
	f := p.face
	q := [4]render.Point{at(f.x0, f.y0), at(f.x1, f.y0), at(f.x1, f.y1), at(f.x0, f.y1)}
	corners := q
	if d.one(.6) { // an upright box around it, between the inner and the outer one
		k := d.in(0, .5)
		left, right := low2(k, q[0].X, q[3].X), -low2(k, -q[1].X, -q[2].X)
		top, foot := low2(k, q[0].Y, q[1].Y), -low2(k, -q[2].Y, -q[3].Y)
		corners = [4]render.Point{{X: left, Y: top}, {X: right, Y: top}, {X: right, Y: foot}, {X: left, Y: foot}}
	} else { // straightened, with errors at the corners
		e := .035 * math.Hypot(q[3].X-q[0].X, q[3].Y-q[0].Y)
		for i := range corners {
			corners[i].X += d.bell(e)
			corners[i].Y += d.bell(e)
		}
	}
	top, foot, left, right := d.in(-.03, .1), d.in(-.03, .1), d.in(-.02, .07), d.in(-.02, .07)
	switch tight := d.Float64(); {
	case tight < .28 && p.kind.capital[0] < .5: // the state's name cut off
		top, foot = -max(0, (p.text.y0-f.y0)/f.h()-d.in(.05, .25)), -max(0, (f.y1-p.text.y1)/f.h()-d.in(.05, .25))
	case tight < .34:
		left, right = -max(0, (p.text.x0-f.x0)/f.w()-d.in(.02, .06)), -max(0, (f.x1-p.text.x1)/f.w()-d.in(.02, .06))
	}
	around := func(a, b float64) (float64, float64) {
		e := beyond * (1 + a + b)
		return -(a + e), 1 + b + e
	}
	u0, u1 := around(left, right)
	v0, v1 := around(top, foot)
	on := func(u, v float64) render.Point {
		mix := func(a, b, c, e float64) float64 { return (a*(1-u)+b*u)*(1-v) + (e*(1-u)+c*u)*v }
		return render.Point{X: mix(corners[0].X, corners[1].X, corners[2].X, corners[3].X), Y: mix(corners[0].Y, corners[1].Y, corners[2].Y, corners[3].Y)}
	}
	region = [4]render.Point{on(u0, v0), on(u1, v0), on(u1, v1), on(u0, v1)}
	size.X = min(max(24, int(math.Hypot(region[1].X-region[0].X, region[1].Y-region[0].Y))), 480)
	size.Y = min(max(12, int(math.Hypot(region[3].X-region[0].X, region[3].Y-region[0].Y))), 200)
	return region, size, m
}

// product is the map a after b.
func product(a, b paint.Homography) (c paint.Homography) {
	for i := range 3 {
		for j := range 3 {
			c[3*i+j] = a[3*i]*b[j] + a[3*i+1]*b[3+j] + a[3*i+2]*b[6+j]
		}
	}
	return c
}

// low2 interpolates between the smaller of two values (k = 0) and the larger one.
func low2(k, a, b float64) float64 { return min(a, b) + math.Abs(a-b)*k }

// cover is the coverage by the plate at (x, y) of the drawing, with an edge of width
// soft.
func (p *plate) cover(x, y, soft float64) float64 {
	w, h, r := float64(p.w), float64(p.h), p.corner
	dx, dy := max(r-x, x-(w-r), 0), max(r-y, y-(h-r), 0)
	return min(max((r-math.Hypot(dx, dy))/soft+.5, 0), 1)
}

// scenery is the car around the plate.
func scenery(f *field, p *plate, d dice) {
	v := pick(d, d.in(0, .3), d.in(0, .3), d.in(.2, .7), d.in(.6, 1.1), p.ground*d.in(.7, 1.1))
	for i := range f.v {
		f.v[i] = float32(v)
	}
	w, h := float64(f.w), float64(f.h)
	if d.one(.6) {
		f.slope(d.in(-.15, .15), d.in(-.2, .2))
	}
	if d.one(.3) {
		f.clouds(d, pick(d, 3, 6, 12, 30), d.in(.05, .4))
	}
	for range pick(d, 0, 1, 1, 2, 3) {
		y, v := d.in(0, h), d.Float64()
		switch q := d.Float64(); {
		case q < .5:
			f.line(0, y, w, y+d.in(-.1, .1)*h, d.in(1, max(1.5, h/8)), v)
		case q < .75:
			x := d.in(0, w)
			f.rect(x, y, x+d.in(.1, .4)*w, y+d.in(.1, .3)*h, v)
		case q < .9:
			t := h * d.in(.03, .2)
			if d.one(.5) {
				f.rect(0, 0, w, t, v)
			} else {
				f.rect(0, h-t, w, h, v)
			}
		default:
			f.disc(d.in(0, w), d.in(0, h), d.in(2, h*.3), v)
		}
	}
}

// bells are normal deviates: drawing them anew costs more than the picture.
var bells = func() (t [1 << 14]float32) {
	d := newDice(1, 1)
	for i := range t {
		t[i] = float32(d.NormFloat64())
	}
	return t
}()

// expose applies the effects of lens and sensor; the result is in grey levels.
func expose(f *field, p *plate, d dice, high float64, night bool) {
	if night { // the flash outshines: blurred, hard, often negative
		if d.one(.65) != p.inverted {
			for i, v := range f.v {
				f.v[i] = 1 - v
			}
		}
		f.blur(d.in(.05, .1) * high)
		k := float32(d.in(1, 3))
		for i, v := range f.v {
			f.v[i] = min(max((v-.5)*k+.5, 0), 1)
		}
	}
	if !night && d.one(.05) { // infrared: the face is saturated and blooms into the strokes
		gain := float32(d.in(1.2, 2.4))
		for i, v := range f.v {
			f.v[i] = min(v*gain, 1.1)
		}
		f.blur(d.in(.03, .09) * high)
		for i, v := range f.v {
			f.v[i] = min(v*1.15, 1)
		}
	}
	if high > 11 || d.one(.4) {
		switch q := d.Float64(); {
		case q < .36:
			f.blur(d.in(.03, .06) * high * pick(d, .5, .5, .8, 1.2))
		case q < .5: // along the road that is down the picture or across it
			f.smear(max(2, high*d.in(.08, .26)), pick(d, 0, 0, math.Pi/2, d.angle()))
		}
	}
	if d.one(.08) { // grain that is coarser than a pixel: a night camera's gain
		f.clouds(d, pick(d, 2, 3, 4), d.in(.05, .3)*math.Abs(p.ground-p.print))
	}
	hi, lo := d.in(.6, 1.15), 0.
	if d.one(.25) {
		hi = d.in(.25, .8)
	}
	lo = d.in(0, .2) * hi
	if d.one(.3) {
		lo = d.in(0, .6) * hi
	}
	contrast := max(.05, math.Abs(p.ground-p.print)) * (hi - lo) * 255
	if contrast < 28 {
		hi, contrast = lo+(hi-lo)*28/contrast, 28
	}
	gamma := 1.
	if d.one(.3) {
		gamma = d.in(.6, 1.7)
	}
	noise := min(pick(d, d.in(0, 3), d.in(0, 3), d.in(0, 7), d.in(0, 14)), d.in(.02, .12)*contrast)
	if high < 12 {
		noise *= .6
	}
	glare, at, wide := 0., d.in(0, float64(f.w)), d.in(.1, .5)*float64(f.w)
	if d.one(.06) {
		glare = d.in(.1, .5)
	}
	for y := range f.h {
		for x := range f.w {
			v := lo + min(max(float64(f.v[y*f.w+x]), 0), 1.15)*(hi-lo)
			if gamma != 1 {
				v = math.Pow(min(v, 2), gamma)
			}
			if glare > 0 {
				q := (float64(x) - at) / wide
				v += glare * math.Exp(-q*q)
			}
			f.v[y*f.w+x] = float32(v*255) + float32(noise)*bells[d.Uint32()%uint32(len(bells))]
		}
	}
}

// finish applies the recorder's effects: sharpening, compression, and the reader's
// resampling to the stored size.
func finish(f *field, p *plate, d dice, high float64) (field, error) {
	for i, v := range f.v {
		f.v[i] = min(max(v, 0), 255)
	}
	if d.one(.012) { // interlaced
		for y := 0; y < f.h; y += 2 {
			copy(f.v[y*f.w+1:(y+1)*f.w], append([]float32(nil), f.v[y*f.w:(y+1)*f.w-1]...))
		}
	}
	if d.one(.22) { // sharpened
		soft, k := f.blurred(d.in(.8, 1.5)), float32(d.in(.4, 1))
		for i, v := range f.v {
			f.v[i] = min(max(v+(v-soft[i])*k, 0), 255)
		}
	}
	switch q := d.Float64(); {
	case q < .45:
		if err := f.compress(25 + d.IntN(68)); err != nil {
			return field{}, err
		}
	case q < .55: // video at a low bit rate: coarse blocks with smoothed edges
		if err := f.compress(8 + d.IntN(20)); err != nil {
			return field{}, err
		}
		f.blur(d.in(.3, .7))
	}
	return f.resized(storedW, storedH, d.one(.5)), nil
}

// compress takes the picture through a JPEG.
func (f *field) compress(quality int) error {
	g := image.NewGray(image.Rect(0, 0, f.w, f.h))
	for i, v := range f.v {
		g.Pix[i] = uint8(v)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, g, &jpeg.Options{Quality: quality}); err != nil {
		return fmt.Errorf("compress a plate: %w", err)
	}
	back, err := jpeg.Decode(&b)
	if err != nil {
		return fmt.Errorf("decompress a plate: %w", err)
	}
	grey, ok := back.(*image.Gray)
	if !ok {
		return fmt.Errorf("decompress a plate: %T instead of a grey picture", back)
	}
	for y := range f.h {
		for x := range f.w {
			f.v[y*f.w+x] = float32(grey.Pix[y*grey.Stride+x])
		}
	}
	return nil
}
