package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"gocv.io/x/gocv"

	"platewatch/ocr/render/sensor"
	"platewatch/ocr/truth"
)

// A photograph is one frame. The others are derived from it as a camera would have
// taken them a moment before: the plate smaller, elsewhere on the sensor's
// grid, turned a little by the road; the exposure a little different; the sensor's
// noise and the coder's losses new each time. Faults of the photograph itself stay on
// every frame: dirt, a bolt, a shadow, the slant, the typeface. Derived frames are
// never better than the photograph, except for the light.
const (
	farthest = 0.75 // size of the first frame, of the photograph's; the last is whole
	turn     = 1.0  // degrees, standard deviation
	light    = 0.1  // of the exposure, standard deviation of its logarithm
	contrast = 0.05
	noise    = 3.0 // grey levels, the most
	defocus  = 0.7 // pixels, the most
	quality  = 75  // of the JPEG, the least; 95 the most
	// around is the margin kept around the plate, in plate widths: as much as the unit
	// searches around motion.
	around = 2.5
)

// made derives frames from a photograph and calls use with each and the plate's place
// on it. If the label has no box, the picture shows only the plate.
func made(photo gocv.Mat, plate truth.Plate, name string, frames int, use func(frame gocv.Mat, box image.Rectangle) error) error {
	whole := image.Rect(0, 0, photo.Cols(), photo.Rows())
	cut := whole
	if !plate.Box.Empty() {
		w := int(around * float64(plate.Box.Dx()))
		cut = image.Rect(plate.Box.Min.X-w, plate.Box.Min.Y-w, plate.Box.Max.X+w, plate.Box.Max.Y+w).Intersect(whole)
	}
	part := photo.Region(cut)
	defer part.Close()
	h := fnv.New64a()
	h.Write([]byte(name + plate.Text))
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	for i := range frames {
		scale := 1.0
		if frames > 1 {
			scale = math.Pow(farthest, 1-float64(i)/float64(frames-1))
		}
		if err := makeFrame(part, plate.Box.Sub(cut.Min), scale, rng, use); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func makeFrame(part gocv.Mat, box image.Rectangle, scale float64, rng *rand.Rand, use func(gocv.Mat, image.Rectangle) error) error {
	w, h := float64(part.Cols()), float64(part.Rows())
	size := image.Pt(int(math.Round(scale*w)), int(math.Round(scale*h)))
	// Area averaging on the way down keeps strokes from falling between the rows.
	small := gocv.NewMat()
	defer small.Close()
	gocv.Resize(part, &small, size, 0, 0, gocv.InterpolationArea)
	m := gocv.GetRotationMatrix2D(image.Pt(size.X/2, size.Y/2), turn*rng.NormFloat64(), 1)
	defer m.Close()
	m.SetDoubleAt(0, 2, m.GetDoubleAt(0, 2)+rng.Float64()-0.5)
	m.SetDoubleAt(1, 2, m.GetDoubleAt(1, 2)+rng.Float64()-0.5)
	frame := gocv.NewMat()
	defer frame.Close()
	gocv.WarpAffineWithParams(small, &frame, m, size, gocv.InterpolationCubic, gocv.BorderReplicate, color.RGBA{})
	img, err := frame.ToImage()
	if err != nil {
		return err
	}
	rgba, ok := img.(*image.RGBA)
	if !ok {
		return errors.New("not a picture in colour")
	}
	sensor := sensor.Effects{Exposure: math.Exp(light * rng.NormFloat64()), Contrast: math.Exp(contrast * rng.NormFloat64()),
		Defocus: defocus * rng.Float64(), Noise: noise * rng.Float64(), Quality: quality + rng.IntN(21)}
	if err := sensor.Apply(rgba, rng.Uint64()); err != nil {
		return err
	}
	seen, err := gocv.ImageToMatRGB(rgba)
	if err != nil {
		return err
	}
	defer seen.Close()
	at := func(v int) int { return int(math.Round(scale * float64(v))) }
	return use(seen, image.Rect(at(box.Min.X), at(box.Min.Y), at(box.Max.X), at(box.Max.Y)))
}
