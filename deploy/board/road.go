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

// load gives a rendered picture.
func load(name string) (image.Image, error) {
	f, err := os.Open(filepath.Join("ocr", "render", "testdata", "plates", name+".jpg"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return jpeg.Decode(f)
}

// paint writes the vehicle as vivid's output takes it, one frame of BGR, which is
// what OpenCV asks its input for; and one of YUYV for the other camera.
func (v vehicle) paint(folder string) error {
	picture, err := load(v.name)
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
			bgr = appendBGR(appendBGR(bgr, picture.At(x, y)), picture.At(x+1, y))
		}
	}
	return errors.Join(os.WriteFile(filepath.Join(folder, v.plate+".bgr"), bgr, 0o644),
		os.WriteFile(filepath.Join(folder, v.plate+".yuyv"), out, 0o644))
}

// noVehicle is the picture of the road when no vehicle is there.
const noVehicle = "road"

// paintRoad writes it: a wall with a window, from the corner of a vehicle's picture.
func paintRoad(folder string) error {
	picture, err := load(vehicles[0].name)
	if err != nil {
		return err
	}
	const zoom = 4
	out := make([]byte, 0, 3*width*height)
	for y := range height {
		for x := range width {
			out = appendBGR(out, picture.At(x/zoom, y/zoom))
		}
	}
	return os.WriteFile(filepath.Join(folder, noVehicle+".bgr"), out, 0o644)
}

func appendBGR(to []byte, c color.Color) []byte {
	r, g, b, _ := c.RGBA()
	return append(to, byte(b>>8), byte(g>>8), byte(r>>8))
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

// paintAll writes all pictures.
func paintAll(folder string) error {
	all := paintRoad(folder)
	for _, v := range vehicles {
		all = errors.Join(all, v.paint(folder))
	}
	return all
}
