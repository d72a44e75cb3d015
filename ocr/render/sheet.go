package render

import (
	"image"
	"maps"
	"math/rand/v2"
	"slices"

	"platewatch/ocr/render/paint"
)

// GlyphSheet draws the characters of every die, cap pixels high, and of more
// random ones, for a person to judge the shapes.
func GlyphSheet(capHeight, more int) *image.RGBA {
	var all []*Die
	for _, n := range slices.Sorted(maps.Keys(dies)) {
		all = append(all, dies[n])
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range more {
		all = append(all, RandomDie(r))
	}
	k := float64(capHeight)
	var p Press
	p.c.Resize(capHeight*32, int(k*1.35*float64(len(all)))+capHeight/2)
	p.c.Clear(paint.RGB(0xFFFFFF))
	for i, d := range all {
		x, y := k*.3, k*.35+k*1.35*float64(i)
		for _, ch := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-" {
			if g := d.glyph(ch); g != nil {
				p.glyph(g, x, y, k/100, k/100, 1, paint.Solid(paint.RGB(0x18181C)))
				x += g.width*k/100 + k*.2
			}
		}
	}
	return p.c.Image
}
