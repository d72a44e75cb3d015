package ocr

import (
	"image"
	"slices"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/text"
)

// TestSeveralPlates: a plate that was read does not hide the one beside it.
func TestSeveralPlates(t *testing.T) {
	r := open(t)
	want := []string{"HX274K", "KRD8254"}
	left, right := picture(t, "eu-nl-day.jpg"), picture(t, "us-tx-frame.jpg")
	h := min(left.Rows(), right.Rows())
	lower := func(m gocv.Mat) gocv.Mat { // the plates are in the lower part
		return m.Region(image.Rect(0, m.Rows()-h, m.Cols(), m.Rows()))
	}
	a, b := lower(left), lower(right)
	defer a.Close()
	defer b.Close()
	both := gocv.NewMat()
	defer both.Close()
	gocv.Hconcat(a, b, &both)
	res, err := r.Recognise(t.Context(), both)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range want {
		if !slices.ContainsFunc(res.Plates, func(p Plate) bool { return p.Text == text }) {
			t.Errorf("%s is not among the plates: %+v", text, res.Plates)
		}
	}
}

func TestWorthReading(t *testing.T) {
	r := &Recogniser{p: DefaultParams()}
	at := func(x int) (find.Box, image.Rectangle) {
		return find.Box{X: float64(x), Y: 50, W: 100, H: 20}, image.Rect(x, 50, x+100, 70)
	}
	box, same := at(100)
	_, other := at(400)
	plate := func(read string, confidence float64, box image.Rectangle) Plate {
		return Plate{Reading: text.Reading{Text: read, Confidence: confidence}, Box: box}
	}
	sure, unsure, elsewhere := plate("AB123C", 0.9, same), plate("SALE12", 0.5, same), plate("AB123C", 0.9, other)
	sign := plate("SALE12", 0.3, other)
	for _, c := range []struct {
		name   string
		score  float64
		read   int
		plates []Plate
		want   reason
	}{
		{"nothing yet", 0.1, 0, nil, notJudged},
		{"hardly a plate", 0.01, 0, nil, lowScore},
		{"too many", 0.9, 4, nil, enoughRead},
		{"lettering beside a plate", 0.2, 1, []Plate{elsewhere}, lowBeside},
		{"a plate beside what may be a sign", 0.2, 1, []Plate{sign}, notJudged},
		{"a second plate", 0.6, 1, []Plate{elsewhere}, notJudged},
		{"a sure plate again", 0.9, 1, []Plate{sure}, placeTaken},
		{"a better line of an unsure plate", 0.9, 1, []Plate{unsure}, notJudged},
	} {
		if got := r.worthReading(find.Candidate{Score: c.score, Box: box}, c.read, c.plates); got.reason != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
