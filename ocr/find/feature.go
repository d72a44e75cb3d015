package find

import (
	"cmp"
	"math"
	"slices"

	"platewatch/ocr/internal/shape"
	"platewatch/ocr/internal/stat"
)

// Features are the properties of a chain that the ranker weighs, each scaled
// to lie roughly within 0–3. [FeatureNames] says what they are.
//
// Most are properties of form. The ranker is fitted to rendered pictures, and
// properties in which those differ from photographs (the size and contrast of
// plates, the clutter of bumpers) would mislead it: with the characters' height
// and width, the contrast of the strokes and the like it put the plate first on
// 77 % of frames/br, without them on 98 %, when it was first fitted.
type Features [featureCount]float64

// FeatureNames names the features in the order of [Features].
var FeatureNames = [featureCount]string{
	fLetters3: "3 letters", fLetters4: "4 letters", fLetters5: "5 letters", fLetters6: "6 letters",
	fLetters7: "7 letters", fLetters8: "8 letters", fLetters9: "9 or more letters",
	fSlope:        "slope",
	fHeightSpread: "spread of heights", fPitch: "pitch", fPitchSpread: "spread of pitches",
	fFill: "fill of letters", fBars: "letters that are bars", fWidthSpread: "spread of widths", fAbsorbed: "parts absorbed",
	fContrast:  "contrast",
	fQuietSide: "gradient above or below, the weaker, to that inside",
	fPurity:    "ink that belongs to the letters", fGround: "brightness of the ground",
	fMaps: "maps that agree", fLength: "length", fLength2: "length squared", fLight: "light on dark",
}

const (
	fLetters3 = iota
	fLetters4
	fLetters5
	fLetters6
	fLetters7
	fLetters8
	fLetters9
	fSlope
	fHeightSpread
	fPitch
	fPitchSpread
	fFill
	fBars
	fWidthSpread
	fAbsorbed
	fContrast
	fQuietSide
	fPurity
	fGround
	fMaps
	fLength
	fLength2
	fLight
	featureCount
)

// narrow is the width of a bar, in heights: a 1 or an I, or a fence's.
const narrow = 0.3

// measures are a chain's properties in pixels of the map it was seen on.
type measures struct {
	line
	letters      int
	light        bool    // light characters on a dark ground
	height       float64 // median of the letters
	x0, x1       float64 // ends, absorbed parts included
	heightSpread float64 // standard deviation / height
	pitch        float64 // median distance of middles / height
	pitchSpread  float64
	fill         float64 // median area / bounding box
	bars         float64 // share of the letters that are as narrow as a 1
	widthSpread  float64 // standard deviation / height
	absorbed     int
	contrast     float64 // ground − ink, grey levels
	ground       float64 // grey level
	strokes      float64 // mean horizontal gradient inside
	above, below float64 // the same just above and below the line
	purity       float64 // set pixels that belong to the letters
}

// measure computes a chain's measures. parts are all shapes of the map: those on
// the line that are not letters themselves (merged, broken) lengthen it.
func measure(ch chain, parts []shape.Shape, grey, gradient shape.Plane, binary *shape.Bits, light bool) measures {
	n := len(ch)
	column := make([]float64, 0, 4*maxChain)
	each := func(of func(i int, s shape.Shape) float64) []float64 {
		column = column[:0]
		for i, s := range ch {
			column = append(column, of(i, s))
		}
		return column
	}
	m := measures{letters: n, light: light, line: fitLine(func(yield func(x, y float64)) {
		for _, s := range ch {
			yield(s.CX, s.CY)
		}
	})}
	heights := each(func(_ int, s shape.Shape) float64 { return s.H })
	spread := stat.Deviation(heights)
	m.height = stat.Median(heights)
	H := m.height
	m.heightSpread = spread / H
	m.fill = stat.Median(each(func(_ int, s shape.Shape) float64 { return s.Area / (s.W * s.H) }))
	m.widthSpread = stat.Deviation(each(func(_ int, s shape.Shape) float64 { return s.W })) / H
	ink := 0.0
	for _, s := range ch {
		ink += s.Area
		if s.W < narrow*s.H {
			m.bars += 1 / float64(n)
		}
	}
	// The steps between middles; a separator's wide step must not dominate.
	steps := each(func(i int, s shape.Shape) float64 { return s.CX - ch[max(0, i-1)].CX })[1:]
	for i := range steps {
		steps[i] = min(steps[i], 1.6*H)
	}
	m.pitchSpread = stat.Deviation(steps) / H
	m.pitch = stat.Median(steps) / H

	m.x0, m.x1 = ch[0].X, ch[n-1].X+ch[n-1].W
	for _, s := range ch {
		m.x0, m.x1 = min(m.x0, s.X), max(m.x1, s.X+s.W)
	}
	m.absorb(parts)
	m.look(ink, grey, gradient, binary)
	return m
}

// absorb lengthens the line by parts of about its height that adjoin either
// end, up to 11 character heights in all. parts are sorted by their upper edge,
// as [shape.Bits.Each] gives them.
func (m *measures) absorb(parts []shape.Shape) {
	H := m.height
	// Nothing beyond this reach can be added, and nothing whose upper edge is
	// not about half a character above the line there.
	const reach = 15
	left, right := m.at(m.x0-reach*H), m.at(m.x1+reach*H)
	off := 0.2*H + 0.03*(m.x1-m.x0+2*reach*H)
	highest, lowest := min(left, right)-off-0.7*H, max(left, right)+off-0.3*H
	first, _ := slices.BinarySearchFunc(parts, highest, func(s shape.Shape, y float64) int { return cmp.Compare(s.Y, y) })
	var on []shape.Shape
	for _, s := range parts[first:] {
		if s.Y > lowest {
			break
		}
		if s.H > 0.62*H && s.H < 1.38*H && s.W > 0.08*H && s.W < 2.7*H &&
			math.Abs(s.CY-m.at(s.CX)) < 0.2*H+0.03*math.Abs(s.CX-m.line.x0) {
			on = append(on, s)
		}
	}
	for grown := true; grown && m.x1-m.x0 < 11*H; {
		grown = false
		for _, s := range on {
			switch end := s.X + s.W; {
			case s.X > m.x1-0.3*H && end > m.x1+0.05*H && s.X-m.x1 < H:
				m.x1, grown = end, true
				m.absorbed++
			case end < m.x0+0.3*H && s.X < m.x0-0.05*H && m.x0-end < H:
				m.x0, grown = s.X, true
				m.absorbed++
			}
		}
	}
}

// look measures the picture along the line: ink against ground, and the gradient
// inside compared with just above and below. ink is the letters' area.
func (m *measures) look(ink float64, grey, gradient shape.Plane, binary *shape.Bits) {
	H := m.height
	x0, x1 := max(0, int(m.x0)-1), min(grey.W, int(math.Ceil(m.x1))+1)
	// A leaning line is followed in steps of a few tenths of the characters' height.
	parts := 1
	if rise := math.Abs(m.slope) * (m.x1 - m.x0); rise > 0.5*H {
		parts = int(math.Ceil(rise / (0.3 * H)))
	}
	var hist [256]int
	set, wide := 0, float64(x1-x0)
	for i := range parts {
		a, b := x0+i*(x1-x0)/parts, x0+(i+1)*(x1-x0)/parts
		cy := m.at((m.x0 + m.x1) / 2)
		if parts > 1 {
			cy = m.at(float64(a+b) / 2)
		}
		y0, y1 := max(0, int(cy-0.55*H)), min(grey.H, int(cy+0.55*H)+1)
		for y := y0; y < y1; y++ {
			for _, v := range grey.Pix[y*grey.W+a : y*grey.W+b] {
				hist[v]++
			}
			set += binary.Set(a, b, y)
		}
		share := float64(b-a) / wide
		m.strokes += share * gradient.Mean(a, y0, b, y1)
		m.above += share * gradient.Mean(a, int(cy-1.35*H), b, int(cy-0.75*H))
		m.below += share * gradient.Mean(a, int(cy+0.75*H), b, int(cy+1.35*H)+1)
	}
	dark, light := otsu(&hist)
	m.contrast, m.ground = light-dark, light
	if m.light { // the features are those of the picture's negative
		m.ground = 255 - dark
	}
	m.purity = min(1.2, ink/max(1, float64(set)))
}

// features scales the measures for the ranker. The number of maps that agree is
// added in [rank], when all chains are known.
func (m *measures) features() Features {
	var f Features
	f[min(max(m.letters, 3), 9)-3] = 1
	long := min(3, (m.x1-m.x0)/m.height/4)
	f[fSlope] = 5 * math.Abs(m.slope)
	f[fHeightSpread] = 10 * m.heightSpread
	f[fPitch] = m.pitch
	f[fPitchSpread] = 3 * m.pitchSpread
	f[fFill] = m.fill
	f[fBars] = 2 * m.bars
	f[fWidthSpread] = 8 * m.widthSpread
	f[fAbsorbed] = min(3, float64(m.absorbed)) / 2
	f[fContrast] = m.contrast / 64
	f[fQuietSide] = min(m.above, m.below) / (m.strokes + 4)
	f[fPurity] = m.purity
	f[fGround] = m.ground / 128
	f[fLength], f[fLength2] = long, long*long
	if m.light {
		f[fLight] = 1
	}
	return f
}

// otsu splits a histogram where the classes differ most and returns their
// means. N. Otsu, A threshold selection method from gray-level histograms, 1979.
func otsu(hist *[256]int) (dark, light float64) {
	var n, sum float64
	for v, c := range hist {
		n += float64(c)
		sum += float64(v * c)
	}
	if n == 0 {
		return 0, 0
	}
	best, below, belowSum := -1.0, 0.0, 0.0
	for v, c := range hist {
		below += float64(c)
		belowSum += float64(v * c)
		if below == 0 || below == n {
			continue
		}
		d, l := belowSum/below, (sum-belowSum)/(n-below)
		if between := below * (n - below) * (l - d) * (l - d); between > best {
			best, dark, light = between, d, l
		}
	}
	if best < 0 { // one grey value only
		return sum / n, sum / n
	}
	return dark, light
}
