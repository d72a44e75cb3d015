package observe

import (
	"math/rand/v2"
	"testing"
	"time"

	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
)

// TestScenes holds passages to three places with several texts in view at once: each
// vehicle gives one passage, and the camera's own text gives none.
func TestScenes(t *testing.T) {
	for _, c := range []struct {
		name  string
		scene stretch
		least int // vehicles
	}{
		{"four lanes at once", fourLanes(), 4},
		{"a row of eight parked cars", parkedRow(), 8},
		{"a gate, with text in the picture", gate(), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sum, err := drive(t, c.scene)
			if err != nil {
				t.Fatal(err)
			}
			if sum.readable != c.least || sum.once != sum.readable || sum.extra > 0 {
				t.Errorf("%d of %d vehicles once and right (%d have a readable plate), %d passages too many", sum.once, c.least, sum.readable, sum.extra)
			}
			for _, f := range sum.failures {
				t.Log(f)
			}
		})
	}
}

// fourLanes is a motorway below a gantry, with a vehicle in each lane.
func fourLanes() stretch {
	r := rand.New(rand.NewPCG(4, 1))
	spec := render.ClipSpec{
		View:  render.View{Width: 2560, Height: 1440, Focal: 4100, Rise: 6, Pitch: 14},
		Lanes: 3, FPS: *fps, Length: 900 * time.Millisecond, Seed: 4, Sensor: sensor.Effects{Noise: 1.5, Defocus: .4},
	}
	d := drivers{r: r, plates: registered["uk"]}
	for i, lane := range []float64{-5.4, -1.8, 1.8, 5.4} {
		v := d.next(false)
		v.Lane, v.Speed, v.Mark, v.At = lane, 8, 19+0.5*float64(i%2), spec.Length
		spec.Vehicles = append(spec.Vehicles, v)
	}
	return stretch{spec, "uk"}
}

// parkedRow is a car park with eight cars side by side.
func parkedRow() stretch {
	r := rand.New(rand.NewPCG(5, 1))
	spec := render.ClipSpec{
		View:  render.View{Width: 3264, Height: 1088, Focal: 1900, Rise: 2.4, Pitch: 8},
		Lanes: 1, FPS: *fps, Length: 550 * time.Millisecond, Seed: 9, Sensor: sensor.Effects{Noise: 1.5, Defocus: .4},
	}
	d := drivers{r: r, plates: registered["eu"]}
	for _, place := range []float64{-3.5, 3.5, -2.5, 2.5, -1.5, 1.5, -0.5, 0.5} { // the inner ones stand before the outer ones
		v := d.next(false)
		v.Lane, v.Mark = 2.4*place, 11
		spec.Vehicles = append(spec.Vehicles, v)
	}
	return stretch{spec, "eu"}
}

// gate is a driveway with one car; the camera's overlay could be taken for a plate.
func gate() stretch {
	r := rand.New(rand.NewPCG(6, 1))
	spec := render.ClipSpec{
		View:  render.View{Width: 1280, Height: 720, Focal: 1500, Rise: 2, Yaw: -8, Pitch: 7},
		Lanes: 1, FPS: *fps, Length: 2500 * time.Millisecond, Seed: 6, Sensor: sensor.Effects{Noise: 1.5, Defocus: .4},
		Start: time.Date(2026, 2, 14, 19, 41, 7, 0, time.UTC), Camera: "14B02819T",
	}
	d := drivers{r: r, plates: registered["eu"]}
	v := d.next(false)
	v.Lane, v.Speed, v.Mark, v.At = render.LaneNear, 1.5, 6, spec.Length
	spec.Vehicles = append(spec.Vehicles, v)
	return stretch{spec, "eu"}
}
