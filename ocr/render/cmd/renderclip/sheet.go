package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"

	"platewatch/ocr/render"
)

// writePlateSheet draws each layout three times.
func writePlateSheet(path string, seed uint64, wear float64) error {
	img := image.NewRGBA(image.Rect(0, 0, 1560, 2400))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{84, 86, 90, 255}), image.Point{}, draw.Src)
	x, y, tall := 8, 8, 0
	for i, name := range render.LayoutNames() {
		for j := range 3 {
			p, _, err := render.Plate(render.PlateSpec{Layout: name, Scale: .7, Seed: seed + uint64(3*i+j), Wear: wear * float64(j), Frame: j == 1})
			if err != nil {
				return err
			}
			if x+p.Rect.Dx() > 1552 {
				x, y, tall = 8, y+tall+8, 0
			}
			draw.Draw(img, p.Rect.Add(image.Pt(x, y)), p, image.Point{}, draw.Src)
			x, tall = x+p.Rect.Dx()+8, max(tall, p.Rect.Dy())
		}
	}
	return writePNG(path, img.SubImage(image.Rect(0, 0, 1560, y+tall+8)))
}

// writeGlyphSheet draws every die's characters, then some drawn at random.
func writeGlyphSheet(path string) error {
	img := render.GlyphSheet(64, 12)
	return writePNG(path, img)
}

func writePNG(path string, img image.Image) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if err := png.Encode(f, img); err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	return nil
}
