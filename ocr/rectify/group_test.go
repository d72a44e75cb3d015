package rectify

import (
	"image"
	"image/color"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
)

// TestGroupsThatStandApart: a plate's characters may stand in two groups
// further apart than a missing character is wide. Both belong to the line
// unless something says that the second is not on the same plate.
func TestGroupsThatStandApart(t *testing.T) {
	const h, y, x0 = 30, 100, 300 // where the group that was found begins, pixels
	ink := color.RGBA{R: 30, G: 30, B: 30}
	// bars draws n letters of a height from x on, and returns where they end.
	bars := func(m *gocv.Mat, x, n, height, off int) int {
		for range n {
			gocv.Rectangle(m, image.Rect(x, y+off-height/2, x+12, y+off+height/2), ink, -1)
			x += 22
		}
		return x - 10
	}
	tests := []struct {
		name  string
		taken bool
		draw  func(m *gocv.Mat, x1 int) (far int) // far is the end of the second group
	}{
		{"after a gap", true, func(m *gocv.Mat, x1 int) int { return bars(m, x1+100, 2, h, 0) }},
		{"a single letter", true, func(m *gocv.Mat, x1 int) int { return bars(m, x1+100, 1, h, 0) }},
		{"beyond the plate's edge", false, func(m *gocv.Mat, x1 int) int {
			gocv.Rectangle(m, image.Rect(x1+40, y-40, x1+48, y+40), ink, -1)
			return bars(m, x1+100, 2, h, 0)
		}},
		{"too far", false, func(m *gocv.Mat, x1 int) int { return bars(m, x1+140, 2, h, 0) }},
		{"lower letters", false, func(m *gocv.Mat, x1 int) int { return bars(m, x1+100, 2, h*3/4, 0) }},
		{"off the line", false, func(m *gocv.Mat, x1 int) int { return bars(m, x1+100, 2, h, 7) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frame := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(220, 0, 0, 0), 200, 700, gocv.MatTypeCV8UC1)
			defer frame.Close()
			x1 := bars(&frame, x0, 3, h, 0)
			far := test.draw(&frame, x1)
			p, err := Level(frame, find.Candidate{Line: find.Line{X0: x0, X1: float64(x1), Y: y, Height: h}})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			lines, err := p.Lines()
			if err != nil {
				t.Fatal(err)
			}
			end := p.toFrame(Point{lines[0].X1, lines[0].at(lines[0].X1)}).X
			want := float64(x1)
			if test.taken {
				want = float64(far)
			}
			if end < want-3 || end > want+3 {
				t.Errorf("the line ends at %.0f, want %.0f: the first group at %d, the second at %d", end, want, x1, far)
			}
		})
	}
}
