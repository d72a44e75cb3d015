package scenes

import (
	"cmp"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
)

// Random makes up one still, for statistics over many pictures. One picture in eight shows an empty street. The same seed gives the
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
		Sensor: sensor.Effects{Noise: between(1, 8), Defocus: between(0.3, 1.2), Exposure: between(0.7, 1.3),
			Contrast: between(0.7, 1.2), Quality: 60 + r.IntN(35)},
	}
	if r.IntN(4) == 0 {
		spec.Sensor.Motion, spec.Sensor.Angle = between(2, 6), between(160, 200)
	}
	if r.IntN(2) == 0 {
		spec.Start, spec.Camera = time.Date(2026, 3, 9, 7, 12, int(seed%60), 0, time.UTC), "CAM 1"
	}
	if r.IntN(2) == 0 {
		spec.Railings = railings(r, z)
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

// railings are fences, gates and grids beyond a vehicle z metres away: other things
// that stand beside roads in rows. Most cross the picture, some run along the
// road.
func railings(r *rand.Rand, z float64) []render.Railing {
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	var all []render.Railing
	for range 1 + r.IntN(3) {
		pitch := between(0.08, 0.5)
		grey := uint8(r.IntN(256))
		f := render.Railing{
			X0: between(-9, -1), X1: between(-1, 6), Z0: z + between(5, 30), Foot: between(0, 1.5), Height: between(0.15, 2),
			Pitch: pitch, Bar: pitch * between(0.15, 0.6), Rails: r.IntN(5), Paint: color.RGBA{grey, grey, uint8(r.IntN(256)), 255},
		}
		f.Z1 = f.Z0 + between(-4, 4)
		if r.IntN(3) == 0 { // along the far kerb
			f.X0, f.X1, f.Z0, f.Z1 = -6, -6, between(3, 8), z+between(5, 30)
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b render.Railing) int { return cmp.Compare(b.Z0, a.Z0) })
	return all
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }
