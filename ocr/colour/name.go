package colour

import (
	"cmp"
	"math"
	"slices"

	"platewatch/ocr/text"
)

// told is the distribution over the names, from the patches and the plate's
// ground, which is the measure of brightness and, where it is whitish, of the
// light's colour.
//
// The bounds below are of hue (degrees), saturation and brightness over the
// plate's ground, as the words are commonly used; those of black and white lie
// between labelled black, grey and white cars.
func told(patches []patch, ground rgb) []text.Alternative {
	light := lightOf(ground)
	shares, colourful, level, even := survey(patches, light)

	var p [len(names)]float64
	// A body has one colour: its patches agree. Glass, rubber, chrome and
	// reflections have none, so a third of the patches is enough.
	const needed, slope = 0.33, 0.06
	most, squares := 0.0, 0.0
	for _, s := range shares[firstHue:] {
		most, squares = max(most, s), squares+s*s
	}
	chromatic := rises(most+(colourful-most)/2, needed, slope)
	for i := firstHue; i < len(names); i++ {
		p[i] = chromatic * shares[i] * shares[i] / max(squares, 1e-9)
	}
	const toBlack, blackSlope, toWhite, whiteSlope = -1.75, 0.35, 0.34, 0.25
	// White paint is as bright from everywhere, metallic paint is not.
	dark, bright := 1-rises(level, toBlack, blackSlope), rises(level+even/2, toWhite, whiteSlope)
	p[0], p[1], p[2] = (1-chromatic)*dark, (1-chromatic)*bright, (1-chromatic)*max(0, 1-dark-bright)

	var out []text.Alternative
	for i, v := range p {
		const least = 0.01
		v *= mostSure
		if slices.Contains(deep, names[i]) {
			v = min(v, deepSure)
		}
		if v >= least {
			out = append(out, text.Alternative{Text: names[i], Confidence: v})
		}
	}
	slices.SortStableFunc(out, func(a, b text.Alternative) int { return cmp.Compare(b.Confidence, a.Confidence) })
	if len(out) == 0 || out[0].Confidence < leastSure {
		return nil
	}
	return out
}

// firstHue is the first name that is a hue.
const firstHue = 3

// light is the light, as the plate's ground shows it.
type light struct {
	reference float64 // brightness of a white surface, 0–255
	gain      rgb     // makes a whitish ground more neutral
	blue      float64 // how much bluer than red the ground is, 0–1: shade, lit by the sky
}

// lightOf judges the light by a whitish ground. A yellow ground says nothing of
// it; a blue one does, because no series has it: it is a white one in the shade.
func lightOf(ground rgb) light {
	const (
		whitish  = 0.25 // saturation
		shaded   = 0.6  // the same, of a blue one
		darkest  = 60
		strength = 0.8 // grounds are not quite white themselves
	)
	top := max(ground.max(), 1)
	saturation, hue := (top-ground.min())/top, ground.hue()
	l := light{reference: max(ground.max(), darkest), gain: rgb{1, 1, 1}, blue: max(0, ground.b-ground.r) / top}
	if saturation < whitish || saturation < shaded && hue > 185 && hue < 265 {
		m := ground.mean()
		of := func(v float64) float64 { return math.Pow(m/max(v, 1), strength) }
		l.reference, l.gain = max(m, darkest), rgb{of(ground.r), of(ground.g), of(ground.b)}
	}
	return l
}

// survey weighs the patches: the share of each name that is a hue, the sum of
// the shares, the body's brightness, and how even it is.
func survey(patches []patch, l light) (shares [len(names)]float64, colourful, level, even float64) {
	var levels []lit
	total := 0.0
	for _, p := range patches {
		c := p.colour.times(l.gain)
		bright := c.mean() / l.reference
		w := p.weight(l.reference)
		if p.mirror < 0 {
			w *= alone
		} else {
			w *= p.symmetry(&patches[p.mirror], l.reference)
		}
		levels = append(levels, lit{bright, w})
		w *= 0.5 + 0.5*rises(bright, 0.12, 0.04) // what is nearly black shows little colour
		total += w
		for i, s := range hues(c, l) {
			shares[i] += w * s
		}
	}
	for i := range shares {
		shares[i] /= max(total, 1e-9)
		colourful += shares[i]
	}
	level, even = brightness(levels, l.reference)
	return shares, colourful, level, even
}

// alone is the weight of a patch whose mirror image is not in the picture.
const alone = 0.6

// symmetry is how much a patch counts beside its mirror image at the plate's other
// side. Vehicles are symmetric; other cars, shadows, the road's edge and what is
// seen past a corner of the body are not.
func (p *patch) symmetry(q *patch, reference float64) float64 {
	const least, light, hue, noise = 0.3, 0.45, 0.5, 8
	a, b := p.colour, q.colour
	d := math.Log((a.mean()+noise)/(b.mean()+noise)) / light
	h := (math.Abs(a.r-a.b-b.r+b.b) + math.Abs(a.r-a.g-b.r+b.g)) / reference / hue
	return least + (1-least)*math.Exp(-d*d-h*h)
}

// lit is the brightness of a patch over the reference.
type lit struct{ level, weight float64 }

// brightness tells white, grey and black apart, as a logarithm: bodies reflect sky
// and road, and plates are brighter or darker than the body's light, so that no
// single measure does. It is the 80th percentile, with half of the most common
// brightness, half of the 70th percentile, and a little of the picture's own scale.
// even is how much of the body has about its most common brightness, 0 to 2.
func brightness(levels []lit, reference float64) (level, even float64) {
	slices.SortFunc(levels, func(a, b lit) int { return cmp.Compare(a.level, b.level) })
	all := 0.0
	for _, l := range levels {
		all += l.weight
	}
	percentile := func(share float64) float64 {
		sum := 0.0
		for _, l := range levels {
			if sum += l.weight; sum >= share*all {
				return math.Log(max(l.level, 0.02))
			}
		}
		return 0
	}
	common, weight := mostCommon(levels)
	return percentile(0.8) + common/2 + percentile(0.7)/2 + 0.3*math.Log(reference/255), weight / all
}

// mostCommon is the logarithm of the brightness that most of the body has, and the
// weight of the patches about it, those of the same bin twice.
func mostCommon(levels []lit) (level, weight float64) {
	const bins, from, to = 24, -3.0, 0.8
	var counts [bins + 2]float64 // one more at each end
	for _, l := range levels {
		if i := int(math.Floor((math.Log(l.level+0.02) - from) / (to - from) * bins)); i >= 0 && i < bins {
			counts[i+1] += l.weight
		}
	}
	best := 0
	for i := 1; i <= bins; i++ {
		if n := counts[i-1] + 2*counts[i] + counts[i+1]; n > weight {
			best, weight = i-1, n
		}
	}
	return from + (to-from)/bins*float64(best), weight
}

// weight is how much a patch counts: less towards the lamps, below the plate,
// where bumpers and shadows are, and where there is texture (grilles, asphalt).
func (p *patch) weight(reference float64) float64 {
	w := rises(-math.Abs(p.x), -5.4, 0.7) * rises(p.y, -3.1, 0.45)
	if p.y > plateY {
		w *= 0.4
	}
	t := p.texture / (0.3*reference + 6)
	return w*math.Exp(-t*t) + 1e-9
}

// hues is how much a patch has each name that is a hue; together at most 1.
func hues(c rgb, l light) (out [len(names)]float64) {
	top := c.max()
	chroma := top - c.min()
	saturation := chroma / max(top, 1e-6)
	hue := c.hue()
	within := func(from, to, soft float64) float64 {
		d := math.Abs(math.Mod(hue-(from+to)/2+540, 360) - 180)
		return rises((to-from)/2-d, 0, soft)
	}
	// Every paint reflects the cold light of the sky: blue and green need more, and
	// more yet in the shade.
	needed := 0.18 + (0.18+min(0.5*l.blue, 0.24))*within(150, 285, 10)
	strong := rises(saturation, needed, 0.04) * rises(chroma/255, 0.04, 0.015)
	weak := rises(saturation, 0.24, 0.03) * rises(chroma/255, 0.035, 0.01)
	bright := rises(top/l.reference, 0.45, 0.06)
	out[3] = within(335, 373, 5) * strong // red
	out[4] = within(196, 280, 6) * strong // blue
	out[5] = within(72, 196, 6) * strong  // green
	out[7] = within(15, 34, 4) * strong * bright * rises(saturation, 0.5, 0.05)
	out[6] = within(36, 66, 4) * strong * bright * rises(saturation, 0.42, 0.05)
	out[8] = max(0, within(10, 62, 5)*weak-out[6]-out[7]) // brown and beige: dark or pale orange
	sum := 0.0
	for _, v := range out {
		sum += v
	}
	for i := range out {
		out[i] /= max(sum, 1)
	}
	return out
}

// hue is in degrees, 0 red, 120 green, 240 blue.
func (c rgb) hue() float64 {
	d := max(c.max()-c.min(), 1e-6)
	switch c.max() {
	case c.r:
		return 60 * math.Mod((c.g-c.b)/d+6, 6)
	case c.g:
		return 60 * ((c.b-c.r)/d + 2)
	}
	return 60 * ((c.r-c.g)/d + 4)
}

// rises is the logistic function: 0.5 at middle, 0.73 one width above.
func rises(x, middle, width float64) float64 { return 1 / (1 + math.Exp(-(x-middle)/width)) }
