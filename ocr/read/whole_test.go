package read

import (
	"math"
	"testing"

	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/internal/shape"
	"platewatch/ocr/rectify"
)

// reciting is an engine that gives the same outputs whatever it is shown, one after the other.
type reciting struct{ outputs []ctc.Outputs }

func (e *reciting) Read(shape.Plane) (Output, error) {
	o := e.outputs[0]
	e.outputs = e.outputs[1:]
	var steps []float32
	for _, step := range o {
		for _, v := range step {
			steps = append(steps, float32(math.Exp(float64(v))))
		}
	}
	return Output{Steps: steps}, nil
}

func (*reciting) Close() error { return nil }

// The first crop shows three of seven characters, and next to nothing is read there. The one
// that reaches further shows all of them: what comes after it begins there.
func TestLaterLooksBeginWhereTextWas(t *testing.T) {
	p, line := sevenBars(t, 400)
	defer p.Close()
	line = middleThree(line)
	e := eye{Engine: &reciting{[]ctc.Outputs{sure("CDEF", 0.4), sureAmid("ABCDEFG", 0.999, 1)}}, size: rectify.Small}
	w := wholeReading{plate: p, crops: []Crop{{Around: rectify.Around{Half: 0.8, Beyond: 0.8}}}, from: []rectify.Line{line}}
	beside, err := w.first(e, panel{effort: Effort{Least: LeastAlone}})
	if err != nil || beside || w.seen.texts[0].text != "ABCDEFG" {
		t.Fatalf("beside a plate: %v, %v", beside, err)
	}
	if got := w.from[0]; got.X0 > line.X0-line.Height/2 || got.X1 < line.X1+line.Height/2 {
		t.Errorf("the next network begins with %.0f to %.0f; the text was seen beyond %.0f to %.0f", got.X0, got.X1, line.X0, line.X1)
	}
}
