package main

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
)

// vehicle is a rendered picture that the board's camera shows.
type vehicle struct {
	name  string // of the picture in ocr/render/testdata/plates
	plate string
	x, y  int // top left of the part of it that is shown
}

// All are on the hotlist but the last.
var vehicles = []vehicle{
	{"eu-nl-day", "HX274K", 120, 100},
	{"eu-fr-day", "DK482HP", 160, 100},
	{"uk-rear", "BD62KXR", 120, 100},
	{"eu-it-noise", "FK582NB", 120, 100},
	{"br-mercosul", "RKT4D82", 160, 100},
	{"eu-se-night", "HKB385", 120, 100},
}

// The camera's picture. Small, because a look is emulated.
const width, height = 640, 480

// paint writes the vehicle as vivid's output takes it, one frame of BGR, which is
// what OpenCV asks its input for; and one of YUYV for the other camera.
func (v vehicle) paint(folder string) error {
	f, err := os.Open(filepath.Join("ocr", "render", "testdata", "plates", v.name+".jpg"))
	if err != nil {
		return err
	}
	defer f.Close()
	picture, err := jpeg.Decode(f)
	if err != nil {
		return err
	}
	part := image.Rect(v.x, v.y, v.x+width, v.y+height)
	if !part.In(picture.Bounds()) {
		return fmt.Errorf("%s is too small: %v", v.name, picture.Bounds())
	}
	out := make([]byte, 0, 2*width*height)
	bgr := make([]byte, 0, 3*width*height)
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x += 2 {
			y0, cb, cr := ycc(picture.At(x, y))
			y1, _, _ := ycc(picture.At(x+1, y))
			out = append(out, y0, cb, y1, cr)
			for side := range 2 {
				r, g, b, _ := picture.At(x+side, y).RGBA()
				bgr = append(bgr, byte(b>>8), byte(g>>8), byte(r>>8))
			}
		}
	}
	return errors.Join(os.WriteFile(filepath.Join(folder, v.plate+".bgr"), bgr, 0o644),
		os.WriteFile(filepath.Join(folder, v.plate+".yuyv"), out, 0o644))
}

// ycc is a colour in BT.601 of limited range, which V4L2 cameras give.
func ycc(c color.Color) (y, cb, cr byte) {
	r, g, b, _ := c.RGBA()
	R, G, B := float64(r>>8), float64(g>>8), float64(b>>8)
	return byte(16.5 + 0.257*R + 0.504*G + 0.098*B), byte(128.5 - 0.148*R - 0.291*G + 0.439*B), byte(128.5 + 0.439*R - 0.368*G - 0.071*B)
}

// hotlist is a list of all vehicles but the last, as an authority would export it.
func hotlist() []byte {
	text := "plate,category\n"
	for _, v := range vehicles[:len(vehicles)-1] {
		text += v.plate + ",stolen\n"
	}
	return []byte(text)
}

// paintAll writes the pictures of all vehicles.
func paintAll(folder string) error {
	var all error
	for _, v := range vehicles {
		all = errors.Join(all, v.paint(folder))
	}
	return all
}
