package read

import (
	"image"
	"image/color"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/rectify"
)

// sure is what a network says of a text whose characters have the probability p each.
func sure(text string, p float32) ctc.Outputs { return sureAmid(text, p, 0) }

// sureAmid is the same with blank time steps on both sides; a character takes two.
func sureAmid(text string, p float32, beside int) ctc.Outputs {
	v := make([]float32, 2*(len(text)+beside)*Classes)
	for at := range 2*len(text) + 2*beside {
		i := (at - beside) / 2
		if at < beside || i >= len(text) || (at-beside)%2 == 1 {
			v[at*Classes] = 1
			continue
		}
		v[at*Classes+ctc.Class(text[i])] = p
		v[at*Classes+ctc.Class('8')] += (1 - p) * 0.9
	}
	return ctc.New(v)
}

func TestPanel(t *testing.T) {
	var p panel
	p.add(sure("AB123C", 0.6))
	if p.settled() {
		t.Error("a look that is not sure settles it")
	}
	p.add(sure("AB123C", 0.999))
	r, ok := p.result(lineOf(6))
	if !ok || r.Text != "AB123C" || r.Looks != 2 || len(r.Characters) != 6 {
		t.Errorf("read %+v, %v", r, ok)
	}
	for i, c := range r.Characters {
		sum := c.Confidence
		for _, a := range c.Alternatives {
			sum += a.Confidence
		}
		if sum > 1+1e-9 {
			t.Errorf("character %d adds up to %g", i, sum)
		}
	}
	var short panel
	short.add(sure("AB", 0.99))
	if r, ok := short.result(lineOf(2)); ok {
		t.Errorf("%q is read as a plate", r.Text)
	}
	var settled panel
	settled.add(sure("AB123C", 0.999))
	if !settled.settled() {
		t.Error("a sure look does not settle it")
	}
}

// Of seven characters the finder saw the middle three: a crop around these shows one
// more on each side, and nothing tells that the plate goes on but that the text does.
func TestReaching(t *testing.T) {
	const height, pitch, width, x, y = 40, 30, 16, 120, 100
	frame := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(220, 0, 0, 0), 200, 420, gocv.MatTypeCV8UC1)
	defer frame.Close()
	for i := range 7 {
		left := x + i*pitch
		gocv.Rectangle(&frame, image.Rect(left, y-height/2, left+width, y+height/2), color.RGBA{R: 30, G: 30, B: 30}, -1)
	}
	p, err := rectify.Level(frame, find.Candidate{Line: find.Line{X0: x, X1: x + 6*pitch + width, Y: y, Height: height}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	lines, err := p.Lines()
	if err != nil {
		t.Fatal(err)
	}
	whole := lines[0]
	step := (whole.X1 - whole.X0) * pitch / (6*pitch + width)
	middle := whole
	middle.X0, middle.X1 = whole.X0+2*step, whole.X1-2*step
	crop := Crop{Around: rectify.Around{Half: 0.8, Beyond: 0.8, Edges: true}}
	for _, test := range []struct {
		name   string
		line   rectify.Line
		text   string
		beside int // blank time steps
		more   bool
	}{
		{"the middle, and the text reaches beyond it", middle, "AB12C", 0, true},
		{"the whole row", whole, "XAB12CY", 2, false},
		{"too short to be a plate", middle, "AB1", 0, false},
	} {
		var seen panel
		seen.add(sureAmid(test.text, 0.999, test.beside))
		line, more, err := seen.reaching(p, test.line, crop)
		if err != nil || more != test.more {
			t.Errorf("%s: %v, %v", test.name, more, err)
		}
		if more && (line.X0 > middle.X0-step/2 || line.X1 < middle.X1+step/2) {
			t.Errorf("%s: the line goes from %.0f to %.0f, it was %.0f to %.0f", test.name, line.X0, line.X1, middle.X0, middle.X1)
		}
	}
}
