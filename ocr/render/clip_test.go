package render

import (
	"bytes"
	"image"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/ocr/render/paint"
	"platewatch/ocr/render/sensor"
)

// street is a short scene with both directions of travel.
func street() ClipSpec {
	return ClipSpec{
		View: View{Width: 480, Height: 270, Focal: 1010, Rise: 1.6, Yaw: -17, Pitch: 5.4}, FPS: 4, Length: time.Second, Seed: 3, Sensor: sensor.Effects{Noise: 2},
		Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Camera: "CAM 1",
		Dusk: func(t time.Duration) float64 { return t.Seconds() },
		Vehicles: []Vehicle{
			{Body: Hatch, Paint: paint.RGB(0xA03030), Plate: PlateSpec{Layout: "nl", Text: "AB-123-C"}, Lane: LaneNear, Speed: 6, Away: true, Mark: 6},
			{Body: SUV, Paint: paint.RGB(0x3030A0), Plate: PlateSpec{Layout: "de"}, Lane: LaneFar, Speed: 5, Mark: 12},
			{Body: Van, Paint: paint.RGB(0xE0E0E0), Lane: LaneNear, Speed: 6, Away: true, Mark: 22},
		},
	}
}

func truthsOf(t *testing.T, spec ClipSpec) []FrameTruth {
	t.Helper()
	var truths []FrameTruth
	for f, err := range Clip(spec) {
		if err != nil {
			t.Fatal(err)
		}
		truths = append(truths, f.Truth)
	}
	return truths
}

func TestClipIsDeterministic(t *testing.T) {
	var first [][]byte
	for f, err := range Clip(street()) {
		if err != nil {
			t.Fatal(err)
		}
		first = append(first, bytes.Clone(f.Draw().Pix))
	}
	if len(first) != 4 {
		t.Fatalf("%d frames, want 4", len(first))
	}
	truths := truthsOf(t, street()) // none of them drawn
	i := 0
	for f, err := range Clip(street()) {
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(truths[i], f.Truth); d != "" {
			t.Errorf("frame %d: the truth depends on whether the frames are drawn:\n%s", i, d)
		}
		if !bytes.Equal(first[i], f.Draw().Pix) {
			t.Errorf("frame %d differs between two runs", i)
		}
		i++
	}
	if bytes.Equal(first[0], first[1]) {
		t.Error("nothing moves")
	}
}

// A plate that the truth calls clear is really there: without it the picture
// changes inside its corners, and nowhere else.
func TestTruthIsWhereThePlateIs(t *testing.T) {
	spec := street()
	spec.Dusk, spec.Sensor, spec.Vehicles = nil, sensor.Effects{}, spec.Vehicles[:1]
	f, err := Still(spec, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Truth.Plates) != 1 {
		t.Fatalf("%d plates in the truth, want 1", len(f.Truth.Plates))
	}
	p := f.Truth.Plates[0]
	if !p.Clear || p.Text != "AB123C" || len(p.Rows) != 1 {
		t.Fatalf("truth %+v", p)
	}
	spec.Vehicles[0].Plate = PlateSpec{}
	bare, err := Still(spec, 0)
	if err != nil {
		t.Fatal(err)
	}
	var diff image.Rectangle
	for y := range f.Image.Rect.Dy() {
		for x := range f.Image.Rect.Dx() {
			if f.Image.RGBAAt(x, y) != bare.Image.RGBAAt(x, y) {
				diff = diff.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if !diff.In(p.Box) || !p.Box.Inset(2).In(diff) {
		t.Errorf("the plate's pixels are %v, its box %v", diff, p.Box)
	}
	for _, c := range p.Rows[0] {
		if !(image.Point{int(c.X), int(c.Y)}.In(p.Box)) {
			t.Errorf("the row of characters leaves the plate at %v", c)
		}
	}
}

// A vehicle before another hides its plate.
func TestHiddenPlateIsNotClear(t *testing.T) {
	spec := ClipSpec{View: View{Width: 640, Height: 480, Focal: 700, Rise: 1.2, Yaw: -8, Pitch: 2}, FPS: 1, Length: time.Second,
		Vehicles: []Vehicle{
			{Body: Hatch, Plate: PlateSpec{Layout: "nl"}, Lane: LaneNear, Away: true, Mark: 18},
			{Body: Van, Plate: PlateSpec{Layout: "fr"}, Lane: LaneNear, Away: true, Mark: 7},
		}}
	tr := truthsOf(t, spec)
	got := map[int]bool{}
	for _, p := range tr[0].Plates {
		got[p.Passage] = p.Clear
	}
	if d := cmp.Diff(map[int]bool{0: false, 1: true}, got); d != "" {
		t.Error(d)
	}
}

func TestClipRefuses(t *testing.T) {
	for name, spec := range map[string]ClipSpec{
		"no pixels":      {View: View{Width: 1, Height: 1, Focal: 1}},
		"no lens":        {View: View{Width: 100, Height: 100}},
		"unknown layout": {Vehicles: []Vehicle{{Plate: PlateSpec{Layout: "atlantis"}}}},
		"unknown body":   {Vehicles: []Vehicle{{Body: 99}}},
	} {
		n := 0
		for _, err := range Clip(spec) {
			n++
			if err == nil {
				t.Errorf("%s: a frame was drawn", name)
				break
			}
		}
		if n != 1 {
			t.Errorf("%s: %d results, want the error alone", name, n)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	d, err := newDirector(street())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.draw(d.look(1, 200*time.Millisecond))
	}
}
