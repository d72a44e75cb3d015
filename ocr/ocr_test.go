package ocr

import (
	"context"
	"errors"
	"image"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/ocr/judge"
	"platewatch/ocr/text"
)

func open(t testing.TB) *Recogniser {
	t.Helper()
	p := PictureParams()
	p.CloseUps = false
	r, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func picture(t testing.TB, name string) gocv.Mat {
	t.Helper()
	m := gocv.IMRead(filepath.Join("render", "testdata", "plates", name), gocv.IMReadColor)
	if m.Empty() {
		t.Fatalf("%s could not be read", name)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestRecognise(t *testing.T) {
	r := open(t)
	m := picture(t, "us-tx-frame.jpg")
	res, err := r.Recognise(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Plates) == 0 || res.Plates[0].Text != "KRD8254" {
		t.Fatalf("read %+v", res.Plates)
	}
	for _, other := range res.Plates[1:] { // there is a sign in the picture
		if other.Confidence > 0.5 {
			t.Errorf("%s is reported with a confidence of %.2f", other.Text, other.Confidence)
		}
	}
	p := res.Plates[0]
	if p.Confidence < 0.5 || p.Confidence > 1 || len(p.Characters) != 7 || res.Find <= 0 || res.Read <= 0 {
		t.Errorf("confidence %g, %d characters, %v and %v", p.Confidence, len(p.Characters), res.Find, res.Read)
	}
	if !p.Box.In(image.Rect(0, 0, m.Cols(), m.Rows())) || p.Box.Dx() < 60 {
		t.Errorf("the box is %v", p.Box)
	}
}

// TestSmallAndOddPictures: nothing that is a picture may crash the recogniser.
func TestSmallAndOddPictures(t *testing.T) {
	r := open(t)
	for _, size := range []image.Point{{1, 1}, {2, 2000}, {2000, 2}, {19, 19}, {20, 20}, {21, 40}, {41, 81}, {4000, 30}} {
		for _, kind := range []gocv.MatType{gocv.MatTypeCV8UC1, gocv.MatTypeCV8UC3} {
			m := gocv.NewMatWithSize(size.Y, size.X, kind)
			gocv.RandU(&m, gocv.NewScalar(0, 0, 0, 0), gocv.NewScalar(255, 255, 255, 0))
			if _, err := r.Recognise(t.Context(), m); err != nil {
				t.Errorf("%v of type %v: %v", size, kind, err)
			}
			m.Close()
		}
	}
	empty := gocv.NewMat()
	defer empty.Close()
	if _, err := r.Recognise(t.Context(), empty); err == nil {
		t.Error("an empty picture gives no error")
	}
}

func TestRecogniseStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(t).Recognise(ctx, picture(t, "us-tx-frame.jpg")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestChoose(t *testing.T) {
	at := func(read string, x int, confidence, plate float64) Attempt {
		return Attempt{Reading: JudgedPlate{Plate: Plate{Reading: text.Reading{Text: read, Confidence: confidence}, Box: image.Rect(x, 0, x+100, 30)}, OnPlate: plate}}
	}
	attempts := []Attempt{
		at("AB123C", 0, 0.6, 0.9),
		at("AB123", 10, 0.5, 0.9),   // the same place, less sure
		at("XY987Z", 300, 0.8, 0.9), // another vehicle
		at("CD45EF", 600, 0.8, 0.1), // hardly a plate
		at("1I1111", 900, 0.9, 0.9), // a grille
		at("SALE", 1200, 0.9, 0.9),  // a sign
		at("FG1", 1500, 0.9, 0.9),   // too short
	}
	got := (&Recogniser{judge: judge.OfLines()}).choose(attempts)
	var texts []string
	for _, p := range got {
		texts = append(texts, p.Text)
	}
	if d := cmp.Diff([]string{"XY987Z", "AB123C"}, texts); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	why := map[string]string{}
	for _, a := range attempts {
		why[a.Reading.Text] = a.Verdict.String()
	}
	if d := cmp.Diff(map[string]string{
		"AB123C": "reported", "XY987Z": "reported",
		"AB123":  "overlaps plate AB123C, which is more confident",
		"CD45EF": "probability of being a plate 0.10 below 0.25",
		"1I1111": "1I1111 is not a plausible plate text", "SALE": "SALE is not a plausible plate text", "FG1": "FG1 is not a plausible plate text",
	}, why); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestSmallPrint: text above or below a number on its plate is not a plate of its
// own, however sure its reading is; text as high as the number, or further away, is.
func TestSmallPrint(t *testing.T) {
	at := func(read string, height float64, x0, y0, x1, y1 int) Attempt {
		return Attempt{Reading: JudgedPlate{
			Plate:   Plate{Reading: text.Reading{Text: read, Confidence: 0.8}, Height: height, Box: image.Rect(x0, y0, x1, y1)},
			OnPlate: 0.9,
		}}
	}
	number := at("568201", 30, 100, 100, 300, 150)
	for name, test := range map[string]struct {
		other Attempt
		want  string
	}{
		"the state above": {at("HAWAI1", 15, 140, 70, 260, 98), "small print on plate 568201"},
		"a slogan below":  {at("AL0HAST", 18, 120, 155, 280, 180), "small print on plate 568201"},
		"as high":         {at("KLM459", 28, 100, 155, 300, 205), "reported"},
		"a car behind":    {at("KLM459", 15, 140, 20, 260, 60), "reported"},
		"beside":          {at("KLM459", 15, 310, 110, 420, 140), "reported"},
	} {
		attempts := []Attempt{test.other, number}
		(&Recogniser{judge: judge.OfPlates()}).choose(attempts)
		if got := attempts[0].Verdict.String(); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if got := attempts[1].Verdict; !got.Reported() {
			t.Errorf("%s: the number itself: %s", name, got)
		}
	}
}
