package render

import (
	"image/color"

	"platewatch/ocr/render/paint"
)

// Obstacle is something that stands before the vehicles, such as a pole or the
// bumper of the next car. It hides what lies inside its outline.
type Obstacle struct {
	Outline  []Point // pixels
	From, To color.RGBA
	Across   bool // the colour runs from left to right, else downwards
}

// obstacle paints one.
func (s *stage) obstacle(o Obstacle) {
	b := paint.Bounds(o.Outline)
	a, z := Point{X: float64(b.Min.X), Y: float64(b.Min.Y)}, Point{X: float64(b.Min.X), Y: float64(b.Max.Y)}
	if o.Across {
		z = Point{X: float64(b.Max.X), Y: float64(b.Min.Y)}
	}
	s.Fill(paint.Gradient(o.From, o.To, a, z), o.Outline)
}
