package rectify

import (
	"testing"

	"platewatch/ocr/find"
	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
	"platewatch/ocr/rendertest"
)

// BenchmarkRectify shows what the stages cost on a plate 150 px wide.
func BenchmarkRectify(b *testing.B) {
	grey, _ := rendertest.Closeup{
		Plates: []rendertest.Mounted{{Spec: render.PlateSpec{Layout: "de", Text: "KA:MX 482"}}}, Width: 150, Margin: 1.5,
		Sensor: sensor.Effects{Defocus: .6, Noise: 3},
	}.Grey(b)
	defer grey.Close()
	f, err := find.New(find.DefaultParams())
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	candidates, err := f.Find(grey, nil)
	if err != nil || len(candidates) == 0 {
		b.Fatal("no candidate: ", err)
	}
	p, err := Level(grey, candidates[0])
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	lines, err := p.Lines()
	if err != nil {
		b.Fatal(err)
	}
	short := lines[0]
	short.Letters = short.Letters[:4]
	short.X1 = short.X0 + 4*short.Height
	for _, stage := range []struct {
		name string
		do   func() error
	}{
		{"level", func() error {
			q, err := Level(grey, candidates[0])
			if err == nil {
				q.Close()
			}
			return err
		}},
		{"lines", func() error { _, err := p.Lines(); return err }},
		{"slant", func() error { p.slantKnown = false; _, err := p.measureSlant(lines[0]); return err }},
		{"edges", func() error { _, err := p.edgesAround(lines[0]); return err }},
		{"rows", func() error { _, err := p.Rows(grey, short); return err }},
		{"whole", func() error {
			m, err := p.Whole(lines[0], Around{Half: 0.8, Beyond: 0.8}, Full)
			if err == nil {
				m.Close()
			}
			return err
		}},
	} {
		b.Run(stage.name, func(b *testing.B) {
			for b.Loop() {
				if err := stage.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
