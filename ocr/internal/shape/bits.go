package shape

import (
	"encoding/binary"
	"errors"
	"image"
	"math/bits"

	"gocv.io/x/gocv"
)

// Bits is a binary map with one bit for each pixel.
type Bits struct {
	W, H   int
	Stride int      // words for each row
	Words  []uint64 // row after row, the first pixel the lowest bit; at the end of each row a word of zeros
}

// Resize makes room for a map of another size, whose words are still to be written.
func (b *Bits) Resize(w, h int) {
	b.W, b.H, b.Stride = w, h, w/64+2
	if n := b.Stride * h; cap(b.Words) >= n {
		b.Words = b.Words[:n]
	} else {
		b.Words = make([]uint64, n)
	}
}

func (b *Bits) row(y int) []uint64 { return b.Words[y*b.Stride : (y+1)*b.Stride] }

// Set counts the pixels that are set in row y from x0 up to, not including, x1.
func (b *Bits) Set(x0, x1, y int) int {
	if x1 <= x0 {
		return 0
	}
	row := b.row(y)
	n := 0
	for i := x0 >> 6; i <= x1>>6; i++ {
		w := row[i]
		if i == x0>>6 {
			w &^= 1<<(x0&63) - 1
		}
		if i == x1>>6 {
			w &= 1<<(x1&63) - 1
		}
		n += bits.OnesCount64(w)
	}
	return n
}

// Mat is the map with 0 and 255 for each pixel. The caller closes it.
func (b *Bits) Mat() (gocv.Mat, error) { return b.Cut(image.Rect(0, 0, b.W, b.H)) }

// Cut is a part of the map, as [Bits.Mat].
func (b *Bits) Cut(r image.Rectangle) (gocv.Mat, error) {
	m := NewMat(r.Dy(), r.Dx())
	p, err := PlaneOf(m)
	if err != nil {
		return m, errors.Join(err, m.Close())
	}
	for y := range p.H {
		row, out := b.row(r.Min.Y+y), p.Pix[y*p.W:(y+1)*p.W]
		for x := r.Min.X; len(out) > 0; x += 8 {
			eight := row[x>>6] >> (x & 63)
			if x&63 > 56 {
				eight |= row[x>>6+1] << (64 - x&63)
			}
			if len(out) < 8 {
				for i := range out {
					out[i] = uint8(eight>>i&1) * 255
				}
				break
			}
			binary.LittleEndian.PutUint64(out, spread(eight))
			out = out[8:]
		}
	}
	return m, nil
}

// spread makes eight bytes, 0 or 255, of the lowest eight bits.
func spread(bits uint64) uint64 {
	one := bits & 0xff * 0x0101010101010101 & 0x8040201008040201 // bit i of byte i
	return (one + 0x7f7f7f7f7f7f7f7f | one) >> 7 & 0x0101010101010101 * 0xff
}

// pack takes over the pixels of a map, which are 0 or 255.
func (b *Bits) pack(p Plane) {
	b.Resize(p.W, p.H)
	for y := range p.H {
		pack(b.row(y), p.Pix[y*p.W:(y+1)*p.W])
	}
}

// pack writes a row's pixels, 0 or 255, as bits, the first the lowest, and
// after them zeros.
func pack(bits []uint64, row []uint8) {
	at := 0
	for ; len(row) >= 64; at++ {
		var w uint64
		for i := 0; i < 64; i += 8 {
			w |= eight(binary.LittleEndian.Uint64(row[i:])) << i
		}
		bits[at] = w
		row = row[64:]
	}
	var w uint64
	for i, v := range row {
		w |= uint64(v>>7) << i
	}
	bits[at] = w
	clear(bits[at+1:])
}

// eight gathers the highest bits of eight bytes: the product moves each to the
// highest byte, and no two meet.
func eight(bytes uint64) uint64 {
	return (bytes >> 7 & 0x0101010101010101) * 0x0102040810204080 >> 56
}
