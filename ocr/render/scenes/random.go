package scenes

import (
	"image/color"
	"math"
	"math/rand/v2"
	"time"

	"platewatch/ocr/render"
)

// Random makes up one still: what statistics over many pictures are taken
// from. One picture in eight shows an empty street. The same seed gives the
// same picture.
func Random(seed uint64) render.ClipSpec {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	sizes := [][2]int{{640, 480}, {800, 600}, {1000, 750}, {1280, 720}, {1920, 1080}}
	size := sizes[r.IntN(len(sizes))]
	away := r.IntN(3) > 0
	lane := render.LaneNear
	if !away {
		lane = between(-3.4, -2.4)
	}
	z := between(5, 16)
	v := render.View{Width: size[0], Height: size[1], Rise: between(1.2, 3)}
	// A plate is about half a metre wide: choose the focal length by the width
	// in pixels that it is to have.
	v.Focal = between(45, min(300, float64(size[0])/4)) / 0.5 * z
	// Look past the plate, but so that it stays in the picture.
	reach := 0.35 * math.Atan2(float64(size[0])/2, v.Focal) * 180 / math.Pi
	v.Yaw = math.Atan2(lane, z)*180/math.Pi + between(-reach, reach)
	v.Pitch = math.Atan2(v.Rise-0.9, z)*180/math.Pi + between(-reach, reach)/2

	dusk := 0.0
	if r.IntN(3) == 0 {
		dusk = r.Float64()
	}
	spec := render.ClipSpec{
		View: v, FPS: 25, Length: time.Second, Seed: seed,
		Dusk: func(time.Duration) float64 { return dusk },
		Sensor: render.Sensor{Noise: between(1, 8), Defocus: between(0.3, 1.2), Exposure: between(0.7, 1.3),
			Contrast: between(0.7, 1.2), Quality: 60 + r.IntN(35)},
	}
	if r.IntN(4) == 0 {
		spec.Sensor.Motion, spec.Sensor.Angle = between(2, 6), between(160, 200)
	}
	if r.IntN(2) == 0 {
		spec.Start, spec.Camera = time.Date(2026, 3, 9, 7, 12, int(seed%60), 0, time.UTC), "CAM 1"
	}
	if r.IntN(8) == 0 {
		return spec
	}
	names := render.LayoutNames()
	layout := names[r.IntN(len(names))]
	spec.Vehicles = []render.Vehicle{{
		Body: render.Body(r.IntN(4)), Paint: color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255},
		Lane: lane, Away: away, Mark: z, Brand: pick(r, "CORVANO", "PAMPA", "NORDA", "ARDEN"), Model: pick(r, "2.0", "1.4 TS", "GT 16V", "HYBRID"),
		Sticker: pick(r, "", "", "SURF CLUB", "KLEINE FAHRT"), Lettering: pick(r, "0800 555 0147", "01 55 20 10 40", "FRESH BREAD"),
		Plate: render.PlateSpec{Layout: layout, Seed: seed, Wear: r.Float64() * r.Float64(), Frame: r.IntN(3) == 0},
	}}
	return spec
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }
