package match

import (
	"sync"

	"platewatch/hotlist/entry"
)

// Traffic counts the layouts of the plates that are read. A list tells the formats
// of its own country only; where other plates pass as well, a reading with one
// character more or less than a listed plate is most often such a plate, read
// right. Only layouts are kept, in memory: no plate can be told from them. It is
// safe for concurrent use; a nil Traffic has counted nothing.
type Traffic struct {
	mu     sync.Mutex
	counts map[string]float64
	total  float64
}

const (
	// memory is the number of readings after which all counts are halved, so that
	// they follow a camera that is moved.
	memory = 20_000
	// maxTraffic bounds the layouts that are counted.
	maxTraffic = 512
	// firstReads is the number of readings that the assumption about traffic
	// weighs as much as: until then little is known of it.
	firstReads = 50
	// oneMore is added to each count: a layout that was never seen may come next.
	oneMore = 0.5
	// otherLayout is the share of the plates that follow no layout of the list
	// which is taken to have the layout of a reading, before traffic was seen.
	otherLayout = 0.1
)

// Add counts the layout of a reading.
func (t *Traffic) Add(r *Reading) {
	if t == nil {
		return
	}
	var buf [entry.MaxPlate]byte
	pattern := patternOf(buf[:0], r.text[:r.n])
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]float64{}
	}
	if _, known := t.counts[string(pattern)]; !known && len(t.counts) == maxTraffic {
		return
	}
	t.counts[string(pattern)]++
	if t.total++; t.total >= memory {
		t.total = 0
		for p, n := range t.counts {
			if n /= 2; n < 1 {
				delete(t.counts, p)
				continue
			}
			t.counts[p] = n
			t.total += n
		}
	}
}

// share is the share of plates with the layout of a reading; assumed is what it is
// taken to be before traffic was seen.
func (t *Traffic) share(pattern []byte, assumed float64) float64 {
	if t == nil {
		return assumed
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.total == 0 {
		return assumed
	}
	return (t.counts[string(pattern)] + oneMore + firstReads*assumed) / (t.total + oneMore + firstReads)
}

// strange is what the searcher knows of plates with the layout of the reading that
// the list's own layouts do not account for.
type strange struct {
	share float64 // of the traffic; 0 where the list has the layout
	each  float64 // share of one such plate, if all characters are equally common
}

const (
	// hardlyListed: a list has a layout if it has at least this much of its share
	// of the traffic.
	hardlyListed = 0.1
	// oddReads is the share of the traffic up to which an unlisted layout can be
	// that of misread plates.
	oddReads = 0.005
)

// strangers estimates the plates that a reading may be although their layout is not
// the list's. same is their prior among plates of the same length as the reading,
// which matters once they are common; other is that beside plates with one
// character more or less.
func (s *Searcher) strangers(o *outline) (same, other strange) {
	share := s.list.Traffic.share(o.pattern, otherLayout*s.list.Layouts.chance)
	listed := s.list.Layouts.shareOf(o.pattern)
	if listed >= hardlyListed*share {
		return strange{}, strange{}
	}
	seen := s.list.Traffic.share(o.pattern, 0)
	same = strange{max(0, seen-listed-oddReads), o.each}
	return same, strange{share, o.each}
}

// retyped is P(reading) by plates of a layout that is common here and not the
// list's, which the reading has except for a letter in place of a digit, or the
// reverse. It is 0 where the reading's own layout is the list's.
func (s *Searcher) retyped(o *outline) float64 {
	r := s.reading
	if s.list.Layouts.shareOf(o.pattern) > oddReads {
		return 0
	}
	sum := 0.0
	for i, was := range o.pattern {
		now := byte('L')
		if was == 'L' {
			now = 'D'
		}
		o.pattern[i] = now
		if seen := s.list.Traffic.share(o.pattern, 0); seen > oddReads {
			if listed := s.list.Layouts.shareOf(o.pattern); listed < hardlyListed*seen {
				sum += max(0, seen-listed-oddReads) * o.each * kinds(was) / kinds(now) * o.likelihood * r.ofKind(i, now) / r.at(i, r.text[i])
			}
		}
		o.pattern[i] = was
	}
	return sum
}

// otherLength divides the least probability of entries with a character more or
// less. Such a reading may be any of a hundred plates and more, each with another
// character missed, so that an entry among them is never likely by itself;
// maxByChance bounds how often one is there by chance.
const otherLength = 20

// maxByChance is the largest expected number of entries, for each reading, that
// differ from it by one character more or less by chance. From there on no such
// entry matches: it would be a false alert more often than once in 50,000 reads.
const maxByChance = 1.0 / 50_000

// byChance is the expected number of entries of a layout like plate's that have one
// character more or less than a plate of a layout that is not the list's, for each
// reading of the traffic.
func (s *Searcher) byChance(plate []byte) float64 {
	r := s.reading
	entries := s.list.Layouts.expected(plate, s.list.Entries)
	if len(plate) < r.n {
		return s.other.share * entries * float64(r.n) // each character may be the one too many
	}
	missing := byte('D')
	if letters(plate) > letters(r.text[:r.n]) {
		missing = 'L'
	}
	return s.other.share * entries * float64(len(plate)) * kinds(missing)
}

func letters(plate []byte) (n int) {
	for _, c := range plate {
		if isLetter(ordinal(c)) {
			n++
		}
	}
	return n
}
