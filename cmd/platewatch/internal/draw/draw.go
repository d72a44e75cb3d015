// Package draw marks plates on pictures, for people to look at.
package draw

import (
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"

	"platewatch/ocr/rectify"
)

// Mark is one plate to be drawn.
type Mark struct {
	Corners [4]rectify.Point // clockwise from the top left
	Text    string           // above the plate; empty for none
	Hit     bool             // matched the hotlist
}

var (
	green = color.RGBA{R: 60, G: 220, B: 90, A: 255}
	red   = color.RGBA{R: 255, G: 70, B: 60, A: 255}
	black = color.RGBA{A: 255}
)

// Marks draws marks on a BGR picture. Line and letters grow with the picture,
// so that they can be read when it is shown small.
func Marks(picture *gocv.Mat, marks []Mark) {
	size := max(1, picture.Cols()/600)
	for _, m := range marks {
		c := green
		if m.Hit {
			c = red
		}
		points := make([]image.Point, 0, 4)
		left, top, bottom := picture.Cols(), picture.Rows(), 0
		for _, p := range m.Corners {
			q := image.Pt(int(math.Round(p.X)), int(math.Round(p.Y)))
			points = append(points, q)
			left, top, bottom = min(left, q.X), min(top, q.Y), max(bottom, q.Y)
		}
		outline := gocv.NewPointsVectorFromPoints([][]image.Point{points})
		gocv.Polylines(picture, outline, true, c, 1+size)
		outline.Close()
		if m.Text != "" {
			label(picture, m.Text, image.Pt(left, top-4*size), bottom+4*size, c, size)
		}
	}
}

// label writes text on a dark ground with its lower left corner at at, or with
// its top at below where there is no room above.
func label(picture *gocv.Mat, text string, at image.Point, below int, c color.RGBA, size int) {
	scale := 0.5 + 0.25*float64(size)
	extent := gocv.GetTextSize(text, gocv.FontHersheySimplex, scale, size)
	if at.Y-extent.Y < 0 {
		at.Y = below + extent.Y
	}
	at.X = max(0, min(at.X, picture.Cols()-extent.X))
	gocv.Rectangle(picture, image.Rect(at.X-2, at.Y-extent.Y-4, at.X+extent.X+2, at.Y+5), black, -1)
	gocv.PutText(picture, text, at, gocv.FontHersheySimplex, scale, c, size)
}
