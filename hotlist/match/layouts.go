package match

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"platewatch/hotlist/entry"
)

// layoutCounts counts the plates of one layout, and their characters by place.
type layoutCounts struct {
	pattern string // L for a letter, D for a digit
	count   int
	chars   [entry.MaxPlate][alphabet]uint32
}

const (
	// maxLayouts bounds the layouts stored of a list: the most frequent ones.
	maxLayouts = 32
	// maxCounted bounds the layouts counted while a list is built.
	maxCounted = 1024
	// maxLayoutBytes bounds what is stored, except for the last layout.
	maxLayoutBytes = 8 << 10
	// chance is the share of plates that follow no layout of a long list, such as
	// vanity plates. At strangers entries, half of the plates are taken to follow
	// none.
	chance    = 0.01
	strangers = 500
)

func isLetter(ordinal int) bool { return ordinal >= 10 }

// patternOf appends a plate's layout to dst.
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

// LayoutCounter counts the layouts of a list's plates. The zero value is empty.
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

// AppendTo appends the most frequent layouts to dst: for each its length, its
// pattern, its count, and the counts of the characters at each place.
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
			// Long plates of letters need more room; the rest are the least frequent.
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

// layouts returns the layouts counted, for a list of the given number of entries.
func (b *LayoutCounter) layouts(entries int) *Layouts {
	l, err := ParseLayouts(b.AppendTo(nil), entries)
	if err != nil {
		panic("match: layouts that were just written: " + err.Error())
	}
	return l
}

// Layouts are the prior probabilities of plates, learned from the list itself:
// where its plates have letters and where digits, and which ones. In a country
// whose plates are three letters and four digits, a reading of ABC I234 is thus ABC
// 1234, however sure the reader was.
type Layouts struct {
	known  []layout
	chance float64 // share of plates that follow no layout
}

type layout struct {
	pattern string
	share   float64 // of all plates
	// places[i][c] is the share of plates of this layout with c at place i.
	places [][alphabet]float32
	most   float64 // probability of the most probable plate
}

// ParseLayouts reads what [LayoutCounter.AppendTo] wrote, for a list of the given
// number of entries. Errors wrap [entry.ErrDamaged].
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
		return nil, fmt.Errorf("%w: the layouts are truncated", entry.ErrDamaged)
	}
	return l, nil
}

// unseen is the count that all characters of a kind (letters or digits) get
// together at each place: half a plate, as in the prior of Jeffreys.
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

// uniform returns the probability of a plate of n characters that follows no layout.
func (l *Layouts) uniform(n int) float64 { return l.chance * math.Pow(alphabet, -float64(n)) }

// expect returns P(reading), summed over all plates of its length, and the
// probability of the most probable plate of any length.
func (l *Layouts) expect(r *Reading, w *weights) (all, most float64) {
	all = l.uniform(r.n)
	most = all
	for k := range l.known {
		a := &l.known[k]
		most = max(most, w[k]*a.most)
		if len(a.places) != r.n {
			continue
		}
		p := w[k] * a.share
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

// shareOf returns the share of plates with a layout.
func (l *Layouts) shareOf(pattern []byte) float64 {
	for k := range l.known {
		if l.known[k].pattern == string(pattern) {
			return l.known[k].share
		}
	}
	return 0
}

// expected is the number of entries, of all in the list, that are a given plate, if
// it was not known that the list has it: a plate of its layout, with characters as
// common as at the places of the others. Short lists tell little of the characters.
func (l *Layouts) expected(plate []byte, entries int) float64 {
	const even = 2 // plates with each character, added to those of the list
	var buf [entry.MaxPlate]byte
	pattern := patternOf(buf[:0], plate)
	for k := range l.known {
		a := &l.known[k]
		if a.pattern != string(pattern) {
			continue
		}
		count := a.share / (1 - l.chance) * float64(entries)
		p := count
		for i, c := range plate {
			p *= (float64(a.places[i][ordinal(c)])*count + even) / (count + even*kinds(pattern[i]))
		}
		return p
	}
	return 0
}

// of returns the prior probability of a plate. O counts for 0, I for 1 and the
// reverse, because lists write them either way.
func (l *Layouts) of(plate []byte, w *weights) float64 {
	sum := l.uniform(len(plate))
	for k := range l.known {
		a := &l.known[k]
		if len(a.places) != len(plate) {
			continue
		}
		p := w[k] * a.share
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

// countReader reads counts from the front of stored layouts.
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

// twin returns the character that [entry.Fold] does not distinguish from c, or c.
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
