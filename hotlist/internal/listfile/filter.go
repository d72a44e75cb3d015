package listfile

import "encoding/binary"

// filter is a blocked Bloom filter over the index HMACs of a list: it says of
// nearly all plates that are not listed that they are not, without touching
// the file. A one-character search asks some four hundred times.
//
// Bits come straight from the HMAC, which is uniform already. With 16 bits for
// each entry about one in a thousand of the others passes; a million entries
// need 2 MB.
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

// place returns the block of a HMAC and its five bits there.
func (f *filter) place(mac []byte) (block, bits uint64) {
	x := binary.LittleEndian.Uint64(mac)
	b := x >> 34 // 30 bits for five places; the block takes others
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
