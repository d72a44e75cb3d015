package draw

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr"
	"platewatch/ocr/find"
	"platewatch/ocr/rectify"
)

// TestLabels: as long as there is room, labels hide no box and no other label,
// and they never leave the picture.
func TestLabels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := newWriter(words(), 13)
	for range 200 {
		within := image.Rect(40, 30, 840, 630)
		var boxes []image.Rectangle
		for range 4 {
			x, y := within.Min.X+r.IntN(700), within.Min.Y+r.IntN(560)
			box := image.Rect(x, y, x+30+r.IntN(70), y+10+r.IntN(30))
			for _, b := range boxes { // labels cannot keep clear of boxes that cover each other's surroundings
				if box.Inset(-45).Overlaps(b) {
					box = image.Rectangle{}
					break
				}
			}
			if !box.Empty() {
				boxes = append(boxes, box)
			}
		}
		on := image.NewRGBA(image.Rect(0, 0, 880, 660))
		l := newLabels(within, w, boxes)
		for i, b := range boxes {
			l.put(on, b, fmt.Sprintf("%d  0.95", i), green)
		}
		for i, a := range l.taken {
			if !a.In(within) && i >= len(boxes) {
				t.Fatalf("the label %v leaves the picture %v", a, within)
			}
			for k, b := range l.taken[:i] {
				if a.Overlaps(b) {
					t.Fatalf("%d (%v) and %d (%v) of %v cover each other", i, a, k, b, boxes)
				}
			}
		}
	}
}

// TestLabelsWithoutRoom: more labels than fit are still all put inside.
func TestLabelsWithoutRoom(t *testing.T) {
	within := image.Rect(0, 0, 120, 60)
	l := newLabels(within, newWriter(words(), 13), nil)
	on := image.NewRGBA(within)
	for i := range 30 {
		l.put(on, image.Rect(i, 0, 100, 50), "ABC123 0.95", red)
	}
	for _, at := range l.taken {
		if !at.In(within) {
			t.Errorf("the label %v leaves the picture %v", at, within)
		}
	}
}

func TestMarks(t *testing.T) {
	m := gocv.NewMatWithSize(300, 400, gocv.MatTypeCV8UC3)
	defer m.Close()
	m.SetTo(gocv.NewScalar(0, 0, 0, 0))
	corner := func(x, y float64) rectify.Point { return rectify.Point{X: x, Y: y} }
	Marks(&m, []Mark{
		{Corners: [4]rectify.Point{corner(100, 100), corner(200, 100), corner(200, 130), corner(100, 130)}, Text: "AB123", Hit: true},
		{Corners: [4]rectify.Point{corner(-50, -9), corner(500, -9), corner(500, 900), corner(-50, 900)}, Text: strings.Repeat("LONG", 99)},
	})
	on, _ := canvasOn(m)
	if got := on.At(150, 100); got != color.Color(red) {
		t.Errorf("the upper edge is %v, want %v", got, red)
	}
	if got := on.At(150, 115); got != color.Color(color.RGBA{A: 255}) {
		t.Errorf("the middle of the plate is %v, want it untouched", got)
	}
}

func TestWriter(t *testing.T) {
	w := newWriter(words(), 15)
	const width = 120
	for _, text := range []string{"", "short", "a text of several words that does not fit", strings.Repeat("W", 200), "Ünïcode → 日本"} {
		if got := w.fit(text, width); w.width(got) > width {
			t.Errorf("%q is %d px wide", got, w.width(got))
		}
		joined := ""
		for _, line := range w.wrap(text, width) {
			if w.width(line) > width {
				t.Errorf("the line %q is %d px wide", line, w.width(line))
			}
			joined += " " + line
		}
		if !strings.Contains(joined, "…") && strings.TrimSpace(joined) != text {
			t.Errorf("%q became %q", text, joined)
		}
	}
}

// blank tells whether a part of a sheet is bare paper.
func blank(img *image.RGBA, part image.Rectangle) bool {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if img.RGBAAt(x, y) != paper {
				return false
			}
		}
	}
	return true
}

func checkSheet(t *testing.T, img *image.RGBA) {
	t.Helper()
	size := img.Bounds().Size()
	if size.X != sheetWidth || size.Y < 200 {
		t.Errorf("the sheet is %v", size)
	}
	if !blank(img, image.Rect(0, 0, margin, size.Y)) || !blank(img, image.Rect(size.X-margin, 0, size.X, size.Y)) ||
		!blank(img, image.Rect(0, size.Y-gap, size.X, size.Y)) {
		t.Error("something stands in the margin")
	}
}

// TestSheet: nothing of a real trace runs over the sheet's margins.
func TestSheet(t *testing.T) {
	for _, model := range []string{"plate", "eng"} {
		p := ocr.PictureParams()
		p.Model = model
		r, err := ocr.New(p)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, name := range []string{"none-signs.jpg", "eu-two-rows.jpg"} {
			m := gocv.IMRead(filepath.Join("..", "..", "..", "..", "ocr", "render", "testdata", "plates", name), gocv.IMReadColor)
			defer m.Close()
			trace, err := r.Trace(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if len(trace.Attempts) < 2 {
				t.Fatalf("%s has %d candidates", name, len(trace.Attempts))
			}
			checkSheet(t, Sheet(name, m, trace))
		}
	}
}

// TestSheetOfOddTraces: whatever the candidates are like, there is a sheet.
func TestSheetOfOddTraces(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {3, 2000}, {2000, 3}, {640, 480}} {
		m := gocv.NewMatWithSize(size.Y, size.X, gocv.MatTypeCV8UC3)
		defer m.Close()
		checkSheet(t, Sheet(strings.Repeat("long name ", 40), m, &ocr.Trace{}))
		grey := image.NewGray(image.Rect(0, 0, size.X, size.Y))
		odd := ocr.Attempt{
			Candidate: find.Candidate{Box: find.Box{X: -50, Y: -50, W: 9000, H: 9000}, Line: find.Line{Height: 1e6}, Shapes: 1e6},
			Level:     grey,
			Looks:     []ocr.LookTrace{{Cut: grey, Text: strings.Repeat("8", 99), Probability: 1}, {Cut: grey}, {Cut: grey}, {Cut: grey}, {Cut: grey}, {Cut: grey}, {Cut: grey}},
		}
		odd.Reading.Text = strings.Repeat("W", 99)
		elsewhere := ocr.Attempt{Candidate: find.Candidate{Box: find.Box{X: -500, Y: -500, W: 9, H: 9}}}
		trace := &ocr.Trace{Maps: make([]ocr.Map, 12)}
		for i := range trace.Maps {
			trace.Maps[i] = ocr.Map{Name: strings.Repeat("map ", 30), Picture: grey}
		}
		for range 12 {
			trace.Attempts = append(trace.Attempts, odd, elsewhere)
		}
		checkSheet(t, Sheet("odd", m, trace))
	}
}
