package scenes

import (
	"image/color"
	"math"
	"math/rand/v2"

	"platewatch/ocr/render"
)

// RandomCloseup makes up one picture that is all plate, as a person crops one,
// from sharp to hardly readable. The same seed gives the same picture.
func RandomCloseup(seed uint64) render.Closeup {
	r := rand.New(rand.NewPCG(seed, 0xd1b54a32d192ed03))
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	names := render.LayoutNames()
	grey := uint8(r.IntN(200))
	c := render.Closeup{
		Plates: []render.Mounted{{Spec: render.PlateSpec{
			Layout: names[r.IntN(len(names))], Seed: seed, Wear: r.Float64() * r.Float64(), Frame: r.IntN(3) == 0,
		}}},
		Width: 70 * math.Exp(between(0, math.Log(400/70.))), Distance: between(2, 8),
		Yaw: 20 * r.NormFloat64(), Pitch: 8 + 6*r.NormFloat64(), Roll: 3 * r.NormFloat64(),
		Margin: between(-0.03, 0.25), Ground: color.RGBA{grey, grey, uint8(r.IntN(200)), 255}, Seed: seed,
		Sensor: render.Sensor{Noise: between(1, 12), Defocus: between(0.3, 2), Exposure: between(0.5, 1.4),
			Contrast: between(0.4, 1.2), Quality: 40 + r.IntN(55)},
	}
	c.Yaw, c.Pitch = max(-60, min(60, c.Yaw)), max(-40, min(40, c.Pitch))
	if r.IntN(3) == 0 {
		c.Sensor.Motion, c.Sensor.Angle = between(2, 7), between(160, 200)
	}
	return c
}
