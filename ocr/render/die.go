package render

import (
	"math/rand/v2"
	"sync"
)

// One is the way a die cuts the figure 1.
type One uint8

const (
	OneFlag One = iota // a stem with a flag
	OneBar             // a bare stem
	OneSlab            // a stem with a flag and a foot
)

// Die describes a set of plate characters by a few measures, the way plate
// dies differ from each other. All lengths are in 1/100 of the capital height.
// Its glyphs are drawn by this package: no font is needed.
type Die struct {
	Name        string
	Width       float64 // box of a normal character
	Stroke      float64
	Round       float64 // corner radius of bowls / half their width: 1 is a half circle
	Tall        float64 // vertical / horizontal corner radius: above 1 the bowls are ellipses
	Kappa       float64 // handle of the corner curve: 0.5523 round, 0.75 squarish
	Waist       float64 // height of the middle bar, 0 top – 1 bottom
	Open        float64 // how far the arms of C, G, S come down, as a share of the height
	Spine       float64 // slope of the S: half the drop of its middle, as a share of the height
	Apex        float64 // half the flat top of the A, in strokes
	MWidth      float64 // width of the M / normal width
	WWidth      float64
	ZeroWidth   float64
	NarrowWidth float64 // of E, F, J, L
	MDepth      float64 // how deep the middle of the M comes down, 1 = to the line
	WDepth      float64 // how high the middle of the W goes up, 1 = to the top
	WThin       float64 // width of the W's inner legs / Stroke
	WFoot       float64 // where the feet of the W stand, as a share of the width
	Flag        float64 // drop of the flag of the 1
	One         One
	End         int // capButt or capRound
	SlabI       bool
	SpurG       bool // the bar of the G crosses its stem
	BarJ        bool
	OpenFour    bool
	FlatThree   bool
	SlantSix    bool
	SlashZero   bool

	mu     sync.Mutex
	glyphs map[rune]*glyph
}

// glyph is the finished shape of one character: convex polygons of one
// orientation in the die's units.
type glyph struct {
	width float64
	polys [][]Point
}

// glyph returns the shape of ch, nil if the die does not have it.
func (d *Die) glyph(ch rune) *glyph {
	d.mu.Lock()
	defer d.mu.Unlock()
	if g, ok := d.glyphs[ch]; ok {
		return g
	}
	var g *glyph
	if s, w, ok := d.skeleton(ch); ok {
		g = &glyph{width: w}
		for _, k := range s {
			g.polys = append(g.polys, k.outline(d.Stroke, d.Kappa, w, 100)...)
		}
	}
	if d.glyphs == nil {
		d.glyphs = make(map[rune]*glyph)
	}
	d.glyphs[ch] = g
	return g
}

const round = 0.5523

// Dies are the sets of characters that the layouts use, by name. They follow
// the proportions of real dies, not their exact drawings.
var dies = map[string]*Die{
	// DIN 1451 middle width, as on Dutch, Austrian, Slovak and many other plates.
	"din": {Width: 57, Stroke: 14, Round: 1, Tall: 1.12, Kappa: round, Waist: .49, Open: .27, Spine: .01, Apex: .35,
		MWidth: 1.18, WWidth: 1.36, WThin: .9, ZeroWidth: 1, NarrowWidth: .93, MDepth: .62, WDepth: .72, WFoot: .24, Flag: .26, OpenFour: false, SpurG: false},
	// narrow European, French and Italian series
	"narrow": {Width: 50, Stroke: 12.5, Round: 1, Tall: 1.15, Kappa: round, Waist: .48, Open: .25, Spine: .02, Apex: .3,
		MWidth: 1.22, WWidth: 1.3, ZeroWidth: .98, NarrowWidth: .94, MDepth: .55, WDepth: .62, WFoot: .25, Flag: .25, SpurG: true},
	// FE: forgery-hindering German series
	"fe": {Width: 60, Stroke: 13, Round: .95, Tall: 1.05, Kappa: .6, Waist: .48, Open: .26, Spine: .03, Apex: .5,
		MWidth: 1.05, WWidth: 1.08, ZeroWidth: .94, NarrowWidth: .92, MDepth: .5, WDepth: .55, WFoot: .2, WThin: .85, Flag: .2, One: OneSlab, SlabI: true, SpurG: true, FlatThree: false},
	// Charles Wright 2001, United Kingdom
	"uk": {Width: 63, Stroke: 17, Round: .98, Tall: 1.08, Kappa: .58, Waist: .49, Open: .3, Spine: .0, Apex: .3,
		MWidth: 1, WWidth: 1, ZeroWidth: 1, NarrowWidth: 1, MDepth: .6, WDepth: .62, WFoot: .21, WThin: .72, Flag: .2, One: OneBar},
	// embossed narrow, most states of the US
	"us": {Width: 47, Stroke: 11, Round: .8, Tall: 1, Kappa: .62, Waist: .48, Open: .26, Spine: .0, Apex: .3,
		MWidth: 1.1, WWidth: 1.12, ZeroWidth: 1, NarrowWidth: .96, MDepth: .5, WDepth: .5, WFoot: .2, WThin: .85, Flag: .18, One: OneSlab, SlabI: true, End: capRound},
	// the wider US series with half-round bowls and blunt ends
	"usflat": {Width: 52, Stroke: 12.5, Round: 1, Tall: 1.05, Kappa: round, Waist: .48, Open: .26, Spine: .02, Apex: .3,
		MWidth: 1.12, WWidth: 1.2, ZeroWidth: .96, NarrowWidth: .94, MDepth: .6, WDepth: .62, WFoot: .24, Flag: .22, One: OneSlab, SlabI: true, SpurG: true, OpenFour: false},
	// Mandatory, the wide Brazilian series until 2018
	"br": {Width: 70, Stroke: 14, Round: .62, Tall: 1.15, Kappa: .6, Waist: .49, Open: .27, Spine: .02, Apex: .3,
		MWidth: 1.1, WWidth: 1.2, ZeroWidth: .88, NarrowWidth: .86, MDepth: .7, WDepth: .8, WFoot: .24, Flag: .2, One: OneBar},
	// thin wide lettering of captions, brands and signs
	"caption": {Width: 64, Stroke: 12, Round: 1, Tall: 1.15, Kappa: round, Waist: .49, Open: .26, Spine: .02, Apex: .3,
		MWidth: 1.2, WWidth: 1.4, ZeroWidth: .9, NarrowWidth: .82, MDepth: .8, WDepth: .8, WFoot: .24, Flag: .24},
	"bold": {Width: 74, Stroke: 20, Round: 1, Tall: 1.1, Kappa: round, Waist: .48, Open: .28, Spine: .02, Apex: .3,
		MWidth: 1.2, WWidth: 1.35, ZeroWidth: .92, NarrowWidth: .84, MDepth: .7, WDepth: .75, WFoot: .24, Flag: .24},
}

// RandomDie draws a die that no real plate has but one could: the measures of
// the known ones varied together. It is what training plates are made with.
func RandomDie(r *rand.Rand) *Die {
	u := func(lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }
	flip := func(p float64) bool { return r.Float64() < p }
	d := &Die{
		Name: "random", Width: u(40, 78), Stroke: u(9, 18), Round: u(.55, 1), Tall: u(.9, 1.3), Kappa: u(.5, .72),
		Waist: u(.45, .52), Open: u(.2, .31), Spine: u(0, .04), Apex: u(.1, .6), MWidth: u(1, 1.25), WWidth: u(1, 1.4),
		ZeroWidth: u(.85, 1), NarrowWidth: u(.85, 1), MDepth: u(.45, 1), WDepth: u(.4, 1), WThin: u(.75, 1), WFoot: u(.12, .28), Flag: u(.12, .3),
		One: One(r.IntN(3)), SlabI: flip(.4), SpurG: flip(.5), BarJ: flip(.2), OpenFour: flip(.25), FlatThree: flip(.25),
		SlantSix: flip(.3), SlashZero: flip(.03),
	}
	d.Stroke = min(d.Stroke, d.Width*.27)
	if flip(.35) {
		d.End = capRound
	}
	return d
}

// textWidth is the width of s in millimetres at capital height h, with gap
// between characters (both in millimetres) and spaces of space millimetres.
func (d *Die) textWidth(s string, h, gap, space float64) float64 {
	w, n := 0.0, 0
	for _, ch := range s {
		if ch == ' ' {
			w += space
			continue
		}
		if g := d.glyph(ch); g != nil {
			w += g.width*h/100 + gap
			n++
		}
	}
	if n > 0 {
		w -= gap
	}
	return w
}
