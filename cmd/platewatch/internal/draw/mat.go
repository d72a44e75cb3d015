package draw

import (
	"image"
	"image/color"

	"gocv.io/x/gocv"
)

// canvas draws directly into a BGR Mat.
type canvas struct {
	pix  []uint8
	w, h int
}

// canvasOn is a canvas on a continuous 8-bit BGR Mat. It is valid only as long
// as the Mat is open.
func canvasOn(m gocv.Mat) (canvas, bool) {
	pix, err := m.DataPtrUint8()
	if err != nil || m.Type() != gocv.MatTypeCV8UC3 {
		return canvas{}, false
	}
	return canvas{pix, m.Cols(), m.Rows()}, true
}

func (c canvas) ColorModel() color.Model { return color.RGBAModel }

func (c canvas) Bounds() image.Rectangle { return image.Rect(0, 0, c.w, c.h) }

func (c canvas) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(c.Bounds()) {
		return color.RGBA{}
	}
	p := c.pix[3*(y*c.w+x):]
	return color.RGBA{R: p[2], G: p[1], B: p[0], A: 255}
}

// Set stores an opaque colour.
func (c canvas) Set(x, y int, to color.Color) {
	if !(image.Point{X: x, Y: y}).In(c.Bounds()) {
		return
	}
	r, g, b, _ := to.RGBA()
	p := c.pix[3*(y*c.w+x):]
	p[0], p[1], p[2] = uint8(b>>8), uint8(g>>8), uint8(r>>8)
}
