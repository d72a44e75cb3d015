package ocr

import (
	"image/color"
	"math/rand/v2"
	"testing"

	"platewatch/ocr/read"
	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
	"platewatch/ocr/rendertest"
	"platewatch/ocr/text"
)

// motorcycles are the layouts with two rows.
func motorcycles() (names []string) {
	for _, name := range render.LayoutNames() {
		if l, _ := render.LayoutByName(name); len(l.Rows) == 2 {
			names = append(names, name)
		}
	}
	return names
}

// TestRowsAreJoined: plates of two rows are read from top to bottom, in tight
// crops of 60 to 200 px width as well as with much around them.
func TestRowsAreJoined(t *testing.T) {
	r := open(t)
	for name, margin := range map[string]float64{"tight": .06, "wide": 1.2} {
		t.Run(name, func(t *testing.T) {
			right, of := 0, 0
			for _, layout := range motorcycles() {
				for seed := range uint64(5) {
					d := rand.New(rand.NewPCG(seed, 5))
					in := func(a, b float64) float64 { return a + (b-a)*d.Float64() }
					grey := uint8(in(0, 200))
					m, views := rendertest.Closeup{
						Plates: []rendertest.Mounted{{Spec: render.PlateSpec{Layout: layout, Seed: seed, Wear: in(0, .4), Frame: seed%3 == 0}}},
						Width:  in(60, 200), Distance: in(2, 8), Yaw: in(-30, 30), Pitch: in(0, 20), Roll: in(-4, 4), Margin: margin,
						Ground: color.RGBA{R: grey, G: grey, B: grey, A: 255}, Seed: seed,
						Sensor: sensor.Effects{Defocus: in(.3, .9), Noise: in(1, 6), Quality: 75},
					}.Mat(t)
					res, err := r.Recognise(t.Context(), m)
					m.Close()
					if err != nil {
						t.Fatal(err)
					}
					of++
					want, got := views[0].Text, "nothing"
					if len(res.Plates) > 0 {
						got = res.Plates[0].Text
						if o := res.Plates[0].Box.Intersect(views[0].Box); got == want && 2*o.Dy() < views[0].Box.Dy() {
							t.Errorf("%s: the box %v does not reach around both rows in %v", want, res.Plates[0].Box, views[0].Box)
						}
					}
					if text.Fold(got) == text.Fold(want) {
						right++
					} else {
						t.Logf("%s, seed %d: %s read as %s", layout, seed, want, got)
					}
				}
			}
			t.Logf("%d of %d plates of two rows read (O/0 and I/1 alike)", right, of)
			if right*100 < of*90 {
				t.Errorf("%d of %d plates of two rows read, want 90 %%", right, of)
			}
		})
	}
}

// TestJoin: both rows must be right for the whole to be.
func TestJoin(t *testing.T) {
	characters := func(read ...string) (all []text.Character) {
		for _, c := range read {
			all = append(all, text.Character{Text: c})
		}
		return all
	}
	up := read.Result{Reading: text.Reading{Text: "AB", Confidence: 0.9, Characters: characters("A", "B")}, Agreed: true, Looks: 1}
	low := read.Result{Reading: text.Reading{Text: "123", Confidence: 0.5, Characters: characters("1", "2", "3")}, Looks: 2}
	j := join(up, low)
	if j.Text != "AB123" || j.Confidence != 0.45 || j.Agreed || j.Looks != 3 || len(j.Characters) != 5 || j.Characters[2].Text != "1" {
		t.Errorf("joined to %+v", j)
	}
}
