package draw

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Typefaces: words, and plates' texts, in which 0 and O, 1 and I must differ.
var (
	words  = sync.OnceValue(func() *opentype.Font { return parse(goregular.TTF) })
	plates = sync.OnceValue(func() *opentype.Font { return parse(gomonobold.TTF) })
)

func parse(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic("draw: a built-in typeface does not parse: " + err.Error())
	}
	return f
}

// writer writes text of one typeface and size. It is not safe for use by
// several goroutines at once.
type writer struct {
	face            font.Face
	ascent, descent int // pixels above and below the base line
}

// newWriter makes a writer for letters of the given size in pixels (the em).
func newWriter(f *opentype.Font, size float64) *writer {
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("draw: a built-in typeface has no face: " + err.Error())
	}
	m := face.Metrics()
	return &writer{face, m.Ascent.Ceil(), m.Descent.Ceil()}
}

// height is that of a line, in pixels.
func (w *writer) height() int { return w.ascent + w.descent }

// width is that of a text, in pixels.
func (w *writer) width(text string) int { return font.MeasureString(w.face, text).Ceil() }

// write writes text with its upper left corner at x, y.
func (w *writer) write(on draw.Image, x, y int, text string, c color.Color) {
	d := font.Drawer{Dst: on, Src: image.NewUniform(c), Face: w.face, Dot: fixed.P(x, y+w.ascent)}
	d.DrawString(text)
}

// fit shortens a text to at most width pixels.
func (w *writer) fit(text string, width int) string {
	if w.width(text) <= width {
		return text
	}
	letters := []rune(text)
	for len(letters) > 0 && w.width(string(letters)+"…") > width {
		letters = letters[:len(letters)-1]
	}
	return string(letters) + "…"
}

// wrap breaks a text into lines of at most width pixels, between words where
// it can.
func (w *writer) wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch joined := line + " " + word; {
		case line == "":
			line = word
		case w.width(joined) <= width:
			line = joined
		default:
			lines = append(lines, w.fit(line, width))
			line = word
		}
	}
	if line != "" {
		lines = append(lines, w.fit(line, width))
	}
	return lines
}
