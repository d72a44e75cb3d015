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
	_, beside := at(220)
	plate := func(read string, confidence float64, box image.Rectangle) Plate {
		return Plate{Reading: text.Reading{Text: read, Confidence: confidence}, Box: box, Height: 11}
	}
	sure, unsure, elsewhere := plate("AB123C", 0.9, same), plate("SALE12", 0.5, same), plate("AB123C", 0.9, other)
	near := plate("AB123C", 0.9, beside)
	sign := plate("SALE12", 0.3, other)
	for _, c := range []struct {
		name   string
		score  float64
		read   int
		plates []Plate
		want   reason
	}{
		{"nothing yet", 0.12, 0, nil, notJudged},
		{"hardly a plate", 0.01, 0, nil, lowScore},
		{"one of many", 0.12, 6, nil, notJudged},
		{"too many", 0.9, 10, nil, enoughRead},
		{"lettering beside a plate", 0.2, 1, []Plate{near}, lowBeside},
		{"hardly a plate in another place", 0.05, 1, []Plate{elsewhere}, lowScore},
		{"perhaps another vehicle's plate", 0.3, 1, []Plate{elsewhere}, notJudged},
		{"hardly another vehicle's plate", 0.2, 1, []Plate{elsewhere}, lowBeside},
		{"a plate beside what may be a sign", 0.2, 1, []Plate{sign}, notJudged},
		{"a second plate", 0.6, 1, []Plate{elsewhere}, notJudged},
		{"a sure plate again", 0.9, 1, []Plate{sure}, placeTaken},
		{"a better line of an unsure plate", 0.9, 1, []Plate{unsure}, notJudged},
	} {
		candidate := find.Candidate{Score: c.score, Box: box, Line: find.Line{X0: box.X, X1: box.X + box.W, Y: box.Y + box.H/2, Height: 11}}
		if got := r.worthReading(candidate, image.Rect(0, 0, 1280, 720), c.read, c.plates); got.reason != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestDemandOn: beside a likely plate a place has to show a row of characters or a
// plate's edges, however well it ranks, also where the finder saw a short plate.
func TestDemandOn(t *testing.T) {
	plate := func(confidence float64) []Plate {
		return []Plate{{Reading: text.Reading{Text: "AB123C", Confidence: confidence}}}
	}
	for _, c := range []struct {
		name   string
		score  float64
		framed bool
		before int
		plates []Plate
		want   bool
	}{
		{"the first place", 0.3, false, 0, nil, false},
		{"one of many", 0.3, false, few, nil, true},
		{"one of many that stands out", 0.6, false, few, nil, false},
		{"a short row on a plate", 0.3, true, few, nil, false},
		{"beside a likely plate", 0.9, false, 1, plate(0.6), true},
		{"a short row beside a likely plate", 0.5, true, 1, plate(0.6), true},
		{"beside what may be a sign", 0.9, false, 1, plate(0.3), false},
	} {
		if d := demandOn(find.Candidate{Score: c.score, Framed: c.framed}, c.before, c.plates, false); d.row != c.want {
			t.Errorf("%s: has to show a row: %v", c.name, d.row)
		}
	}
}

// TestBeyondEnd: a row of characters that leaves no room for a plate's edge at the upper
// end is none, unless the picture shows little else.
func TestBeyondEnd(t *testing.T) {
	whole := image.Rect(-100, -50, 1180, 670) // of which a part is searched
	for _, c := range []struct {
		name      string
		y, height float64
		picture   image.Rectangle
		want      bool
	}{
		{"a house at the upper end", 50, 180, whole, true},
		{"a vehicle that leaves", 655, 30, whole, false},
		{"a sign at the upper end", -40, 18, whole, true},
		{"the camera's own text", -22, 18, whole, false},
		{"a plate alone", 20, 32, image.Rect(0, 0, 160, 40), false},
	} {
		if got := beyondEnd(find.Line{X0: 10, X1: 150, Y: c.y, Height: c.height}, c.picture); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestAnother: which places beside a plate may be another vehicle's.
func TestAnother(t *testing.T) {
	plate := Plate{Box: image.Rect(500, 400, 600, 425), Height: 14}
	for _, c := range []struct {
		name         string
		x, y, height float64
		want         bool
	}{
		{"the next lane", 900, 410, 14, true},
		{"further back", 620, 150, 8, true},
		{"the vehicle's own badge", 420, 330, 14, false},
		{"a sign above, larger", 900, 100, 20, false},
		{"print on the road, smaller", 300, 700, 9, false},
		{"a shop's name", 900, 410, 40, false},
	} {
		l := find.Line{X0: c.x - 3*c.height, X1: c.x + 3*c.height, Y: c.y, Height: c.height}
		box := find.Box{X: l.X0, Y: c.y - c.height, W: 6 * c.height, H: 2 * c.height}
		if got := another(find.Candidate{Line: l, Box: box}, plate); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestOutOfScale: lettering above two plates and larger than they are is on a sign.
func TestOutOfScale(t *testing.T) {
	at := func(y int, height, confidence float64) Plate {
		return Plate{Reading: text.Reading{Text: "AB123C", Confidence: confidence}, Box: image.Rect(0, y, 100, y+20), Height: height}
	}
	plates := []Plate{at(500, 14, 0.9), at(520, 15, 0.95), at(510, 14, 0.3)}
	for _, c := range []struct {
		name   string
		p      Plate
		plates []Plate
		want   bool
	}{
		{"a sign above the road", at(100, 40, 0.9), plates, true},
		{"a vehicle further back", at(100, 9, 0.9), plates, false},
		{"a nearer vehicle", at(700, 40, 0.9), plates, false},
		{"above one plate only", at(100, 40, 0.9), plates[1:], false},
	} {
		if _, got := outOfScale(c.p, c.plates); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
