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

// Options are what is simulated.
type Options struct {
	// Sizes of the lists. Default: 100 to 1,000,000 by powers of ten.
	Sizes []int
	// Reads of plates that are not listed, for each size. Default: 1,000,000.
	Reads int
	// Listed plates that are read with each kind of error. Default: 10,000.
	Listed int
	// Matching is how the lists are matched. Default: by their size.
	Matching func(entries int) match.Rules
	// Confusions of the table. Default: the built-in ones.
	Confusions *match.Confusions
	// Seed of the random numbers.
	Seed uint64
	// Progress, if set, is told how many reads were simulated, of how many.
	Progress func(done, total int)
}

// Row is what came of one size.
type Row struct {
	Size     int         `json:"size"`
	Matching match.Rules `json:"matching"`
	Reads    int         `json:"reads"`
	// False counts the reads of plates that are not listed and matched an entry;
	// FalseExact those of them whose text was misread into an entry's own.
	False      int `json:"false_alerts"`
	FalseExact int `json:"false_exact"`
	// Beside counts the plates, of the first hundred thousand, with an entry one
	// character beside them.
	Beside float64 `json:"beside"`
	// Hits are the shares of listed plates that matched their own entry, by the
	// kind of error they were read with.
	Hits map[string]float64 `json:"hits"`
}

// Every is the number of reads for one false alert; 0 if there was none.
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

// Run simulates each size with a list of its own, in memory, as many at once as
// there are processors.
func Run(ctx context.Context, o Options) ([]Row, error) {
	o.fill()
	rows := make([]Row, len(o.Sizes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	p := &progress{show: o.Progress, total: len(o.Sizes) * (o.Reads + len(Errors)*o.Listed)}
	for i, size := range slices.Backward(o.Sizes) { // the longest lists take longest
		g.Go(func() (err error) {
			rows[i], err = o.run(ctx, size, p)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return rows, nil
}

// progress adds up what all sizes have done.
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
func (o *Options) run(ctx context.Context, size int, p *progress) (Row, error) {
	rng := rand.New(rand.NewPCG(o.Seed, uint64(size)))
	listed, order := list(size, rng)
	s := &lookups{searcher: match.NewPlates(order), confusions: o.Confusions, matching: o.Matching(size)}
	row := Row{Size: size, Matching: s.matching, Reads: o.Reads, Hits: map[string]float64{}}
	if err := o.unlisted(ctx, s, listed, rng, &row, p); err != nil {
		return row, err
	}
	reader := NewReader()
	for _, kind := range Errors {
		hits, n := 0, 0
		for try := 0; n < o.Listed && try < 20*o.Listed; try++ {
			if ctx.Err() != nil {
				return row, ctx.Err()
			}
			plate := order[rng.IntN(len(order))]
			cs, ok := reader.Misread(rng, plate, kind, o.Confusions)
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
	confusions *match.Confusions
	matching   match.Rules
	reading    match.Reading
	matches    []match.Match
}

// lookup returns what a reading matches, valid until the next one.
func (l *lookups) lookup(cs []match.Character) (m []match.Match, err error) {
	if !l.reading.Set(&match.Query{Characters: cs}, l.confusions) {
		return nil, nil
	}
	l.matches, err = l.searcher.Search(l.matches[:0], &l.reading, l.matching)
	return l.matches, err
}

// unlisted reads plates that are not listed.
func (o *Options) unlisted(ctx context.Context, s *lookups, listed map[string]bool, rng *rand.Rand, row *Row, p *progress) error {
	const besideOf, lap = 100_000, 4096
	reader := NewReader()
	beside := 0
	for i := range o.Reads {
		if i%lap == lap-1 {
			p.add(lap)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		plate := Plate(rng)
		for listed[plate] {
			plate = Plate(rng)
		}
		if i < besideOf && hasNeighbour(plate, listed) {
			beside++
		}
		m, err := s.lookup(reader.Read(rng, plate))
		if err != nil {
			return err
		}
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
func list(size int, rng *rand.Rand) (listed map[string]bool, order []string) {
	listed = make(map[string]bool, size)
	order = make([]string, 0, size)
	for len(order) < size {
		if p := Plate(rng); !listed[p] {
			listed[p] = true
			order = append(order, p)
		}
	}
	return listed, order
}

// hasNeighbour tells whether a listed plate is one character beside.
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
