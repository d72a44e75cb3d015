package simulate

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/match"
)

// StateRow is what seeing the issuing state changes on a list of one size. Each state
// issues numbers for itself, so that most false alerts are the listed number on a
// plate of another state.
type StateRow struct {
	Mix   string `json:"mix"` // "states"
	Size  int    `json:"size"`
	Reads int    `json:"reads"` // of vehicles that are not listed
	// False counts those that matched an entry, Unopposed those of them without a
	// contradiction; Told and ToldUnopposed are the same of vehicles whose state was
	// told at 0.8 or more.
	False         int `json:"false_alerts"`
	Unopposed     int `json:"false_unopposed"`
	Told          int `json:"false_told"`
	ToldUnopposed int `json:"false_told_unopposed"`
	// The shares of listed vehicles, their plates read right, that matched: without the
	// state, with it, and with it on a list that demands agreement.
	Blind  float64 `json:"hits_without"`
	Found  float64 `json:"hits_with"`
	Agreed float64 `json:"hits_agree"`
}

// sureState is the probability from which a state counts as told in [StateRow].
const sureState = 0.8

// states are the states that issue plates, with their vehicles in millions.
var states = []struct {
	code     string
	millions float64
}{
	{"CA", 30}, {"TX", 22}, {"FL", 18}, {"NY", 10.7}, {"PA", 10.6}, {"IL", 10.4}, {"OH", 10.4}, {"GA", 8.9},
	{"NC", 8.8}, {"MI", 8.3}, {"VA", 7.5}, {"WA", 7.3}, {"AZ", 6.4}, {"IN", 6.1}, {"NJ", 6}, {"TN", 5.8},
	{"MO", 5.5}, {"MN", 5.4}, {"AL", 5.3}, {"CO", 5.3}, {"WI", 5.3}, {"MA", 5}, {"SC", 4.6}, {"KY", 4.3},
	{"MD", 4.2}, {"OR", 4.1}, {"LA", 3.8}, {"IA", 3.7}, {"OK", 3.7}, {"AR", 3}, {"CT", 2.8}, {"UT", 2.6},
	{"KS", 2.5}, {"NV", 2.5}, {"MS", 2.1}, {"ID", 1.9}, {"NE", 1.9}, {"MT", 1.8}, {"NM", 1.8}, {"WV", 1.6},
	{"NH", 1.3}, {"SD", 1.3}, {"HI", 1.2}, {"ME", 1.1}, {"DE", 1}, {"ND", 0.9}, {"RI", 0.85}, {"WY", 0.85},
	{"AK", 0.8}, {"VT", 0.6},
}

// home is the state in which the simulated unit stands, and homeShare that of its
// plates among those that pass.
const (
	home      = "TX"
	homeShare = 0.8
)

// toldStates is what `platewatch bench crops/us:us` said of 340 labelled US plates:
// how many were told at about a confidence, and how many of them right.
var toldStates = []struct {
	confidence  float64
	told, right int
}{{0, 43, 0}, {0.27, 29, 6}, {0.41, 25, 10}, {0.57, 25, 12}, {0.73, 22, 15}, {0.86, 21, 16}, {0.93, 15, 15}, {0.98, 26, 25}, {0.998, 134, 134}}

// stateMix draws states.
type stateMix struct {
	names []string
	upTo  []float64
}

func newStateMix() stateMix {
	var m stateMix
	sum := 0.0
	for _, s := range states {
		sum += s.millions
		m.names, m.upTo = append(m.names, s.code), append(m.upTo, sum)
	}
	return m
}

func (m *stateMix) draw(rng *rand.Rand) string {
	x := rng.Float64() * m.upTo[len(m.upTo)-1]
	for i, to := range m.upTo {
		if x < to {
			return m.names[i]
		}
	}
	return m.names[len(m.names)-1]
}

// see draws what a unit sees of a plate's state. One told wrong is any other.
func (m *stateMix) see(rng *rand.Rand, state string) match.Seen {
	total := 0
	for _, t := range toldStates {
		total += t.told
	}
	n := rng.IntN(total)
	for _, t := range toldStates {
		if n -= t.told; n >= 0 {
			continue
		}
		if t.confidence == 0 {
			return match.Seen{}
		}
		seen := state
		for wrong := rng.IntN(t.told) >= t.right; wrong && seen == state; {
			seen = m.names[rng.IntN(len(m.names))]
		}
		return match.Seen{Issuer: []match.Alternative{{Text: entry.IssuerCodes(seen)[0], Confidence: t.confidence}}}
	}
	panic("simulate: no state was drawn")
}

// States simulates lists of the given sizes with the states' true mix, where most
// of the traffic is of one state, with as many reads as a mix of [Run] gets.
func States(ctx context.Context, o Options) ([]StateRow, error) {
	o.fill()
	o.Reads, o.Listed = o.Reads/mixShare, o.Listed/mixShare
	rows := make([]StateRow, len(o.Sizes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, size := range o.Sizes {
		g.Go(func() (err error) {
			rows[i], err = o.states(ctx, size)
			return err
		})
	}
	return rows, g.Wait()
}

// states simulates one size.
func (o *Options) states(ctx context.Context, size int) (StateRow, error) {
	rng := rand.New(rand.NewPCG(o.Seed, uint64(size)))
	mix, reader := newStateMix(), newReader()
	_, order := list(size, layouts, rng)
	of, stateOf := make([]string, len(order)), make(map[string]string, len(order))
	for i, plate := range order {
		of[i] = mix.draw(rng)
		stateOf[plate] = of[i]
	}
	s := &lookups{confusions: o.Confusions, matching: o.Matching(size)}
	s.searcher = match.NewPlates(order, of, &s.traffic)
	row := StateRow{Mix: "states", Size: size, Reads: o.Reads}
	for range o.Reads {
		if ctx.Err() != nil {
			return row, ctx.Err()
		}
		state, plate := mix.draw(rng), drawPlate(rng, layouts)
		if rng.Float64() < homeShare {
			state = home
		}
		for stateOf[plate] == state { // the listed vehicle itself
			plate = drawPlate(rng, layouts)
		}
		seen := mix.see(rng, state)
		m, err := s.lookupSeen(reader.read(rng, plate), seen)
		if err != nil {
			return row, err
		}
		s.traffic.Add(&s.reading)
		if len(m) > 0 {
			row.add(m, len(seen.Issuer) > 0 && seen.Issuer[0].Confidence >= sureState)
		}
	}
	listed := o.Listed
	for range listed {
		k := rng.IntN(len(order))
		cs := reader.rightly(rng, order[k], reader.quality(rng))
		for _, v := range []struct {
			seen  match.Seen
			agree bool
			hits  *float64
		}{{match.Seen{}, false, &row.Blind}, {mix.see(rng, of[k]), false, &row.Found}, {mix.see(rng, of[k]), true, &row.Agreed}} {
			s.matching.Agree = v.agree
			m, err := s.lookupSeen(cs, v.seen)
			if err != nil {
				return row, err
			}
			if slices.ContainsFunc(m, func(m match.Match) bool { return m.Entry.Plate == order[k] }) {
				*v.hits += 1 / float64(listed)
			}
		}
	}
	return row, nil
}

// add counts an alert for a vehicle that is not listed.
func (r *StateRow) add(m []match.Match, told bool) {
	open := slices.ContainsFunc(m, func(m match.Match) bool { return m.Contradiction == "" })
	r.False++
	if open {
		r.Unopposed++
	}
	if told {
		r.Told++
		if open {
			r.ToldUnopposed++
		}
	}
}
