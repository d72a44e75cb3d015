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

// shiftedReading is P(reading) by plates of the traffic that have one character more or
// less. Where such plates are common and those of the reading's own layout are not,
// it is often one of them, misread.
func (s *Searcher) shiftedReading() float64 {
	r, t := s.reading, s.list.Traffic
	if t == nil {
		return 0
	}
	var buf, other [entry.MaxPlate + 1]byte
	pattern := patternOf(buf[:0], r.text[:r.n])
	each := r.likelihood() // of one plate of the reading's layout
	for _, kind := range pattern {
		each /= kinds(kind)
	}
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
