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
// plate's ground, as the words are commonly used; those of black and white are
// where the upper third of the body's brightness lies between labelled black,
// grey and white cars (0.30, 0.83 and 1.12 of the plate's at the median).
func told(patches []patch, ground rgb) []text.Alternative {
	reference, gain := balance(ground)
	shares, colourful, level := survey(patches, reference, gain)

	var p [len(names)]float64
	// A body has one colour: its patches agree. Glass, rubber, chrome and
	// reflections have none, so a third of the patches is enough.
	const needed, slope = 0.30, 0.06
	most, squares := 0.0, 0.0
	for _, s := range shares[firstHue:] {
		most, squares = max(most, s), squares+s*s
	}
	chromatic := rises(most+(colourful-most)/2, needed, slope)
	for i := firstHue; i < len(names); i++ {
		p[i] = chromatic * shares[i] * shares[i] / max(squares, 1e-9)
	}
	const toBlack, blackSlope, toWhite, whiteSlope = 0.44, 0.18, 1.0, 0.13
	l := math.Log(max(level, 0.02))
	dark, bright := 1-rises(l, math.Log(toBlack), blackSlope), rises(l, math.Log(toWhite), whiteSlope)
	p[0], p[1], p[2] = (1-chromatic)*dark, (1-chromatic)*bright, (1-chromatic)*max(0, 1-dark-bright)

	var out []text.Alternative
	for i, v := range p {
		const least = 0.01
		if v *= mostSure; v >= least {
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

// balance returns the brightness of the plate's ground, and the gains that make
// a whitish ground more neutral. A yellow ground says nothing of the light.
func balance(ground rgb) (reference float64, gain rgb) {
	const (
		whitish  = 0.25 // saturation
		darkest  = 60
		strength = 0.8 // grounds are not quite white themselves
	)
	if (ground.max()-ground.min())/max(ground.max(), 1) >= whitish {
		return max(ground.max(), darkest), rgb{1, 1, 1}
	}
	m := ground.mean()
	of := func(v float64) float64 { return math.Pow(m/max(v, 1), strength) }
	return max(m, darkest), rgb{of(ground.r), of(ground.g), of(ground.b)}
}

// survey weighs the patches: the share of each name that is a hue, the sum of
// the shares, and the 70th percentile of brightness over the reference.
func survey(patches []patch, reference float64, gain rgb) (shares [len(names)]float64, colourful, level float64) {
	type lit struct{ level, weight float64 }
	var levels []lit
	total, all := 0.0, 0.0
	for _, p := range patches {
		c := p.colour.times(gain)
		light := c.mean() / reference
		w := p.weight(reference)
		levels = append(levels, lit{light, w})
		all += w
		w *= 0.5 + 0.5*rises(light, 0.12, 0.04) // what is nearly black shows little colour
		total += w
		for i, s := range hues(c, reference) {
			shares[i] += w * s
		}
	}
	for i := range shares {
		shares[i] /= max(total, 1e-9)
		colourful += shares[i]
	}
	slices.SortFunc(levels, func(a, b lit) int { return cmp.Compare(a.level, b.level) })
	sum := 0.0
	for _, l := range levels {
		if sum += l.weight; sum >= 0.7*all {
			return shares, colourful, l.level
		}
	}
	return shares, colourful, 0
}

// weight is how much a patch counts: less towards the lamps, below the plate,
// where bumpers and shadows are, and where there is texture (grilles, asphalt).
func (p *patch) weight(reference float64) float64 {
	w := rises(-math.Abs(p.x), -5.4, 0.7) * rises(p.y, -3.1, 0.45)
	if p.y > plateY {
		w *= 0.4
	}
	t := p.texture / (0.12*reference + 6)
	return w*math.Exp(-t*t) + 1e-9
}

// hues is how much a patch has each name that is a hue; together at most 1.
func hues(c rgb, reference float64) (out [len(names)]float64) {
	top := c.max()
	chroma := top - c.min()
	saturation := chroma / max(top, 1e-6)
	hue := c.hue()
	within := func(from, to, soft float64) float64 {
		d := math.Abs(math.Mod(hue-(from+to)/2+540, 360) - 180)
		return rises((to-from)/2-d, 0, soft)
	}
	// Every paint reflects the cold light of the sky: blue and green need more.
	needed := 0.18 + 0.28*within(150, 285, 10)
	strong := rises(saturation, needed, 0.04) * rises(chroma/255, 0.04, 0.015)
	weak := rises(saturation, 0.20, 0.03) * rises(chroma/255, 0.035, 0.01)
	bright := rises(top/reference, 0.45, 0.06)
	out[3] = within(335, 373, 5) * strong // red
	out[4] = within(190, 280, 6) * strong // blue
	out[5] = within(72, 190, 6) * strong  // green
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
