// Package sensor applies the effects of a camera to rendered pictures: exposure,
// blur, noise and JPEG compression.
package sensor

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"
)

// Effects are those of a camera's optics and sensor on a picture.
type Effects struct {
	Exposure float64 // factor on the brightness; 0 means 1
	Contrast float64 // around mid grey; 0 means 1
	Defocus  float64 // standard deviation of the blur, pixels
	Motion   float64 // length of the smear, pixels
	Angle    float64 // of the smear, degrees from the x axis
	Noise    float64 // standard deviation, grey levels
	Quality  int     // of a JPEG round trip, 1–100; 0: none
}

// Apply applies the effects to a picture in place, with noise drawn from seed.
// It fails only where the JPEG round trip does.
func (e Effects) Apply(img *image.RGBA, seed uint64) error {
	if e.Defocus > 0 {
		blur(img, e.Defocus)
	}
	if e.Motion > 1 {
		smear(img, e.Motion, e.Angle*math.Pi/180)
	}
	exp, con := e.Exposure, e.Contrast
	if exp == 0 {
		exp = 1
	}
	if con == 0 {
		con = 1
	}
	if exp != 1 || con != 1 {
		var lut [256]uint8
		for i := range lut {
			lut[i] = uint8(min(max((float64(i)*exp-128)*con+128+.5, 0), 255))
		}
		for i := 0; i < len(img.Pix); i += 4 {
			q := img.Pix[i : i+3 : i+3]
			q[0], q[1], q[2] = lut[q[0]], lut[q[1]], lut[q[2]]
		}
	}
	if e.Noise > 0 {
		noise(img, e.Noise, seed)
	}
	if e.Quality > 0 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: e.Quality}); err != nil {
			return fmt.Errorf("sensor: compress the picture: %w", err)
		}
		back, err := jpeg.Decode(&b)
		if err != nil {
			return fmt.Errorf("sensor: decompress the picture: %w", err)
		}
		draw.Draw(img, img.Rect, back, image.Point{}, draw.Src)
	}
	return nil
}

// noise adds grey noise with a little colour, as a sensor behind a colour
// filter has it. The normal deviates come from a table: drawing them one by
// one costs more than drawing the picture.
func noise(img *image.RGBA, sigma float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 77))
	var table [4096]int8
	for i := range table {
		table[i] = int8(min(max(math.Round(r.NormFloat64()*sigma), -120), 120))
	}
	for i := 0; i < len(img.Pix); i += 4 {
		v := r.Uint64()
		g := int(table[v&4095])
		q := img.Pix[i : i+3 : i+3]
		q[0] = clip8(int(q[0]) + g + int(table[v>>12&4095])/3)
		q[1] = clip8(int(q[1]) + g + int(table[v>>24&4095])/4)
		q[2] = clip8(int(q[2]) + g + int(table[v>>36&4095])/2)
	}
}

func clip8(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// blur is a Gaussian, separable, with clamped edges.
func blur(img *image.RGBA, sigma float64) {
	n := int(math.Ceil(sigma * 2.6))
	if n < 1 {
		n = 1
	}
	k := make([]int32, 2*n+1)
	sum := 0.0
	f := make([]float64, 2*n+1)
	for i := range f {
		f[i] = math.Exp(-float64((i-n)*(i-n)) / (2 * sigma * sigma))
		sum += f[i]
	}
	tot := int32(0)
	for i := range f {
		k[i] = int32(f[i]/sum*65536 + .5)
		tot += k[i]
	}
	k[n] += 65536 - tot
	w, h := img.Rect.Dx(), img.Rect.Dy()
	line := make([]uint8, 4*max(w, h))
	pass := func(start, step, count int) {
		for i := range count {
			copy(line[4*i:4*i+4], img.Pix[start+i*step:])
		}
		for i := range count {
			var a, b, c int32
			for j, kv := range k {
				x := min(max(i+j-n, 0), count-1) * 4
				a += kv * int32(line[x])
				b += kv * int32(line[x+1])
				c += kv * int32(line[x+2])
			}
			q := img.Pix[start+i*step:]
			q[0], q[1], q[2] = uint8((a+32768)>>16), uint8((b+32768)>>16), uint8((c+32768)>>16)
		}
	}
	for y := range h {
		pass(y*img.Stride, 4, w)
	}
	for x := range w {
		pass(4*x, img.Stride, h)
	}
}

// smear averages along a straight line: a moving object on a long exposure.
func smear(img *image.RGBA, length, angle float64) {
	src := append([]uint8(nil), img.Pix...)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	n := max(int(length+.5), 2)
	s, c := math.Sincos(angle)
	type step struct{ x, y int }
	st := make([]step, n)
	for i := range st {
		t := (float64(i)/float64(n-1) - .5) * length
		st[i] = step{int(math.Round(c * t)), int(math.Round(s * t))}
	}
	for y := range h {
		for x := range w {
			var a, b, d int
			for _, p := range st {
				o := min(max(y+p.y, 0), h-1)*img.Stride + 4*min(max(x+p.x, 0), w-1)
				a += int(src[o])
				b += int(src[o+1])
				d += int(src[o+2])
			}
			q := img.Pix[y*img.Stride+4*x:]
			q[0], q[1], q[2] = uint8(a/n), uint8(b/n), uint8(d/n)
		}
	}
}
