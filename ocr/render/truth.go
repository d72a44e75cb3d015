package render

import (
	"image"
	"time"

	"platewatch/ocr/render/paint"
)

// Point is a position: pixels of the picture it belongs to, or millimetres on
// a plate's face, x to the right and y down.
type Point = paint.Point

// FrameTruth is what one frame shows.
type FrameTruth struct {
	Frame  int
	Time   time.Duration
	Plates []PlateView
}

// PlateView is one plate in one frame.
type PlateView struct {
	Passage int    // index of the vehicle
	Text    string // A to Z, 0 to 9
	Layout  string
	Corners [4]Point        // pixels, clockwise from the top left of the plate's face
	Rows    [][4]Point      // the same around the ink of each row of characters
	Box     image.Rectangle // around the corners
	// Windows are the outlines of the vehicle's windows, pixels: those that are
	// hidden as well.
	Windows [][]Point
	// Clear says that the whole plate is in the picture with nothing before it.
	Clear bool
}

// Width is the length of the plate's upper edge in pixels.
func (p PlateView) Width() float64 { return p.Corners[1].Sub(p.Corners[0]).Len() }

// PassageTruth sums up one vehicle over a clip.
type PassageTruth struct {
	Text        string
	Layout      string
	First, Last time.Duration // first and last frame with a clear plate at least MinWidth wide
	Frames      int           // number of those frames
}

// MinWidth is the plate width in pixels from which a frame counts for a
// passage's truth.
const MinWidth = 110

// Passages sums up the truths of a clip's frames, one entry per vehicle in the
// order of the specification.
func Passages(vehicles int, frames []FrameTruth) []PassageTruth {
	out := make([]PassageTruth, vehicles)
	for _, f := range frames {
		for _, p := range f.Plates {
			if !p.Clear || p.Width() < MinWidth {
				continue
			}
			o := &out[p.Passage]
			if o.Frames == 0 {
				o.Text, o.Layout, o.First = p.Text, p.Layout, f.Time
			}
			o.Last = f.Time
			o.Frames++
		}
	}
	return out
}
