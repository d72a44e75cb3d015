package match

import "platewatch/hotlist/entry"

// weights are how common plates of each of the list's layouts are in the traffic,
// beside what the list has of them: 0 to 1.
type weights [maxLayouts]float64

// compareTraffic sets the weights of the layouts that a reading can be of.
func (s *Searcher) compareTraffic() {
	for k := range s.list.Layouts.known {
		a := &s.list.Layouts.known[k]
		s.weights[k] = 1
		if more := len(a.pattern) - s.reading.n; more >= -1 && more <= 1 {
			s.weights[k] = min(1, s.list.Traffic.share([]byte(a.pattern), a.share)/a.share)
		}
	}
}

// outline is the layout of a reading, and what follows from it.
type outline struct {
	pattern    []byte  // see patternOf
	each       float64 // share of one plate of the layout, if all characters are equally common
	likelihood float64 // of the reading, given the plate that it says
}

// outlineOf returns the outline of a reading, with its pattern appended to dst.
func outlineOf(dst []byte, r *Reading) outline {
	o := outline{patternOf(dst, r.text[:r.n]), 1, r.likelihood()}
	for _, kind := range o.pattern {
		o.each /= kinds(kind)
	}
	return o
}

// shiftedReading is P(reading) by plates of the traffic that have one character more or
// less. Where such plates are common and those of the reading's own layout are not,
// it is often one of them, misread.
func (s *Searcher) shiftedReading(o *outline) float64 {
	r, t := s.reading, s.list.Traffic
	if t == nil {
		return 0
	}
	var other [entry.MaxPlate + 1]byte
	pattern, each := o.pattern, o.each*o.likelihood
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := 0.0
	if r.n < entry.MaxPlate {
		for i := range r.n + 1 { // a character was missed
			copy(other[:], pattern[:i])
			copy(other[i+1:], pattern[i:])
			for _, kind := range []byte("LD") {
				other[i] = kind
				sum += t.counts[string(other[:r.n+1])] * each * r.missed
			}
		}
	}
	for i := range r.n { // the character at i is not one
		copy(other[:], pattern[:i])
		copy(other[i:], pattern[i+1:])
		sum += t.counts[string(other[:r.n-1])] * each * kinds(pattern[i]) * r.added[i] / r.at(i, r.text[i])
	}
	return sum / (t.total + firstReads)
}

// kinds is the number of characters of a kind.
func kinds(kind byte) float64 {
	if kind == 'L' {
		return alphabet - 10
	}
	return 10
}
