package issuer

import (
	"math"

	"platewatch/ocr/rectify"
)

// Place is a part of a plate that may say who issued it.
type Place int

// The places.
const (
	above       Place = iota // the strip above the number
	below                    // the strip below it
	band                     // the blue band at its left
	bandFurther              // the same, where a character or an emblem at the number's beginning was not found
	bandNearer               // the same, where something beside the number was taken for a character
)

// strips and bands are the places of lettering and of signs, in the order in which they
// should be looked at.
var (
	strips = []Place{above, below}
	bands  = []Place{band, bandFurther, bandNearer}
)

// inBand tells whether a place is one of those of the band.
func (p Place) inBand() bool { return p >= band }

// Extents, in heights of the number's characters.
const (
	// A US plate is 152 mm high, its characters 65 to 70: 0.63 heights are left
	// above and below them, and 4.5 heights wide (SAE J686). Stickers take the
	// corners.
	stripWide   = 1.9  // to each side of the number's middle
	stripFar    = 1.20 // from its middle line
	stripNear   = 0.50
	bandFar     = 1.15 // left of the first character; bands are 40 to 50 mm wide beside characters of 75 (Regulation (EC) 2411/98)
	bandNear    = 0.05
	bandUpright = 0.72 // above and below the middle line
	further     = 0.45 // left of where the band should be
	nearer      = 0.20 // right of it
)

// Corners are those of a place, clockwise from the top left, in the pixels of
// ink, the corners around the number's characters.
func (p Place) Corners(ink [4]rectify.Point) [4]rectify.Point {
	left, right := half(ink[0], ink[3]), half(ink[1], ink[2])
	middle := half(left, right)
	down := rectify.Point{X: (ink[3].X - ink[0].X + ink[2].X - ink[1].X) / 2, Y: (ink[3].Y - ink[0].Y + ink[2].Y - ink[1].Y) / 2}
	n := length(right.X-left.X, right.Y-left.Y)
	h := length(down.X, down.Y)
	across := rectify.Point{X: (right.X - left.X) / n * h, Y: (right.Y - left.Y) / n * h}
	at := func(from rectify.Point, x, y float64) rectify.Point {
		return rectify.Point{X: from.X + x*across.X + y*down.X, Y: from.Y + x*across.Y + y*down.Y}
	}
	box := func(from rectify.Point, x0, x1, y0, y1 float64) [4]rectify.Point {
		return [4]rectify.Point{at(from, x0, y0), at(from, x1, y0), at(from, x1, y1), at(from, x0, y1)}
	}
	switch p {
	case above:
		return box(middle, -stripWide, stripWide, -stripFar, -stripNear)
	case below:
		return box(middle, -stripWide, stripWide, stripNear, stripFar)
	}
	shift := 0.0
	switch p {
	case bandFurther:
		shift = -further
	case bandNearer:
		shift = nearer
	}
	return box(left, shift-bandFar, shift-bandNear, -bandUpright, bandUpright)
}

func half(a, b rectify.Point) rectify.Point {
	return rectify.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}
}

func length(x, y float64) float64 { return max(math.Hypot(x, y), 1e-9) }
