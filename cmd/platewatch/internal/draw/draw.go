// Package draw marks plates on pictures, and draws the contact sheet of how
// they were read, for people.
package draw

import (
	"image"
	"image/color"

	"gocv.io/x/gocv"

	"platewatch/ocr/rectify"
)

// Mark is one plate to be drawn.
type Mark struct {
	Corners [4]rectify.Point // clockwise from the top left
	Text    string           // written beside the plate; may be empty
	Hit     bool             // matched the hotlist
}

var (
	green = color.RGBA{R: 60, G: 220, B: 90, A: 255}
	red   = color.RGBA{R: 255, G: 90, B: 80, A: 255}
)

// Marks draws marks on a BGR picture. Line and letters grow with the picture,
// so that they can be read when it is shown small; no text hides a plate or
// another text where there is room.
func Marks(picture *gocv.Mat, marks []Mark) {
	on, ok := canvasOn(*picture)
	if !ok || len(marks) == 0 {
		return
	}
	size := float64(min(on.w, 4*on.h/3))
	width := max(2, size/400)
	var boxes []image.Rectangle
	for _, m := range marks {
		c := green
		if m.Hit {
			c = red
		}
		outline(on, m.Corners[:], width, c)
		boxes = append(boxes, boxOf(m.Corners[:]))
	}
	l := newLabels(on.Bounds(), newWriter(plates(), max(14, size/48)), boxes)
	for i, m := range marks {
		c := green
		if m.Hit {
			c = red
		}
		if m.Text != "" {
			l.put(on, boxes[i].Inset(-int(width)), m.Text, c)
		}
	}
}
