package ocr

import (
	"image"
	"testing"

	"gocv.io/x/gocv"
)

// plateAt is the plate that was read with its middle in a box; the zero plate if
// there is none.
func plateAt(plates []Plate, box image.Rectangle) Plate {
	for _, p := range plates {
		if (image.Pt((p.Box.Min.X+p.Box.Max.X)/2, (p.Box.Min.Y+p.Box.Max.Y)/2)).In(box) {
			return p
		}
	}
	return Plate{}
}

// A plate that the end of the picture, or of the area that is searched, may cut
// off is not reported as a sure one, at whatever side; one in full view is.
func TestCutOffPlateIsNotSure(t *testing.T) {
	r := open(t)
	for _, name := range []string{"eu-nl-day.jpg", "br-grey.jpg"} {
		m := picture(t, name)
		whole := image.Rect(0, 0, m.Cols(), m.Rows())
		read := func(to image.Rectangle) []Plate {
			part := m.Region(to)
			defer part.Close()
			own := part.Clone()
			defer own.Close()
			res, err := r.Recognise(t.Context(), own)
			if err != nil {
				t.Fatal(err)
			}
			return res.Plates
		}
		full := read(whole)[0]
		if full.Confidence < 0.8 || full.Hidden > 0 {
			t.Fatalf("%s: the whole plate: %s at %.2f, hidden %.2f", name, full.Text, full.Confidence, full.Hidden)
		}
		// Cut between characters and through them.
		for share := 0.1; share < 0.4; share += 0.12 {
			x, y := int(share*float64(full.Box.Dx())), int(share*float64(full.Box.Dy()))
			for side, to := range map[string]image.Rectangle{
				"left":   image.Rect(full.Box.Min.X+x, 0, whole.Max.X, whole.Max.Y),
				"right":  image.Rect(0, 0, full.Box.Max.X-x, whole.Max.Y),
				"bottom": image.Rect(0, 0, whole.Max.X, full.Box.Max.Y-y),
			} {
				p := plateAt(read(to), full.Box.Sub(to.Min))
				if p.Text != full.Text && p.Confidence >= 0.8 {
					t.Errorf("%s, cut %.0f %% at the %s: %s at %.2f", name, 100*share, side, p.Text, p.Confidence)
				}
				// The same with an area that ends there.
				if q := full.Within(inRect(to)); q.Hidden < 0.3 || q.Confidence >= 0.8 {
					t.Errorf("%s, the area ends %.0f %% at the %s: %.2f, hidden %.2f", name, 100*share, side, q.Confidence, q.Hidden)
				}
			}
		}
	}
}

// The border of a part of the frame that is searched is not the border of the frame.
func TestSearchedPartIsNotTheFrame(t *testing.T) {
	r := open(t)
	m := picture(t, "eu-nl-day.jpg")
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(m, &grey, gocv.ColorBGRToGray)
	res, err := r.Recognise(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	full := res.Plates[0]
	place := full.Box.Inset(-int(full.Height * 0.6)).Union(image.Rect(0, 0, full.Box.Max.X+int(0.6*full.Height), full.Box.Max.Y+20))
	var memory Memory
	res, err = r.Follow(t.Context(), grey, place, 0, &memory)
	if err != nil {
		t.Fatal(err)
	}
	if p := plateAt(res.Plates, full.Box); p.Text != full.Text || p.Hidden > 0 {
		t.Errorf("%+v", p)
	}
}
