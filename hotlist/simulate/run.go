package simulate

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"platewatch/hotlist/match"
)

// Options say what is simulated.
type Options struct {
	// Sizes of the lists. Default: 100 to 1,000,000 by powers of ten.
	Sizes []int
	// Reads is the number of reads of unlisted plates, for each size. Default:
	// 1,000,000.
	Reads int
	// Listed is the number of reads of listed plates with each kind of error. Default:
	// 10,000.
	Listed int
	// Matching returns how a list is matched. Default: [match.DefaultRules].
	Matching func(entries int) match.Rules
	// Confusions of the reader. Default: [match.DefaultConfusions].
	Confusions *match.Confusions
	// Seed of the random numbers.
	Seed uint64
	// Progress, if set, is called with the number of reads done and in total.
	Progress func(done, total int)
}

// Row is the result of one size of a mix.
type Row struct {
	Mix      string      `json:"mix,omitempty"` // empty: lists and traffic have the same formats
	Size     int         `json:"size"`
	Matching match.Rules `json:"matching"`
	Reads    int         `json:"reads"`
	// False counts the reads of unlisted plates that matched an entry, FalseExact
	// those misread as the exact text of an entry.
	False      int `json:"false_alerts"`
	FalseExact int `json:"false_exact"`
	// Beside is the share of unlisted plates, of the first 100,000, that differ from
	// an entry by one character.
	Beside float64 `json:"beside"`
	// Hits are the shares of listed plates that matched their entry, by kind of error.
	Hits map[string]float64 `json:"hits"`
}

// Every returns the number of reads per false alert; 0 if there was none.
func (r *Row) Every() float64 {
	if r.False == 0 {
		return 0
	}
	return float64(r.Reads) / float64(r.False)
}

func (o *Options) fill() {
	if len(o.Sizes) == 0 {
		o.Sizes = []int{100, 1_000, 10_000, 100_000, 1_000_000}
	}
	if o.Reads == 0 {
		o.Reads = 1_000_000
	}
	if o.Listed == 0 {
		o.Listed = 10_000
	}
	if o.Matching == nil {
		o.Matching = match.DefaultRules
	}
	if o.Confusions == nil {
		o.Confusions = match.DefaultConfusions()
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
}

// mixShare is the share of the reads, of those for the table, that each mix gets.
const mixShare = 5

// Run simulates each size and mix with a list of its own, in memory, GOMAXPROCS at a time. The
// same options give the same rows.
func Run(ctx context.Context, o Options) ([]Row, error) {
	o.fill()
	rows := make([]Row, len(o.Sizes)*(1+len(mixes)))
	few := o
	few.Reads, few.Listed = o.Reads/mixShare, o.Listed/mixShare
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	each := func(o *Options) int { return o.Reads + len(Errors)*o.Listed }
	p := &progress{show: o.Progress, total: len(o.Sizes) * (each(&o) + len(mixes)*each(&few))}
	for i, size := range slices.Backward(o.Sizes) { // the longest lists take longest
		g.Go(func() (err error) {
			rows[i], err = o.run(ctx, size, mix{listed: layouts, passing: layouts}, p)
			return err
		})
		for k, m := range mixes {
			g.Go(func() (err error) {
				row := &rows[len(o.Sizes)*(1+k)+i]
				*row, err = few.run(ctx, size, m, p)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return rows, nil
}

// progress sums the reads of all sizes.
type progress struct {
	mu          sync.Mutex
	show        func(done, total int)
	done, total int
}

func (p *progress) add(reads int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += reads
	p.show(p.done, p.total)
}

// run simulates one size.
func (o *Options) run(ctx context.Context, size int, of mix, p *progress) (Row, error) {
	rng := rand.New(rand.NewPCG(o.Seed, uint64(size)))
	listed, order := list(size, of.listed, rng)
	s := &lookups{confusions: o.Confusions, matching: o.Matching(size)}
	s.searcher = match.NewPlates(order, nil, &s.traffic)
	row := Row{Mix: of.name, Size: size, Matching: s.matching, Reads: o.Reads, Hits: map[string]float64{}}
	if err := o.unlisted(ctx, s, listed, of.passing, rng, &row, p); err != nil {
		return row, err
	}
	reader := newReader()
	for _, kind := range Errors {
		hits, n := 0, 0
		for try := 0; n < o.Listed && try < 20*o.Listed; try++ {
			if ctx.Err() != nil {
				return row, ctx.Err()
			}
			plate := order[rng.IntN(len(order))]
			cs, ok := reader.misread(rng, plate, kind, o.Confusions)
			if !ok {
				continue
			}
			n++
			m, err := s.lookup(cs)
			if err != nil {
				return row, err
			}
			if slices.ContainsFunc(m, func(m match.Match) bool { return m.Entry.Plate == plate }) {
				hits++
			}
		}
		p.add(o.Listed)
		if n > 0 {
			row.Hits[kind.String()] = float64(hits) / float64(n)
		}
	}
	return row, nil
}

// lookups looks readings up in one list.
type lookups struct {
	searcher   *match.Searcher
	traffic    match.Traffic // the unlisted plates, read before the listed ones
	confusions *match.Confusions
	matching   match.Rules
	reading    match.Reading
	matches    []match.Match
}

// lookup returns what a reading matches, valid until the next one.
func (l *lookups) lookup(cs []match.Character) ([]match.Match, error) {
	return l.lookupSeen(cs, match.Seen{})
}

// lookupSeen is lookup with what was seen of the vehicle.
func (l *lookups) lookupSeen(cs []match.Character, seen match.Seen) (m []match.Match, err error) {
	if !l.reading.Set(&match.Query{Characters: cs, Seen: seen}, l.confusions) {
		return nil, nil
	}
	l.matches, err = l.searcher.Search(l.matches[:0], &l.reading, l.matching)
	return l.matches, err
}

// unlisted reads plates that are not on the list.
func (o *Options) unlisted(ctx context.Context, s *lookups, listed map[string]bool, passing []share, rng *rand.Rand, row *Row, p *progress) error {
	const besideOf, lap = 100_000, 4096
	reader := newReader()
	beside := 0
	for i := range o.Reads {
		if i%lap == lap-1 {
			p.add(lap)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		plate := drawPlate(rng, passing)
		for listed[plate] {
			plate = drawPlate(rng, passing)
		}
		if i < besideOf && hasNeighbour(plate, listed) {
			beside++
		}
		m, err := s.lookup(reader.read(rng, plate))
		if err != nil {
			return err
		}
		s.traffic.Add(&s.reading)
		if len(m) > 0 {
			row.False++
			if slices.ContainsFunc(m, func(m match.Match) bool { return m.How == match.Exact }) {
				row.FalseExact++
			}
		}
	}
	p.add(o.Reads % lap)
	row.Beside = float64(beside) / float64(min(o.Reads, besideOf))
	return nil
}

// list draws the plates of a list.
func list(size int, layouts []share, rng *rand.Rand) (listed map[string]bool, order []string) {
	listed = make(map[string]bool, size)
	order = make([]string, 0, size)
	for len(order) < size {
		if p := drawPlate(rng, layouts); !listed[p] {
			listed[p] = true
			order = append(order, p)
		}
	}
	return listed, order
}

// hasNeighbour reports whether a listed plate differs from plate by one character.
func hasNeighbour(plate string, listed map[string]bool) bool {
	b := []byte(plate)
	for i, was := range b {
		for _, c := range []byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			if b[i] = c; c != was && listed[string(b)] {
				return true
			}
		}
		b[i] = was
	}
	return false
}
