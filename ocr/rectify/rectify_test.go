package rectify

import (
	"image"
	"image/color"
	"math"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
)

// row draws six dark bars as letters on a bright ground, on a line of the given
// slope through (cx, cy), h pixels high and 0.6 h apart, and returns the line.
func row(t *testing.T, cx, cy, h, slope float64, light bool) (gocv.Mat, find.Line) {
	t.Helper()
	ground, ink := 220.0, color.RGBA{R: 30, G: 30, B: 30}
	if light {
		ground, ink = 30, color.RGBA{R: 220, G: 220, B: 220}
	}
	m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(ground, 0, 0, 0), 400, 600, gocv.MatTypeCV8UC1)
	const letters = 6
	pitch, width := 0.75*h, 0.4*h
	first := cx - pitch*(letters-1)/2
	for i := range letters {
		x := first + float64(i)*pitch
		y := cy + slope*(x-cx)
		gocv.Rectangle(&m, image.Rect(int(x-width/2), int(y-h/2), int(x+width/2), int(y+h/2)), ink, -1)
	}
	return m, find.Line{X0: first - width/2, X1: first + pitch*(letters-1) + width/2, Y: cy, Slope: slope, Height: h}
}

func TestLevelAndLines(t *testing.T) {
	tests := []struct {
		name          string
		cx, cy, h, dy float64
		light         bool
	}{
		{"level", 300, 200, 40, 0, false},
		{"small", 300, 200, 12, 0, false},
		{"large", 300, 200, 90, 0, false},
		{"falling to the right", 300, 200, 30, 0.15, false},
		{"rising to the right", 300, 200, 30, -0.2, false},
		{"light on dark", 300, 200, 30, 0, true},
		{"at the upper edge", 300, 18, 30, 0, false},
		{"at the left edge", 70, 200, 30, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frame, line := row(t, test.cx, test.cy, test.h, test.dy, test.light)
			defer frame.Close()
			p, err := Level(frame, find.Candidate{Line: line, Light: test.light})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			lines, err := p.Lines()
			if err != nil {
				t.Fatal(err)
			}
			best := lines[0]
			if len(best.Letters) != 6 {
				t.Errorf("%d letters, want 6", len(best.Letters))
			}
			if math.Abs(best.Height-CharHeight) > 9 { // shearing a bar makes it higher
				t.Errorf("the letters are %.1f px high, want about %d", best.Height, CharHeight)
			}
			// Where the line lies in the frame, to a tenth of the height.
			near := test.h/10 + 1
			lineAt := func(x float64) float64 { return line.Y + line.Slope*(x-(line.X0+line.X1)/2) }
			for _, end := range []struct{ here, there float64 }{{best.X0, line.X0}, {best.X1, line.X1}} {
				got := p.toFrame(Point{end.here, best.at(end.here)})
				if math.Abs(got.X-end.there) > near || math.Abs(got.Y-lineAt(end.there)) > near {
					t.Errorf("an end is at %.1f, %.1f in the frame, want %.1f, %.1f", got.X, got.Y, end.there, lineAt(end.there))
				}
			}
			if got := p.FrameHeight(best); math.Abs(got-test.h) > near {
				t.Errorf("the letters are %.1f px high in the frame, want %.1f", got, test.h)
			}
			corners := p.Corners(best)
			if !(corners[0].X < line.X0 && corners[1].X > line.X1 && corners[0].Y < corners[3].Y) {
				t.Errorf("the corners %v are not around the line", corners)
			}
			// There and back again.
			for i, q := range p.Bounds(best) {
				here, side := best.X0, -0.5
				if i == 1 || i == 2 {
					here = best.X1
				}
				if i >= 2 {
					side = 0.5
				}
				want := Point{here, best.at(here) + side*best.Height}
				if got := p.FromFrame(q); math.Hypot(got.X-want.X, got.Y-want.Y) > 1e-6 {
					t.Errorf("corner %d of the characters is %v on the levelled picture, want %v", i, got, want)
				}
			}
		})
	}
}

// TestStrip: the strip is dark ink on white, of the size asked for.
func TestStrip(t *testing.T) {
	frame, line := row(t, 300, 200, 30, 0.1, true)
	defer frame.Close()
	p, err := Level(frame, find.Candidate{Line: line, Light: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	lines, err := p.Lines()
	if err != nil {
		t.Fatal(err)
	}
	strip, err := p.Strip(lines[0], Cut{Height: 48, Fill: 0.72, Beyond: 0.25, Stretch: 1, Border: 12})
	if err != nil {
		t.Fatal(err)
	}
	defer strip.Close()
	if strip.Rows() != 48+2*12 {
		t.Errorf("the strip is %d px high, want %d", strip.Rows(), 48+2*12)
	}
	if got := strip.GetUCharAt(0, 0); got != 255 {
		t.Errorf("the border is %d, want white", got)
	}
	dark := 0
	for x := range strip.Cols() {
		if strip.GetUCharAt(strip.Rows()/2, x) < 100 {
			dark++
		}
	}
	if share := float64(dark) / float64(strip.Cols()); share < 0.3 || share > 0.6 {
		t.Errorf("%.0f %% of the middle row is ink, want about half", 100*share)
	}
}

func TestLevelRefuses(t *testing.T) {
	frame := gocv.NewMatWithSize(100, 100, gocv.MatTypeCV8UC1)
	defer frame.Close()
	for name, l := range map[string]find.Line{
		"no height": {X0: 1, X1: 50, Y: 50},
		"no length": {X0: 50, X1: 50, Y: 50, Height: 10},
		"outside":   {X0: 500, X1: 550, Y: 50, Height: 10},
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := Level(frame, find.Candidate{Line: l}); err == nil {
				p.Close()
				t.Error("no error")
			}
		})
	}
}

// TestLevelSettlesPolarity: whatever the finder took the characters for, they
// come out dark.
func TestLevelSettlesPolarity(t *testing.T) {
	for _, light := range []bool{false, true} {
		for _, said := range []bool{false, true} {
			frame, line := row(t, 300, 200, 30, 0.1, light)
			defer frame.Close()
			p, err := Level(frame, find.Candidate{Line: line, Light: said})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if p.Light() != light {
				t.Errorf("light %v, said to be %v: taken for %v", light, said, p.Light())
			}
			// The ground between the plate's upper edge and the line.
			if got := p.Grey.GetUCharAt(p.Grey.Rows()/2-CharHeight*3/5, p.Grey.Cols()/2); got < 180 {
				t.Errorf("light %v, said to be %v: the ground is %d", light, said, got)
			}
		}
	}
}
