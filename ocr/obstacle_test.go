package ocr

import (
	"image/color"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/render"
	"platewatch/ocr/rendertest"
)

// TestBesideAnObstacle: of plates that lose a character to a pole or to the next
// car, some are surely read as shorter ones; fewer than of those in full view.
func TestBesideAnObstacle(t *testing.T) {
	p := PictureParams()
	p.Region = "uk"
	r, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sure := func(text string, seed uint64, cover float64) (wrong, right bool) {
		c := rendertest.Closeup{Plates: []rendertest.Mounted{{Spec: render.PlateSpec{Layout: "gb-plain", Text: text, Seed: seed}}},
			Width: 160, Margin: 2, Ground: color.RGBA{60, 70, 90, 255}, Seed: seed}
		img, views, err := c.Take()
		if err != nil {
			t.Fatal(err)
		}
		row := views[0].Rows[0]
		if cover > 0 { // a pole of another grey from there to the right
			from := int(row[1].X - cover*(row[1].X-row[0].X))
			for y := range img.Rect.Dy() {
				for x := from; x < min(from+60, img.Rect.Dx()); x++ {
					img.SetRGBA(x, y, color.RGBA{90, 95, 100, 255})
				}
			}
		}
		m, err := gocv.ImageToMatRGB(img)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		res, err := r.Recognise(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		for _, plate := range res.Plates {
			if plate.Confidence >= 0.9 {
				return plate.Text != views[0].Text, plate.Text == views[0].Text
			}
		}
		return false, false
	}
	whole, cut := 0, 0
	for i, text := range []string{"KD26 XCS", "LA08 JYJ", "YV40 RXF", "PG66 ANU", "VH80 SGW", "UF60 GLW", "HM46 AAK", "BR49 VVG"} {
		if _, right := sure(text, uint64(i), 0); right {
			whole++
		}
		for _, cover := range []float64{0.1, 0.15, 0.2, 0.3} {
			if wrong, _ := sure(text, uint64(i), cover); wrong {
				cut++
			}
		}
	}
	t.Logf("%d of 8 in full view surely right, %d of 32 behind a pole surely wrong", whole, cut)
	if whole < 5 || cut > 1 {
		t.Error("want at least 5 and at most 1")
	}
}
