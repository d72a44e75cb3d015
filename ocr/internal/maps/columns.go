package maps

// #include "maps.h"
import "C"

import (
	"math"
	"unsafe"

	"platewatch/ocr/internal/shape"
)

// Slanted are rows of a picture, and columns that cross them at several slants.
type Slanted struct {
	rows   []int32
	shifts []int32 // how far each row is moved to the left, for the first slant, for the second ...
	slants int
}

// Along takes every second row from reach above y to reach below it, as far as a picture of
// height h has them, and columns that lean by slants: dx/dy.
func Along(y, reach float64, h int, slants []float64) Slanted {
	const each = 2
	s := Slanted{slants: len(slants)}
	var away []float64 // from y
	for dy := -reach; dy <= reach; dy += each {
		if row := int(math.Round(y + dy)); row >= 0 && row < h {
			s.rows, away = append(s.rows, int32(row)), append(away, dy)
		}
	}
	s.shifts = make([]int32, 0, len(slants)*len(away))
	for _, slant := range slants {
		for _, dy := range away {
			s.shifts = append(s.shifts, int32(math.Round(slant*dy)))
		}
	}
	return s
}

// Rows is how many rows there are.
func (s Slanted) Rows() int { return len(s.rows) }

// Gathered says for each slant how much the pixels that are set from x0 up to, not including, x1
// gather in few columns: it is the sum of the squares of how many each column has.
func (s Slanted) Gathered(b *shape.Bits, x0, x1 int) []float64 {
	sums := make([]float64, s.slants)
	room := int32(0)
	for _, shift := range s.shifts {
		room = max(room, shift, -shift)
	}
	C.pw_gathered(words(b), C.int(b.Stride), C.int(x0), C.int(x1), ints(s.rows), C.int(len(s.rows)),
		ints(s.shifts), C.int(s.slants), C.int(room), (*C.double)(unsafe.SliceData(sums)))
	return sums
}

// Steps says for each column in how many of the rows the half pixels from there on are together
// lighter by least than the half before, or in how many they are darker, whichever is more, at
// the slant where it is most.
func (s Slanted) Steps(grey shape.Plane, half, least int) []uint16 {
	most := make([]uint16, grey.W)
	C.pw_steps(plane(grey), ints(s.rows), C.int(len(s.rows)), ints(s.shifts), C.int(s.slants),
		C.int(half), C.int(least), (*C.uint16_t)(unsafe.SliceData(most)))
	return most
}

func ints(s []int32) *C.int32_t { return (*C.int32_t)(unsafe.SliceData(s)) }
