package main

import "math"

// blurred is a Gaussian blur with clamped edges.
func (f *field) blurred(sigma float64) []float32 {
	n := max(1, int(math.Ceil(sigma*2.5)))
	k := make([]float32, 2*n+1)
	sum := 0.
	for i := range k {
		sum += math.Exp(-float64((i-n)*(i-n)) / (2 * sigma * sigma))
	}
	for i := range k {
		k[i] = float32(math.Exp(-float64((i-n)*(i-n))/(2*sigma*sigma)) / sum)
	}
	across, out := make([]float32, f.w*f.h), make([]float32, f.w*f.h)
	line := make([]float32, f.w+2*n)
	for y := range f.h {
		row := f.v[y*f.w : (y+1)*f.w]
		copy(line[n:], row)
		for i := range n {
			line[i], line[n+f.w+i] = row[0], row[f.w-1]
		}
		for x := range row {
			var s float32
			for j, q := range k {
				s += q * line[x+j]
			}
			across[y*f.w+x] = s
		}
	}
	for y := range f.h {
		to := out[y*f.w : (y+1)*f.w]
		for j, q := range k {
			from := across[min(max(y+j-n, 0), f.h-1)*f.w:][:f.w]
			for x, v := range from {
				to[x] += q * v
			}
		}
	}
	return out
}

func (f *field) blur(sigma float64) {
	if sigma > .15 {
		f.v = f.blurred(sigma)
	}
}

// smear averages along a line of the given length: motion.
func (f *field) smear(length, angle float64) {
	n := max(2, int(length*2))
	s, c := math.Sincos(angle)
	out := make([]float32, len(f.v))
	for i := range n {
		t := (float64(i)/float64(n-1) - .5) * length
		for y := range f.h {
			for x := range f.w {
				out[y*f.w+x] += f.at(float64(x)+t*c, float64(y)+t*s) / float32(n)
			}
		}
	}
	f.v = out
}

// resized is the picture at w × h. A smaller one is averaged, a larger one
// interpolated: linearly or, sharper, with the cubic of Keys (a = -0.75, as
// OpenCV has it).
func (f *field) resized(w, h int, cubic bool) field {
	tall := field{w: f.w, h: h, v: make([]float32, f.w*h)}
	for y, t := range taps(f.h, h, cubic) {
		to := tall.v[y*f.w : (y+1)*f.w]
		for i, q := range t.weight {
			from := f.v[min(max(t.first+i, 0), f.h-1)*f.w:][:f.w]
			for x, v := range from {
				to[x] += q * v
			}
		}
	}
	out := field{w: w, h: h, v: make([]float32, w*h)}
	for x, t := range taps(f.w, w, cubic) {
		for y := range h {
			var s float32
			for i, q := range t.weight {
				s += q * tall.v[y*f.w+min(max(t.first+i, 0), f.w-1)]
			}
			out.v[y*w+x] = s
		}
	}
	return out
}

type tap struct {
	first  int
	weight []float32
}

// taps are the weights that make to samples from n.
func taps(n, to int, cubic bool) []tap {
	scale := float64(n) / float64(to)
	wide := max(1, scale)
	reach := 1.
	if cubic && scale < 1 {
		reach = 2
	}
	out := make([]tap, to)
	for i := range out {
		c := (float64(i)+.5)*scale - .5
		first := int(math.Ceil(c - reach*wide))
		t := tap{first: first}
		sum := float32(0)
		for j := first; float64(j) <= c+reach*wide; j++ {
			q := float32(kernel(math.Abs(float64(j)-c)/wide, reach == 2))
			t.weight = append(t.weight, q)
			sum += q
		}
		for j := range t.weight {
			t.weight[j] /= sum
		}
		out[i] = t
	}
	return out
}

func kernel(x float64, cubic bool) float64 {
	const a = -.75
	switch {
	case !cubic:
		return max(0, 1-x)
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}
