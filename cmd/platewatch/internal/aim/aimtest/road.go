// Package aimtest renders a road on which vehicles pass a camera that is well set, and
// the same with the faults that a technician has to find.
package aimtest

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
)

// FPS is the frame rate of the road.
const FPS = 6

// Fault is a way in which a camera is set wrongly.
type Fault struct {
	Name string
	Says string                 // what the instruction must match, as a regular expression
	move func(Frame) [6]float64 // affine: where the picture's pixels go

	motion   int     // pixels of smear, level
	defocus  float64 // standard deviation of the blur, pixels
	exposure float64 // factor on the brightness
}

// Frame is one picture of the road.
type Frame struct {
	Image *image.RGBA
	Plate *render.PlateView // the largest in view; nil for none
}

// Picture is a frame as a camera with the fault takes it: BGR. The caller closes it.
func (f Fault) Picture(of Frame) (gocv.Mat, error) {
	rgb, err := gocv.ImageToMatRGB(of.Image)
	if err != nil {
		return gocv.Mat{}, err
	}
	if f.move != nil { // what comes from outside is grey
		m := gocv.NewMatWithSize(2, 3, gocv.MatTypeCV64F)
		defer m.Close()
		for i, v := range f.move(of) {
			m.SetDoubleAt(i/3, i%3, v)
		}
		gocv.WarpAffineWithParams(rgb, &rgb, m, of.Image.Rect.Size(), gocv.InterpolationLinear, gocv.BorderConstant, color.RGBA{110, 112, 108, 0})
	}
	if f.defocus > 0 {
		gocv.GaussianBlur(rgb, &rgb, image.Point{}, f.defocus, f.defocus, gocv.BorderReplicate)
	}
	if f.motion > 0 {
		gocv.Blur(rgb, &rgb, image.Pt(f.motion, 1))
	}
	if f.exposure > 0 {
		rgb.ConvertToWithParams(&rgb, gocv.MatTypeCV8UC3, float32(f.exposure), 0)
	}
	return rgb, nil
}

// Good is the camera without a fault.
var Good = Fault{Name: "good"}

// Faults are those that must be found.
var Faults = []Fault{
	{Name: "too small", Says: "^Zoom in: characters are (9|1[0-4]) px high, 20 are needed$", move: func(f Frame) [6]float64 { return shrink(f, .21, .21) }},
	{Name: "smeared", motion: 5, Says: "^Shutter: plates smear by [3-6] px at this speed, try 1/[124]000 s$"},
	{Name: "unsharp", defocus: 4, Says: "^Focus: "},
	{Name: "dark", exposure: .2, Says: "^Plates are too dark: [345][0-9] of 255, 100 are needed"},
	{Name: "glaring", exposure: 2.4, Says: "^Plates glare: [5-8][0-9] % of them is white"},
	{Name: "tilted", Says: "^Level the camera: turn it (1[4-9]|2[0-4])° clockwise$", move: func(f Frame) [6]float64 {
		s, c := math.Sincos(18 * math.Pi / 180)
		x, y := float64(f.Image.Rect.Dx())/2, float64(f.Image.Rect.Dy())/2
		return [6]float64{c, -s, x - c*x + s*y, s, c, y - s*x - c*y}
	}},
	{Name: "from the side", Says: "^Plates are seen [56][0-9]° from the side, 35° at most: ", move: func(f Frame) [6]float64 { return shrink(f, .58, 1) }},
	// The lane runs along the right edge of the picture.
	{Name: "cut off", Says: "^Turn the camera 1[3-7]° to the right: plates are cut off at the right edge$", move: func(f Frame) [6]float64 {
		if f.Plate == nil {
			return [6]float64{1, 0, 0, 0, 1, 0}
		}
		const inside = .6 // of the plate's width
		left := f.Plate.Corners[0].X
		return [6]float64{1, 0, float64(f.Image.Rect.Dx()) - inside*f.Plate.Width() - left, 0, 1, 0}
	}},
}

// shrink keeps the middle of a picture where it is.
func shrink(f Frame, across, down float64) [6]float64 {
	w, h := float64(f.Image.Rect.Dx()), float64(f.Image.Rect.Dy())
	return [6]float64{across, 0, w * (1 - across) / 2, 0, down, h * (1 - down) / 2}
}

// Road renders two US vehicles that drive away, one after the other, at FPS frames a
// second. It is drawn once; the pictures must not be changed.
var Road = sync.OnceValues(func() ([]Frame, error) {
	const between = 1500 * time.Millisecond
	view := render.DefaultView
	view.Focal *= 1.25
	spec := render.ClipSpec{View: view, FPS: FPS, Length: 2 * between, Seed: 5, Sensor: sensor.Effects{Defocus: .4, Noise: 1}}
	for i, text := range []string{"7KRM294", "8HKT357"} {
		spec.Vehicles = append(spec.Vehicles, render.Vehicle{Body: render.Hatch, Paint: color.RGBA{uint8(40 + 60*i), 70, 110, 255}, Lane: render.LaneNear,
			Away: true, Speed: 6, Mark: 6, At: time.Duration(i)*between + 200*time.Millisecond, Plate: render.PlateSpec{Layout: "us-ca", Text: text, Seed: uint64(i)}})
	}
	var all []Frame
	for shot, err := range render.Clip(spec) {
		if err != nil {
			return nil, err
		}
		img := shot.Draw()
		own := image.NewRGBA(img.Rect)
		draw.Draw(own, own.Rect, img, img.Rect.Min, draw.Src)
		f := Frame{Image: own}
		for _, p := range shot.Truth.Plates {
			if f.Plate == nil || p.Width() > f.Plate.Width() {
				f.Plate = &p
			}
		}
		all = append(all, f)
	}
	return all, nil
})
