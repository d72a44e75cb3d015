package listfile

import "encoding/binary"

// filter is a blocked Bloom filter over the HMACs of a list's folded plates. It
// rejects nearly all plates that are not listed without reading the file; a search
// for one wrong character asks it some 400 times.
//
// Its bits are those of the HMAC, which is uniform. With 16 bits an entry, about
// one in 1,000 unlisted plates passes; a million entries need 2 MB.
type filter struct {
	blocks []uint64
	mask   uint64
}

const filterBits = 16

func newFilter(entries int) *filter {
	n := uint64(1)
	for n*64 < uint64(entries)*filterBits {
		n *= 2
	}
	return &filter{blocks: make([]uint64, n), mask: n - 1}
}

// place returns the block of an HMAC, and its five bits there.
func (f *filter) place(mac []byte) (block, bits uint64) {
	x := binary.LittleEndian.Uint64(mac)
	b := x >> 34 // 30 bits for five positions; the block number uses others
	return x & f.mask, 1<<(b&63) | 1<<(b>>6&63) | 1<<(b>>12&63) | 1<<(b>>18&63) | 1<<(b>>24&63)
}

func (f *filter) add(mac []byte) {
	block, bits := f.place(mac)
	f.blocks[block] |= bits
}

func (f *filter) has(mac []byte) bool {
	block, bits := f.place(mac)
	return f.blocks[block]&bits == bits
}
