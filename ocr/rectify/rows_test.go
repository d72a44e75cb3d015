package rectify

import (
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
	"platewatch/ocr/rendertest"
)

// closeup is a picture of plates from a place that seed chooses: 60 to 200 px
// wide, up to 30° from the side and 20° from above, held a little askew.
func closeup(seed uint64, plates ...rendertest.Mounted) rendertest.Closeup {
	r := rand.New(rand.NewPCG(seed, 77))
	in := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	grey := uint8(r.IntN(200))
	for i := range plates {
		plates[i].Spec.Seed, plates[i].Spec.Wear, plates[i].Spec.Frame = seed, .5*r.Float64()*r.Float64(), r.IntN(3) == 0
	}
	return rendertest.Closeup{
		Plates: plates, Width: in(60, 200), Distance: in(2, 8), Yaw: in(-30, 30), Pitch: in(-2, 20), Roll: in(-4, 4), Margin: in(0, .12),
		Ground: color.RGBA{R: grey, G: grey, B: uint8(r.IntN(200)), A: 255}, Seed: seed,
		Sensor: sensor.Effects{Defocus: in(.3, .9), Noise: in(1, 6), Exposure: in(.7, 1.2), Quality: 60 + r.IntN(35)},
	}
}

// take draws the picture in grey.
func take(t *testing.T, c rendertest.Closeup) (gocv.Mat, []render.PlateView) {
	t.Helper()
	m, views := c.Grey(t)
	t.Cleanup(func() { m.Close() })
	return m, views
}

// rowsIn returns the most plate-like candidate's rows, and what is known of
// them: their number, 1 where there is no other, and the joined corners.
func rowsIn(t *testing.T, f *find.Finder, grey gocv.Mat) (n int, corners [4]Point) {
	t.Helper()
	candidates, err := f.Find(grey, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range candidates[:min(2, len(candidates))] {
		p, err := Level(grey, c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		lines, err := p.Lines()
		if err != nil {
			t.Fatal(err)
		}
		rows, err := p.Rows(grey, lines[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			defer r.Close()
		}
		if len(rows) > 0 {
			return len(rows), CornersOf(rows)
		}
	}
	return 1, corners
}

func finder(t *testing.T) *find.Finder {
	t.Helper()
	f, err := find.New(find.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestRows: plates of two rows show two, plates of one row show one, whatever
// else is written on them.
func TestRows(t *testing.T) {
	const each = 12
	f := finder(t)
	two, of := 0, 0
	for _, name := range render.LayoutNames() {
		l, _ := render.LayoutByName(name)
		for seed := range uint64(each) {
			c := closeup(seed, rendertest.Mounted{Spec: render.PlateSpec{Layout: name}})
			grey, views := take(t, c)
			n, corners := rowsIn(t, f, grey)
			if len(l.Rows) == 1 {
				if n != 1 {
					t.Errorf("%s, seed %d: %s is taken for a plate of %d rows", name, seed, views[0].Text, n)
				}
				continue
			}
			of++
			if n != 2 {
				continue
			}
			two++
			// The corners stand around the rows and are no wider than the plate
			// and its surroundings.
			high := views[0].Rows[0][3].Y - views[0].Rows[0][0].Y
			for k, q := range views[0].Corners {
				if d := math.Hypot(corners[k].X-q.X, corners[k].Y-q.Y); d > 1.1*high {
					t.Errorf("%s, seed %d: corner %d is %.1f character heights off", name, seed, k, d/high)
				}
			}
		}
	}
	t.Logf("%d of %d plates of two rows", two, of)
	if two*100 < of*95 {
		t.Errorf("%d of %d plates of two rows were seen as such, want 95 %%", two, of)
	}
}

// TestRowsOfOnePlate: two plates over each other, as on two cars or a trailer,
// are not one, however close.
func TestRowsOfOnePlate(t *testing.T) {
	f := finder(t)
	for _, test := range []struct {
		layout, upper, lower string
		apart                float64 // millimetres between the plates
	}{
		{"us-fl", "GTH 52K", "RBN L47", 5},
		{"us-moto", "LKM 42", "HRT 73", 5},
		{"us-moto", "LKM 42", "HRT 73", 12},
		{"tw", "ABC-12", "KLM-57", 5},
		{"tw", "ABC-12", "KLM-57", 15},
		{"gb-plain", "F123 ABC", "F124 ABC", 5},
		{"br", "ABC-1234", "KLM-5678", 5},
	} {
		l, _ := render.LayoutByName(test.layout)
		for seed := range uint64(8) {
			c := closeup(seed, rendertest.Mounted{Spec: render.PlateSpec{Layout: test.layout, Text: test.upper}},
				rendertest.Mounted{Spec: render.PlateSpec{Layout: test.layout, Text: test.lower}, Y: l.Height + test.apart})
			grey, _ := take(t, c)
			if n, _ := rowsIn(t, f, grey); n != 1 {
				t.Errorf("%s, %.0f mm apart, seed %d: one plate of %d rows", test.layout, test.apart, seed, n)
			}
		}
	}
}
