package aim

import (
	"image"
	"math"
	"strings"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/light"
	"platewatch/ocr/rectify"
)

var frameSize = image.Pt(1280, 720)

// wellSet is a vehicle whose plate came out well: 150 pixels wide.
func wellSet() *vehicle {
	v := &vehicle{}
	for i := range 5 {
		s := sighting{At: time.Duration(i) * 100 * time.Millisecond, Size: frameSize, Height: 36, Confidence: 0.97,
			Light: light.Plate{Bright: 200, Dark: 40, Clipped: 0.01, Blur: 1.7, Smear: 1, Height: 36}}
		s.place(400+60*i, 300, 150, 71)
		v.add(s)
	}
	return v
}

// place puts a plate seen face on at a place.
func (s *sighting) place(x, y, w, h int) {
	s.Box = image.Rect(x, y, x+w, y+h)
	for i, c := range []image.Point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}} {
		s.Corners[i] = rectify.Point{X: float64(c.X), Y: float64(c.Y)}
	}
}

// TestInstructions goes through everything that can be wrong, alone: each has its
// verdict and its instruction.
func TestInstructions(t *testing.T) {
	scene := func() *scenery { return &scenery{Edge: 2.1, Bright: 210, Clipped: 0.02} }
	bare := func() *vehicle {
		v := &vehicle{}
		for i := range 4 {
			v.add(sighting{At: time.Duration(i) * 100 * time.Millisecond, Size: frameSize, Box: image.Rect(100+80*i, 200, 400+80*i, 500), Across: 2, Down: 2})
		}
		return v
	}
	for _, test := range []struct {
		name    string
		set     func(v *vehicle)
		scene   *scenery
		none    bool // no vehicle
		bare    func(v *vehicle)
		level   Level
		verdict string
		says    string
	}{
		{name: "good", level: Good, verdict: "Well set", says: "Nothing to do: plates are large, sharp and bright enough"},
		{name: "before the first vehicle", none: true, level: Waiting, verdict: "No vehicle has passed yet", says: "Picture and focus are good: wait for a vehicle, or drive one past"},
		{name: "unsharp before it", none: true, scene: &scenery{Edge: 5, Bright: 210}, level: Poor, verdict: "Not well set yet",
			says: "Focus: sharpness is 40 %, 60 % are needed. Turn the focus ring until it is at its peak"},
		{name: "past the peak", none: true, scene: &scenery{Edge: 2.9, Bright: 210}, level: Poor, verdict: "Not well set yet",
			says: "Focus: sharpness is 69 %, and was 95 %. Turn the focus ring back to the peak"},
		{name: "dark before it", none: true, scene: &scenery{Edge: 2.1, Bright: 40}, level: Poor, verdict: "Not well set yet",
			says: "The picture is too dark: its brightest parts have 40 of 255. Open the iris, or add light"},
		{name: "white before it", none: true, scene: &scenery{Edge: 2.1, Bright: 255, Clipped: .5}, level: Poor, verdict: "Not well set yet",
			says: "The picture is too bright: 50 % of it is white. Shorten the shutter, or close the iris"},
		{name: "tilted before it", none: true, scene: &scenery{Edge: 2.1, Bright: 210, Tilt: 9, Upright: true}, level: Waiting, verdict: "No vehicle has passed yet",
			says: "Level the camera: turn it 9° clockwise"},
		{name: "small", set: func(v *vehicle) { v.best.Height = 11; v.best.place(300, 300, 47, 22) }, level: Poor, verdict: "Plates are lost",
			says: "Zoom in: characters are 11 px high, 20 are needed"},
		{name: "rather small", set: func(v *vehicle) { v.best.Height = 18; v.best.place(300, 300, 80, 37) }, level: Fair, verdict: "Works, and can be better",
			says: "Zoom in: characters are 18 px high, 20 are needed"},
		{name: "narrow", set: func(v *vehicle) { v.best.Height = 25; v.best.place(300, 300, 100, 48) }, level: Fair, verdict: "Works, and can be better",
			says: "Zoom in: plates are 100 px wide, 130 are wanted for moving traffic and 75 at least"},
		{name: "large", set: func(v *vehicle) { v.best.Height = 90; v.best.place(300, 300, 380, 180) }, level: Fair, verdict: "Works, and can be better",
			says: "Zoom out: characters are 90 px high, and a vehicle shows its plate on few frames only"},
		{name: "from the side", set: func(v *vehicle) { v.poses = []angles{{Yaw: 52}} }, level: Poor, verdict: "Plates are lost",
			says: "Plates are seen 52° from the side, 35° at most: aim farther down the road, or bring the camera nearer to the lane"},
		{name: "from above", set: func(v *vehicle) { v.poses = []angles{{Pitch: 48}} }, level: Poor, verdict: "Plates are lost",
			says: "Plates are seen 48° from above, 35° at most: aim farther down the road, or mount the camera lower"},
		{name: "tilted to the right", set: func(v *vehicle) { v.poses = []angles{{Roll: 18}} }, level: Poor, verdict: "Plates are lost", says: "Level the camera: turn it 18° anticlockwise"},
		{name: "tilted to the left", set: func(v *vehicle) { v.poses = []angles{{Roll: -8}} }, level: Fair, verdict: "Works, and can be better", says: "Level the camera: turn it 8° clockwise"},
		{name: "smeared", set: func(v *vehicle) { v.best.Light.Blur, v.best.Light.Smear = 4.3, 2.7 }, level: Poor, verdict: "Plates are lost",
			says: "Shutter: plates smear by 4 px at this speed, try 1/1000 s"},
		{name: "smeared downwards", set: func(v *vehicle) { v.best.Light.Blur, v.best.Light.Smear, v.speed = 1.6, 0.25, 1800 }, level: Poor, verdict: "Plates are lost",
			says: "Shutter: plates smear by 6 px at this speed, try 1/2000 s"},
		{name: "smeared both ways", set: func(v *vehicle) { v.best.Light.Blur, v.best.Light.Smear, v.speed = 5, 1, 0 }, level: Poor, verdict: "Plates are lost",
			says: "Shutter: plates smear by 5 px at this speed, shorten it to a quarter of what it is"},
		{name: "unsharp", set: func(v *vehicle) { v.best.Light.Blur, v.best.Light.Smear = 6, 1.1 }, scene: &scenery{Edge: 5.5, Bright: 210}, level: Poor, verdict: "Plates are lost",
			says: "Focus: edges on plates are 5.5 px wide, 3.7 at most. Turn the focus ring until the sharpness is at its peak"},
		{name: "dark", set: func(v *vehicle) { v.best.Light.Bright = 49 }, level: Poor, verdict: "Plates are lost",
			says: "Plates are too dark: 49 of 255, 100 are needed. Add light, or open the iris"},
		{name: "dim", set: func(v *vehicle) { v.best.Light.Bright = 90 }, level: Fair, verdict: "Works, and can be better",
			says: "Plates are too dark: 90 of 255, 100 are needed. Add light, or open the iris"},
		{name: "black around lit plates", scene: &scenery{Bright: 30}, level: Good, verdict: "Well set", says: "Nothing to do: plates are large, sharp and bright enough"},
		{name: "glaring", set: func(v *vehicle) { v.best.Light.Bright, v.best.Light.Clipped = 255, 0.69 }, level: Poor, verdict: "Plates are lost",
			says: "Plates glare: 69 % of them is white, 12 % at most. Shorten the shutter, or turn the lamp down"},
		{name: "cut off at the left", set: func(v *vehicle) { v.best.Cut = true; v.best.place(-40, 300, 150, 71); v.cut = v.best }, level: Poor, verdict: "Plates are lost",
			says: "Turn the camera 14° to the left: plates are cut off at the left edge"},
		{name: "cut off at the right", set: func(v *vehicle) { v.best.Cut = true; v.best.place(1200, 300, 150, 71); v.cut = v.best }, level: Poor, verdict: "Plates are lost",
			says: "Turn the camera 15° to the right: plates are cut off at the right edge"},
		{name: "cut off at the foot", set: func(v *vehicle) { v.best.Cut = true; v.best.place(500, 670, 150, 71); v.cut = v.best }, level: Poor, verdict: "Plates are lost",
			says: "Tilt the camera 8° down: plates are cut off at the lower edge"},
		{name: "cut off at the top", set: func(v *vehicle) { v.best.Cut = true; v.best.place(500, -20, 150, 71); v.cut = v.best }, level: Poor, verdict: "Plates are lost",
			says: "Tilt the camera 8° up: plates are cut off at the upper edge"},
		{name: "no plate found", bare: func(*vehicle) {}, level: Poor, verdict: "Plates are lost",
			says: "Vehicles pass, and no plate is found on them: zoom in where they pass, or turn the camera until their plates are in the picture"},
		{name: "no plate found, smeared", bare: func(v *vehicle) { v.best.Across = 9 }, level: Poor, verdict: "Plates are lost",
			says: "Shutter: plates smear by 9 px at this speed, try 1/1000 s"},
		{name: "no plate found, unsharp", bare: func(v *vehicle) { v.best.Across, v.best.Down = 7, 7 }, scene: &scenery{Edge: 7, Bright: 210}, level: Poor, verdict: "Plates are lost",
			says: "Focus: sharpness is 29 %, 60 % are needed. Turn the focus ring until it is at its peak"},
		{name: "no plate found, dark", bare: func(*vehicle) {}, scene: &scenery{Edge: 2.1, Bright: 30}, level: Poor, verdict: "Plates are lost",
			says: "The picture is too dark: its brightest parts have 30 of 255. Open the iris, or add light"},
	} {
		s := test.scene
		if s == nil {
			s = scene()
		}
		var vehicles []*vehicle
		if !test.none {
			v := wellSet()
			if test.bare != nil {
				v = bare()
				test.bare(v)
			}
			if test.set != nil {
				test.set(v)
			}
			vehicles = []*vehicle{v, v, v}
		}
		peak := s.Sharpness()
		if test.name == "past the peak" {
			peak = 95
		}
		got := judge(vehicles, s, peak)
		if got.Level != test.level || got.Verdict != test.verdict || got.Instruction != test.says {
			t.Errorf("%s: %s, %s: %q\n\twant %s, %s: %q", test.name, got.Level, got.Verdict, got.Instruction, test.level, test.verdict, test.says)
		}
		for _, q := range got.Quantities {
			if q.Known && (q.Range == "" || q.Name == "" || q.Level == "" || math.IsNaN(q.Value)) || strings.Contains(q.Instruction, "%!") {
				t.Errorf("%s: %+v", test.name, q)
			}
		}
	}
}

// TestOrder: the worse of two faults is named first, and of two equal ones the one
// that makes the other worse.
func TestOrder(t *testing.T) {
	v := wellSet()
	v.best.Light.Bright = 90                         // fair
	v.best.Height, v.best.Light.Height = 11, 11      // poor
	v.best.Light.Blur, v.best.Light.Smear = 4.3, 2.7 // poor, and before the height
	if got := judge([]*vehicle{v}, nil, 0); got.Cause != "motion" {
		t.Errorf("first %s: %s", got.Cause, got.Instruction)
	}
}

// TestTraffic: a plate that stays in place is not counted as a vehicle, nor is
// anything that moves around a plate; a vehicle still in view is counted.
func TestTraffic(t *testing.T) {
	var tr traffic
	for i := range 12 {
		at := time.Duration(i) * 100 * time.Millisecond
		sign := sighting{At: at, Size: frameSize, Height: 30, Confidence: 0.9}
		sign.place(20+i%2, 20, 120, 40)
		plate := sighting{At: at, Size: frameSize, Height: 30, Confidence: 0.9}
		plate.place(200+70*i, 400, 120, 60)
		clock := sighting{At: at, Size: frameSize, Height: 14, Confidence: 0.4} // of the camera: read here and there
		clock.place(900+[]int{0, 70, 70, 10, 130}[i%5], 10, 90, 20)
		tr.see(at, []sighting{sign, plate, clock})
		if i == 6 {
			if got := tr.latest(at); len(got) != 1 || got[0].best.Box.Min.Y != 400 {
				t.Errorf("in view: %d vehicles", len(got))
			}
		}
	}
	for i := range 5 { // its tail, of which no plate is found
		at := time.Duration(12+i) * 100 * time.Millisecond
		tr.see(at, []sighting{{At: at, Size: frameSize, Box: image.Rect(900+60*i, 300, 1200+60*i, 600)}})
	}
	tr.expire(time.Minute)
	if tr.seen != 1 || len(tr.latest(time.Minute)) != 1 || len(tr.open) != 0 {
		t.Errorf("%d vehicles, %d in view", tr.seen, len(tr.open))
	}
	if got := tr.latest(time.Hour); len(got) != 0 {
		t.Errorf("an hour later %d vehicles count", len(got))
	}
}

// TestScene: edges have the width that they were given, and upright lines their lean.
func TestScene(t *testing.T) {
	for _, test := range []struct{ soft, lean float64 }{{0, 0}, {3, 0}, {1.2, 8}, {1.2, -6}} {
		m := gocv.NewMatWithSize(480, 640, gocv.MatTypeCV8U)
		px, err := m.DataPtrUint8()
		if err != nil {
			t.Fatal(err)
		}
		slope := math.Tan(test.lean * math.Pi / 180)
		for y := range 480 {
			for x := range 640 {
				light := 60.0
				for sub := range 16 { // a lens does not know pixels
					// The lean of an upright line to the right grows upwards.
					at := float64(x) + float64(sub%4)/4 + (float64(y)+float64(sub/4)/4)*slope
					if math.Mod(at+2000, 40) < 20 {
						light += 130.0 / 16
					}
				}
				px[y*640+x] = uint8(light)
			}
		}
		if test.soft > 0 {
			gocv.GaussianBlur(m, &m, image.Point{}, test.soft, test.soft, gocv.BorderReflect)
		}
		s := measureScene(m)
		m.Close()
		want := max(1, 2.5*test.soft) // a Gaussian edge rises by its whole height in √(2π)·σ at its steepest
		if math.Abs(s.Edge-want) > 0.3*want+0.3 || s.Bright != 190 && test.soft < 3 {
			t.Errorf("%+v: %+v, want edges of %.1f", test, s, want)
		}
		if known := test.soft < 3; s.Upright != known || known && math.Abs(s.Tilt-test.lean) > 1.5 {
			t.Errorf("%+v: lean %.1f, known %t", test, s.Tilt, s.Upright)
		}
	}
}
