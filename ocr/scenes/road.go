// Package scenes holds the specifications of the pictures and clips that are
// committed: the demo's road and the test stills. The tests compare the
// committed truth files with them.
package scenes

import (
	"bytes"
	"fmt"
	"image/color"
	"time"

	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
)

func rgb(v uint32) color.RGBA {
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

// Road is the demo's clip: an evening street that falls into dusk, and for each
// vehicle whether the sample hotlist has it.
func Road() (spec render.ClipSpec, hot []bool) {
	sec := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	type v = render.Vehicle
	near := func(at, speed float64, body render.Body, paint uint32, layout, text string, hit bool, more v) {
		more.Body, more.Paint, more.Lane, more.Away, more.Speed, more.Mark, more.At = body, rgb(paint), render.LaneNear, true, speed, 5, sec(at)
		more.Plate.Layout, more.Plate.Text, more.Plate.Seed = layout, text, uint64(len(hot))
		spec.Vehicles, hot = append(spec.Vehicles, more), append(hot, hit)
	}
	far := func(at, speed float64, body render.Body, paint uint32, layout, text string, hit bool) {
		spec.Vehicles = append(spec.Vehicles, v{Body: body, Paint: rgb(paint), Lane: render.LaneFar, Speed: speed, Mark: 9, At: sec(at),
			Plate: render.PlateSpec{Layout: layout, Text: text, Seed: uint64(len(hot))}})
		hot = append(hot, hit)
	}
	near(2.2, 6, render.Hatch, 0xA8262B, "nl", "TX-083-R", true, v{Brand: "ARDEN", Model: "1.4 TS", Sticker: "AUTOBERG"})
	far(5.0, 4.3, render.Sedan, 0x2B4C7E, "de", "K:MX 4827", false)
	near(8.2, 5.5, render.Van, 0xE4E5E4, "gb-rear", "KR64 VHT", true, v{Brand: "LOADER", Lettering: "0800 555 0147"})
	far(11.4, 4.3, render.SUV, 0x3B4347, "fr", "FB-627-GT", false)
	near(14.8, 4, render.Sedan, 0xB9BDC2, "us-ca", "7KRM294", true, v{Brand: "CORVANO", Model: "SE"})
	near(18.4, 5, render.Hatch, 0x4F7A52, "br", "KPD-4826", true, v{Brand: "PAMPA", Model: "1.0", Sticker: "VALE AUTO"})
	far(21.4, 4.3, render.Hatch, 0xC7A23A, "es", "5937 HKT", false)
	near(24.8, 4, render.SUV, 0x27405B, "us-tx", "HKR 5724", true, v{Brand: "RIDGELINE", Model: "4X4"})
	spec.FPS, spec.Length, spec.Seed = 25, sec(28), 7
	spec.Start, spec.Camera = time.Date(2026, 5, 14, 20, 41, 12, 0, time.UTC), "CAM 2 NORTH"
	spec.Sensor = sensor.Effects{Defocus: .5, Noise: .8}
	spec.Dusk = func(t time.Duration) float64 {
		k := min(max((t.Seconds()-16)/9, 0), 1)
		return .78 * k * k * (3 - 2*k)
	}
	return spec, hot
}

// RoadTruth is the truth file of a clip: tab separated, a row per passage.
func RoadTruth(spec render.ClipSpec, hot []bool, truths []render.FrameTruth) []byte {
	var b bytes.Buffer
	b.WriteString("passage\tplate\tfirst_ms\tlast_ms\thot\n")
	for i, p := range render.Passages(len(spec.Vehicles), truths) {
		yes := "no"
		if hot[i] {
			yes = "yes"
		}
		fmt.Fprintf(&b, "%d\t%s\t%d\t%d\t%s\n", i+1, p.Text, p.First.Milliseconds(), p.Last.Milliseconds(), yes)
	}
	return b.Bytes()
}
