package look

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"

	"gocv.io/x/gocv"

	"platewatch/cmd/platewatch/internal/draw"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/ocr"
)

// Album is a folder that pictures are written into. It is made with the first
// one. Files of an earlier run are replaced.
type Album struct {
	dir  string
	used map[string]bool
}

// NewAlbum returns the album in a folder; nil if dir is empty.
func NewAlbum(dir string) *Album {
	if dir == "" {
		return nil
	}
	return &Album{dir: dir, used: map[string]bool{}}
}

// path returns the file for the picture of an input: the input's own name, with a
// number if two folders hold files of the same name.
func (a *Album) path(input, extension string) (string, error) {
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return "", err
	}
	name := filepath.Base(input)
	for n := 2; a.used[name]; n++ {
		name = fmt.Sprintf("%s-%d", filepath.Base(input), n)
	}
	a.used[name] = true
	return filepath.Join(a.dir, name+extension), nil
}

// small is the width in pixels below which a picture is enlarged before
// anything is written on it.
const small = 480

// annotated writes a copy of a BGR picture with the plates drawn in. A small
// picture, such as a cut-out plate, is enlarged and gets a margin for the text.
func (a *Album) annotated(name string, seen gocv.Mat, plates []ocr.Plate, lines []Plate) error {
	copied := seen.Clone()
	defer copied.Close()
	scale, border := 1.0, 0
	if w := seen.Cols(); w < small {
		scale = min(8, small/float64(w))
		gocv.Resize(seen, &copied, image.Point{}, scale, scale, gocv.InterpolationCubic)
		border = 28
		gocv.CopyMakeBorder(copied, &copied, border, border, border, border, gocv.BorderConstant, color.RGBA{R: 40, G: 40, B: 40})
	}
	marks := make([]draw.Mark, 0, len(plates))
	for i, p := range plates {
		corners := p.Corners
		for k, c := range corners {
			corners[k].X, corners[k].Y = c.X*scale+float64(border), c.Y*scale+float64(border)
		}
		marks = append(marks, draw.Mark{Corners: corners, Hit: len(lines[i].Matches) > 0,
			Text: fmt.Sprintf("%s %.2f", p.Text, p.Confidence)})
	}
	draw.Marks(&copied, marks)
	path, err := a.path(name, ".jpg")
	if err != nil {
		return err
	}
	b, err := picture.JPEG(copied, 95)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// sheet writes the contact sheet of how a picture was read.
func (a *Album) sheet(name string, picture gocv.Mat, t *ocr.Trace) error {
	path, err := a.path(name, ".png")
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	quickly := png.Encoder{CompressionLevel: png.BestSpeed} // the best compression takes longer than finding and reading
	return errors.Join(quickly.Encode(f, draw.Sheet(name, picture, t)), f.Close())
}
