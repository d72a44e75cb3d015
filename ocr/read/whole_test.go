package read

import (
	"testing"

	"platewatch/ocr/internal/ctc"
)

// sure is what a network says of a text whose characters have the probability p each.
func sure(text string, p float32) ctc.Outputs {
	v := make([]float32, 2*len(text)*Classes)
	for i := range len(text) {
		v[2*i*Classes+ctc.Class(text[i])] = p
		v[2*i*Classes+ctc.Class('8')] += (1 - p) * 0.9
		v[(2*i+1)*Classes] = 1
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
