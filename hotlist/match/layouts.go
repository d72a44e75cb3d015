package match

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"platewatch/hotlist/entry"
)

// A list itself teaches which plates exist: where they have letters and where
// digits, and which. That decides what a doubtful reading is: in a country
// whose plates are three letters and four digits, ABC I234 is ABC 1234, however
// sure the reader was. Layouts count it when a list is built; they are stored
// encrypted, like everything else.

// layoutCounts counts the plates of one layout.
type layoutCounts struct {
	pattern string // L and D
	count   int
	chars   [entry.MaxPlate][alphabet]uint32
}

const (
	// maxLayouts are kept of a list, the most frequent; the rest is left to chance.
	maxLayouts = 32
	// maxCounted bounds the layouts that are counted while a list is built.
	maxCounted = 1024
	// maxLayoutBytes bounds what is stored of them, but for the last one.
	maxLayoutBytes = 8 << 10
	// chance is the share of plates that follow no layout of the list, such as
	// vanity plates, in a long list; a list of strangers entries knows as little
	// as chance does.
	chance    = 0.01
	strangers = 500
)

func isLetter(ordinal int) bool { return ordinal >= 10 }

// patternOf writes a plate's layout.
func patternOf(dst, plate []byte) []byte {
	for _, c := range plate {
		if isLetter(ordinal(c)) {
			dst = append(dst, 'L')
		} else {
			dst = append(dst, 'D')
		}
	}
	return dst
}

// LayoutCounter counts the plates of a list that is built.
type LayoutCounter struct {
	counts map[string]*layoutCounts
	buf    [entry.MaxPlate]byte
}

// Add counts a normalised plate.
func (b *LayoutCounter) Add(plate string) {
	pattern := patternOf(b.buf[:0], []byte(plate))
	l := b.counts[string(pattern)]
	if l == nil {
		if len(b.counts) == maxCounted {
			return
		}
		l = &layoutCounts{pattern: string(pattern)}
		if b.counts == nil {
			b.counts = map[string]*layoutCounts{}
		}
		b.counts[l.pattern] = l
	}
	l.count++
	for i := range len(plate) {
		l.chars[i][ordinal(plate[i])]++
	}
}

// AppendTo writes the most frequent layouts: for each its length, its pattern
// bit by bit, its count, and those of its places' characters.
func (b *LayoutCounter) AppendTo(dst []byte) []byte {
	var all []*layoutCounts
	for _, l := range b.counts {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *layoutCounts) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.pattern, b.pattern))
	})
	all = all[:min(len(all), maxLayouts)]
	dst = binary.AppendUvarint(dst, uint64(len(all)))
	for _, l := range all {
		if len(dst) > maxLayoutBytes {
			// Long plates of letters need more room; the rest is the least frequent.
			dst = binary.AppendUvarint(dst, 0)
			break
		}
		dst = binary.AppendUvarint(dst, uint64(len(l.pattern)))
		dst = append(dst, l.pattern...)
		dst = binary.AppendUvarint(dst, uint64(l.count))
		for i := range len(l.pattern) {
			for k := range alphabet {
				if isLetter(k) == (l.pattern[i] == 'L') {
					dst = binary.AppendUvarint(dst, uint64(l.chars[i][k]))
				}
			}
		}
	}
	return dst
}

// Layouts are those of the plates counted, of a list of so many entries.
func (b *LayoutCounter) Layouts(entries int) *Layouts {
	l, err := ParseLayouts(b.AppendTo(nil), entries)
	if err != nil {
		panic("match: layouts that were just written: " + err.Error())
	}
	return l
}

// Layouts say how likely each plate is to be met.
type Layouts struct {
	known  []layout
	chance float64 // the share that follows none
}

type layout struct {
	pattern string
	share   float64
	// places[i][c] is the share of plates of this layout with c at place i.
	places [][alphabet]float32
	most   float64 // of the likeliest plate
}

// ParseLayouts reads what [LayoutCounter.AppendTo] wrote for a list of so many
// entries. Errors wrap [ErrDamaged].
func ParseLayouts(b []byte, entries int) (*Layouts, error) {
	r := countReader{b: b}
	n := r.next()
	if n > maxLayouts {
		return nil, fmt.Errorf("%w: %d layouts", entry.ErrDamaged, n)
	}
	l := &Layouts{chance: max(chance, strangers/float64(entries+strangers))}
	for range n {
		size := r.next()
		if size == 0 {
			break
		}
		if size > entry.MaxPlate || size > uint64(len(r.b)) {
			return nil, fmt.Errorf("%w: a layout of %d places", entry.ErrDamaged, size)
		}
		a := layout{pattern: string(r.b[:size]), places: make([][alphabet]float32, size), most: 1}
		r.b = r.b[size:]
		count := r.next()
		a.share = float64(count) / float64(max(entries, 1)) * (1 - l.chance)
		for i := range a.places {
			a.place(i, count, &r)
		}
		a.most *= a.share
		l.known = append(l.known, a)
	}
	if r.bad {
		return nil, fmt.Errorf("%w: the layouts are cut off", entry.ErrDamaged)
	}
	return l, nil
}

// unseen is what each character gets that was not met at a place, in plates:
// Jeffreys' half, spread over the characters of its kind.
const unseen = 0.5

// place reads the counts of one place.
func (a *layout) place(i int, count uint64, r *countReader) {
	kinds := 0
	for k := range alphabet {
		if isLetter(k) == (a.pattern[i] == 'L') {
			kinds++
		}
	}
	best := float32(0)
	for k := range alphabet {
		if isLetter(k) != (a.pattern[i] == 'L') {
			continue
		}
		f := float32((float64(r.next()) + unseen/float64(kinds)) / (float64(count) + unseen))
		a.places[i][k] = f
		best = max(best, f)
	}
	a.most *= float64(best)
}

// uniform is the likelihood of a plate by chance.
func (l *Layouts) uniform(n int) float64 { return l.chance * math.Pow(alphabet, -float64(n)) }

// expect returns what a reading makes of all plates of its length together, and
// the likelihood of the likeliest plate of any length.
func (l *Layouts) expect(r *Reading) (all, most float64) {
	all = l.uniform(r.n)
	most = all
	for k := range l.known {
		a := &l.known[k]
		most = max(most, a.most)
		if len(a.places) != r.n {
			continue
		}
		p := a.share
		for i := range a.places {
			sum := float32(0)
			from, to := 0, 10
			if a.pattern[i] == 'L' {
				from, to = 10, alphabet
			}
			for c := from; c < to; c++ {
				sum += r.p[i][c] * a.places[i][c]
			}
			if p *= float64(sum); p < all*1e-9 {
				break
			}
		}
		all += p
	}
	return all, most
}

// of is how likely a plate is to be met. Twins count for each other, because
// lists write them as they like.
func (l *Layouts) of(plate []byte) float64 {
	sum := l.uniform(len(plate))
	for k := range l.known {
		a := &l.known[k]
		if len(a.places) != len(plate) {
			continue
		}
		p := a.share
		for i, c := range plate {
			f := a.places[i][ordinal(c)]
			if t := twin(c); t != c {
				f = max(f, a.places[i][ordinal(t)])
			}
			if p *= float64(f); p == 0 {
				break
			}
		}
		sum += p
	}
	return sum
}

// countReader takes counts off the front of what is stored.
type countReader struct {
	b   []byte
	bad bool
}

func (r *countReader) next() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// twin is the character that c is taken for, or c.
func twin(c byte) byte {
	switch c {
	case 'O':
		return '0'
	case '0':
		return 'O'
	case 'I':
		return '1'
	case '1':
		return 'I'
	}
	return c
}
