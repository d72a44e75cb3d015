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

const barHeight, barPitch, barWidth, bars = 40, 30, 16, 7

// sevenBars is a light plate with seven dark bars, which goes on beside them for margin
// pixels, and its line.
func sevenBars(t *testing.T, margin int) (*rectify.Plate, rectify.Line) {
	t.Helper()
	const x, y = 120, 100
	frame := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(60, 0, 0, 0), 200, 420, gocv.MatTypeCV8UC1)
	defer frame.Close()
	const end = x + (bars-1)*barPitch + barWidth
	gocv.Rectangle(&frame, image.Rect(x-margin, y-barHeight, end+margin, y+barHeight), color.RGBA{R: 220, G: 220, B: 220}, -1)
	for i := range bars {
		left := x + i*barPitch
		gocv.Rectangle(&frame, image.Rect(left, y-barHeight/2, left+barWidth, y+barHeight/2), color.RGBA{R: 30, G: 30, B: 30}, -1)
	}
	p, err := rectify.Level(frame, find.Candidate{Line: find.Line{X0: x, X1: end, Y: y, Height: barHeight}})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := p.Lines()
	if err != nil {
		t.Fatal(err)
	}
	return p, lines[0]
}

// middleThree is the line around the middle three of its seven bars.
func middleThree(line rectify.Line) rectify.Line {
	step := (line.X1 - line.X0) * barPitch / ((bars-1)*barPitch + barWidth)
	line.X0, line.X1 = line.X0+2*step, line.X1-2*step
	return line
}

// Of seven characters the finder saw the middle three. Without edges a crop around these
// shows one more on each side, and nothing tells that the plate goes on but that the text
// does; between edges it shows all seven, and later crops must, too.
func TestReaching(t *testing.T) {
	crop := Crop{Around: rectify.Around{Half: 0.8, Beyond: 0.8, Edges: true}}
	for _, test := range []struct {
		name   string
		margin int  // of the plate beside its characters
		whole  bool // the finder saw all of them
		text   string
		beside int // blank time steps
		longer bool
		shows  bool
	}{
		{"the text reaches beyond the line", 400, false, "AB12C", 0, true, true},
		{"and the crop reaches to the edges", 14, false, "XAB12CY", 1, true, false},
		{"the whole row", 400, true, "XAB12CY", 2, false, false},
		{"too short to be a plate", 400, false, "AB1", 0, false, false},
	} {
		p, line := sevenBars(t, test.margin)
		defer p.Close()
		if !test.whole {
			line = middleThree(line)
		}
		var seen panel
		seen.add(sureAmid(test.text, 0.999, test.beside))
		long, shows, err := seen.reaching(p, line, crop)
		if err != nil || shows != test.shows {
			t.Errorf("%s: shows more: %v, %v", test.name, shows, err)
		}
		const half = float64(barPitch) * rectify.CharHeight / barHeight / 2
		if longer := long.X0 < line.X0-half && long.X1 > line.X1+half; longer != test.longer {
			t.Errorf("%s: the line goes from %.0f to %.0f, it was %.0f to %.0f", test.name, long.X0, long.X1, line.X0, line.X1)
		}
	}
}
