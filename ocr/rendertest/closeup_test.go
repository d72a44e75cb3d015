package rendertest

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"testing"

	"platewatch/ocr/render"
	"platewatch/ocr/render/paint"
)

// TestCloseupGeometry: seen from the right and from above a plate is narrower
// and lower, its right and its upper edge are the longer ones, and from both at
// once its upper edge falls to the right by tan(yaw)·sin(pitch).
func TestCloseupGeometry(t *testing.T) {
	take := func(c Closeup) render.PlateView {
		t.Helper()
		c.Plates, c.Width, c.Margin = []Mounted{{Spec: render.PlateSpec{Layout: "br", Text: "KPD-4826"}}}, 400, .3
		_, views, err := c.Take()
		if err != nil {
			t.Fatal(err)
		}
		if !views[0].Clear || views[0].Text != "KPD4826" {
			t.Fatalf("clear %v, text %q", views[0].Clear, views[0].Text)
		}
		return views[0]
	}
	edges := func(v render.PlateView) (top, right, bottom, left float64) {
		q := v.Corners
		return q[1].Sub(q[0]).Len(), q[2].Sub(q[1]).Len(), q[2].Sub(q[3]).Len(), q[3].Sub(q[0]).Len()
	}
	front := take(Closeup{})
	top, right, bottom, left := edges(front)
	if math.Abs(top-400) > 1 || math.Abs(bottom-400) > 1 || math.Abs(left-130) > 1 || math.Abs(right-130) > 1 {
		t.Errorf("face on the edges are %.1f %.1f %.1f %.1f, want 400 130 400 130", top, right, bottom, left)
	}
	side := take(Closeup{Yaw: 40, Distance: 2})
	if top, right, _, left = edges(side); top > 400*.8 || right <= left*1.1 {
		t.Errorf("from the right: top %.1f, right %.1f, left %.1f", top, right, left)
	}
	above := take(Closeup{Pitch: 25, Distance: 1})
	if top, _, bottom, left = edges(above); left > 130*.95 || top <= bottom {
		t.Errorf("from above: top %.1f, bottom %.1f, left %.1f", top, bottom, left)
	}
	both := take(Closeup{Yaw: 40, Pitch: 20, Distance: 50})
	if slope, want := (both.Corners[1].Y-both.Corners[0].Y)/(both.Corners[1].X-both.Corners[0].X), math.Tan(40*math.Pi/180)*math.Sin(20*math.Pi/180); math.Abs(slope-want) > .02 {
		t.Errorf("from the right and above the upper edge falls by %.3f, want %.3f", slope, want)
	}
	rolled := take(Closeup{Roll: 10})
	if slope := (rolled.Corners[0].Y - rolled.Corners[1].Y) / (rolled.Corners[1].X - rolled.Corners[0].X); math.Abs(slope-math.Tan(10*math.Pi/180)) > .01 {
		t.Errorf("rolled clockwise the plate rises by %.3f to the right", slope)
	}
}

// TestCloseupPaintsWhereItSays: inside a plate's corners is its face, outside
// the ground.
func TestCloseupPaintsWhereItSays(t *testing.T) {
	c := Closeup{
		Plates: []Mounted{{Spec: render.PlateSpec{Layout: "gb-moto", Text: "AB12/CDE"}}, {Spec: render.PlateSpec{Layout: "nl-two", Text: "LL/DDDL"}, Y: 260}},
		Width:  160, Yaw: 20, Pitch: 10, Roll: 5, Margin: .2, Ground: color.RGBA{R: 20, G: 20, B: 60, A: 255},
	}
	c.Plates[1].Spec.Text = "LD/345G"
	img, views, err := c.Take()
	if err != nil {
		t.Fatal(err)
	}
	if len(views) != 2 || len(views[0].Rows) != 2 || len(views[1].Rows) != 2 {
		t.Fatalf("%d views: %+v", len(views), views)
	}
	for _, v := range views {
		m, err := paint.RectTo(1, 1, v.Corners)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []struct {
			p    paint.Point
			face bool
		}{{paint.Point{X: .03, Y: .5}, true}, {paint.Point{X: .97, Y: .97}, true}, {paint.Point{X: .5, Y: .51}, true}, {paint.Point{X: -.05, Y: .5}, false}, {paint.Point{X: .5, Y: 1.06}, false}} {
			p := m.Apply(at.p)
			if got := img.RGBAAt(int(p.X), int(p.Y)); (got.G > 100) != at.face {
				t.Errorf("%s at %v: %v", v.Text, at.p, got)
			}
		}
	}
	again, _, err := c.Take()
	if err != nil || !bytes.Equal(img.Pix, again.Pix) {
		t.Errorf("the same specification gives another picture (%v)", err)
	}
}

func TestCloseupRefuses(t *testing.T) {
	plate := []Mounted{{Spec: render.PlateSpec{Layout: "br"}}}
	for name, c := range map[string]Closeup{
		"no plate": {Width: 100}, "no width": {Plates: plate}, "from behind": {Plates: plate, Width: 100, Yaw: 120},
		"no layout": {Plates: []Mounted{{}}, Width: 100}, "all cut off": {Plates: plate, Width: 100, Margin: -2},
	} {
		if img, _, err := c.Take(); err == nil {
			t.Errorf("%s: a picture of %v", name, img.Rect.Intersect(image.Rect(0, 0, 9, 9)))
		}
	}
}
