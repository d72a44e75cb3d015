package aim

import (
	"math"
	"testing"

	"platewatch/ocr"
	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
	"platewatch/ocr/rendertest"
)

// TestPose compares the angles that are taken from outlines which the recogniser
// finds with those that plates were rendered at.
func TestPose(t *testing.T) {
	r, err := ocr.New(ocr.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	worst, worstSmall, n := 0.0, 0.0, 0
	for seed, layout := range []string{"us-ca", "us-tx", "nl", "gb-plain"} {
		for _, width := range []float64{110, 160} {
			for _, at := range []angles{{}, {Yaw: 30}, {Yaw: 45}, {Yaw: 52}, {Pitch: 30}, {Pitch: 42}, {Yaw: 40, Pitch: 15}, {Pitch: 10, Roll: 10}, {Pitch: 10, Roll: -12}} {
				c := rendertest.Closeup{Plates: []rendertest.Mounted{{Spec: render.PlateSpec{Layout: layout, Seed: uint64(seed)}}}, Seed: uint64(seed),
					Width: width, Yaw: at.Yaw, Pitch: at.Pitch, Roll: at.Roll, Margin: 1.5, Sensor: sensor.Effects{Defocus: .4, Noise: 1}}
				m, views := c.Mat(t)
				res, err := r.Recognise(t.Context(), m)
				m.Close()
				if err != nil {
					t.Fatal(err)
				}
				if len(res.Plates) == 0 || res.Plates[0].Text != views[0].Text {
					continue
				}
				n++
				got := anglesOf(res.Plates[0].Corners, res.Plates[0].Height)
				for _, a := range []struct{ got, want float64 }{{got.Yaw, at.Yaw}, {got.Pitch, at.Pitch}, {got.Roll, at.Roll}} {
					off := math.Abs(a.got - a.want)
					if a.want == 0 || math.Abs(a.want) < 25 {
						worstSmall = max(worstSmall, off)
					} else {
						worst = max(worst, off)
					}
					if a.want != 0 && math.Abs(a.want) >= 25 && off > 10 || off > 26 {
						t.Errorf("%s, %.0f px wide, at %+v: %+v", layout, width, at, got)
					}
				}
			}
		}
	}
	t.Logf("%d plates: angles from 25° are within %.0f°, smaller ones within %.0f°", n, worst, worstSmall)
	if n < 50 {
		t.Errorf("only %d plates were read", n)
	}
}
