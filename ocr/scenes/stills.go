package scenes

import (
	"math"
	"time"

	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
)

// Picture is one still of the test set.
type Picture struct {
	Name    string
	layout  string // empty: a vehicle without a plate
	text    string
	body    render.Body
	paint   uint32
	front   bool
	z       float64 // metres to the bumper
	lane    float64
	focal   float64
	wide    bool    // 1280 × 720 instead of 1000 × 750
	off     float64 // degrees that the camera looks past the plate
	dusk    float64
	wear    float64
	frame   bool
	sensor  sensor.Effects
	nothing bool // an empty street
}

// Stills is the test set: every region, easy to hard, and pictures without a
// plate that hold other lettering.
var Stills = []Picture{
	{Name: "eu-nl-day", layout: "nl", text: "HX-274-K", body: render.Hatch, paint: 0x1F4E79, z: 6, focal: 2000},
	{Name: "eu-de-front", layout: "de", text: "B:RK 5382", body: render.Sedan, paint: 0x8A8D91, front: true, z: 8, focal: 2200, lane: -2.6},
	{Name: "eu-fr-day", layout: "fr", text: "DK-482-HP", body: render.SUV, paint: 0xE6E6E3, z: 7, focal: 2000, wide: true},
	{Name: "eu-es-far", layout: "es", text: "6284 FKM", body: render.Hatch, paint: 0xA83232, front: true, z: 11, focal: 2000, lane: -3.2},
	{Name: "eu-sk-dirty", layout: "sk", text: "KE^472HD", body: render.Hatch, paint: 0x5C6B3E, z: 6.5, focal: 2000, wear: .6},
	{Name: "eu-it-noise", layout: "it", text: "FK 582NB", body: render.Sedan, paint: 0x2B2D31, z: 6.5, focal: 2000, sensor: sensor.Effects{Noise: 9, Defocus: .8}},
	{Name: "eu-pl-dusk", layout: "pl", text: "KR 58427", body: render.SUV, paint: 0x6E1F24, z: 7, focal: 2100, dusk: .7},
	{Name: "eu-be-red", layout: "be", text: "2-DKF-485", body: render.Hatch, paint: 0xC9CBCD, z: 6, focal: 2000, wide: true},
	{Name: "eu-se-night", layout: "se", text: "HKB 385", body: render.Sedan, paint: 0x324A3A, z: 7, focal: 2200, dusk: 1, sensor: sensor.Effects{Noise: 5}},
	{Name: "eu-cz-motion", layout: "cz", text: "4B8 2573", body: render.Hatch, paint: 0xC9A437, z: 6, focal: 2000, sensor: sensor.Effects{Motion: 4, Angle: 170}},
	{Name: "eu-two-rows", layout: "eu-two", text: "HD/4827K", body: render.Van, paint: 0xDADAD6, z: 7, focal: 2300},
	{Name: "uk-rear", layout: "gb-rear", text: "BD62 KXR", body: render.Hatch, paint: 0x70757A, z: 6, focal: 2000},
	{Name: "uk-front", layout: "gb", text: "HN58 RKT", body: render.SUV, paint: 0x203A5C, front: true, z: 8.5, focal: 2200, lane: -2.8, wide: true},
	{Name: "uk-van-number", layout: "gb-plain", text: "KT57 DHX", body: render.Van, paint: 0xECECEA, z: 7.5, focal: 2200},
	{Name: "us-ca", layout: "us-ca", text: "8HKT357", body: render.Sedan, paint: 0xB8BCC2, z: 6, focal: 2300},
	{Name: "us-tx-frame", layout: "us-tx", text: "KRD 8254", body: render.SUV, paint: 0x2C3E57, z: 6, focal: 2300, frame: true},
	{Name: "us-az-sunset", layout: "us-az", text: "HKF 5728", body: render.Hatch, paint: 0xD3D0C8, z: 5.5, focal: 2300, wide: true},
	{Name: "us-ny-dusk", layout: "us-ny", text: "DKH 4285", body: render.Sedan, paint: 0x1E1F22, z: 6, focal: 2400, dusk: .6},
	{Name: "us-co-far", layout: "us-co", text: "RKD-472", body: render.SUV, paint: 0x7C2D2D, z: 9, focal: 2000, sensor: sensor.Effects{Defocus: .8}},
	{Name: "br-grey", layout: "br", text: "HKD-5824", body: render.Hatch, paint: 0x8E9296, z: 6, focal: 2000},
	{Name: "br-mercosul", layout: "br-mercosul", text: "RKT4D82", body: render.Sedan, paint: 0xF0F0EE, z: 6.5, focal: 2100, wide: true},
	{Name: "br-night", layout: "br", text: "MKB-7385", body: render.Hatch, paint: 0x28333F, z: 6.5, focal: 2200, dusk: .95, wear: .3, sensor: sensor.Effects{Noise: 6}},
	{Name: "tw-day", layout: "tw", text: "BKD-5827", body: render.SUV, paint: 0xDFDFDC, z: 6.5, focal: 2100},
	{Name: "dark-plate", layout: "dark", text: "HK-58-24", body: render.Hatch, paint: 0x9A7B4F, z: 6, focal: 2100},
	{Name: "none-street", nothing: true, focal: 1900, z: 10, lane: -4},
	{Name: "none-van", body: render.Van, paint: 0xE7E7E4, z: 6, focal: 1800},
	{Name: "none-signs", nothing: true, focal: 3200, z: 24, lane: -6.2, wide: true},
	{Name: "none-front", body: render.SUV, paint: 0x3C5A44, front: true, z: 8, focal: 2000, lane: -2.6},
}

// Spec is the scene of a picture; seed is its place in the set, from 1.
func (s Picture) Spec(seed uint64) render.ClipSpec {
	v := render.View{Width: 1000, Height: 750, Focal: s.focal * .8, Rise: 1.6}
	if s.wide {
		v.Width, v.Height = 1280, 720
	}
	lane := s.lane
	if lane == 0 {
		lane = render.LaneNear
	}
	// look at the plate, a little past it
	v.Yaw = math.Atan2(lane, s.z)*180/math.Pi + 2 + s.off
	v.Pitch = math.Atan2(v.Rise-.95, s.z) * 180 / math.Pi
	if s.nothing {
		v.Pitch = 1.5
	}
	spec := render.ClipSpec{View: v, FPS: 25, Length: time.Second, Seed: seed, Sensor: s.sensor, Dusk: func(time.Duration) float64 { return s.dusk }}
	if spec.Sensor.Noise == 0 {
		spec.Sensor.Noise = 1.5
	}
	if spec.Sensor.Defocus == 0 {
		spec.Sensor.Defocus = .5
	}
	if seed%3 == 0 {
		spec.Start, spec.Camera = time.Date(2026, 3, 9, 7, 12, int(seed), 0, time.UTC), "CAM 1"
	}
	if !s.nothing {
		spec.Vehicles = []render.Vehicle{{Body: s.body, Paint: rgb(s.paint), Lane: lane, Away: !s.front, Mark: s.z, Brand: "CORVANO", Model: "2.0", Lettering: "0800 555 0147",
			Plate: render.PlateSpec{Layout: s.layout, Text: s.text, Seed: seed, Wear: s.wear, Frame: s.frame}}}
	}
	return spec
}
