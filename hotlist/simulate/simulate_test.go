package simulate

import (
	"math/rand/v2"
	"strings"
	"testing"

	"platewatch/hotlist/match"
)

func textOf(cs []match.Character) string {
	var b strings.Builder
	for _, c := range cs {
		b.WriteString(c.Text)
	}
	return b.String()
}

// The simulated reader errs as often as the real one did: on at most as many
// plates as there are errors, and not on many fewer, though several may be on one plate.
func TestReaderErrsAsMeasured(t *testing.T) {
	r := newReader()
	errors := r.missed + r.added
	for i := range r.wrong {
		errors += r.wrong[i].total
	}
	measured := float64(errors) / float64(r.total+r.missed+r.added)
	if measured < 0.01 {
		t.Errorf("%d errors on %d plates were measured, unlikely few", errors, r.total)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 20_000
	right := 0
	for range n {
		p := drawPlate(rng, layouts)
		if textOf(r.read(rng, p)) == p {
			right++
		}
	}
	if wrong := 1 - float64(right)/n; wrong < 0.6*measured || wrong > measured {
		t.Errorf("%.3f of the plates are misread, with %.3f errors a plate", wrong, measured)
	}
}

func TestMisreadsAreOfTheirKind(t *testing.T) {
	r := newReader()
	rng := rand.New(rand.NewPCG(2, 2))
	for _, kind := range Errors {
		n := 0
		for range 2000 {
			p := drawPlate(rng, layouts)
			cs, ok := r.misread(rng, p, kind, match.DefaultConfusions())
			if !ok {
				continue
			}
			n++
			got := textOf(cs)
			want := map[Error]int{MissedError: len(p) - 1, AddedError: len(p) + 1}[kind]
			if want == 0 {
				want = len(p)
			}
			differs := 0
			for i := range min(len(p), len(got)) {
				if p[i] != got[i] {
					differs++
				}
			}
			if len(got) != want || kind == NoError && differs != 0 || len(got) == len(p) && kind != NoError && differs != 1 {
				t.Fatalf("%s read as %s with error %q", p, got, kind)
			}
		}
		if n < 100 {
			t.Errorf("error %q: %d plates", kind, n)
		}
	}
}

// A small simulation keeps what the defaults promise.
func TestDefaultsKeepWhatTheyPromise(t *testing.T) {
	t.Parallel()
	rows, err := Run(t.Context(), Options{Sizes: []int{100, 10_000, 100_000}, Reads: 10_000, Listed: 400, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i, least := range []map[Error]float64{
		{NoError: 1, LookalikeError: 0.98, ConfusedError: 0.98, NamedError: 0.98, WrongError: 0.98, MissedError: 0.98, AddedError: 0.98},
		{NoError: 1, LookalikeError: 0.99, NamedError: 0.97, MissedError: 0.99, AddedError: 0.99},
		{NoError: 1, LookalikeError: 0.99, ConfusedError: 0.8, NamedError: 0.7, MissedError: 0.8, AddedError: 0.99},
	} {
		r := rows[i]
		if r.False > 4 { // at one in 20,000 more than four happen once in 5,800 runs
			t.Errorf("%d entries: %d false alerts", r.Size, r.False)
		}
		for kind, share := range least {
			if r.Hits[kind.String()] < share {
				t.Errorf("%d entries: %.3f hits of those %q, want %.2f", r.Size, r.Hits[kind.String()], kind, share)
			}
		}
	}
	if len(rows) != 3*(1+len(mixes)) {
		t.Fatalf("%d rows", len(rows))
	}
	// Where other formats pass, one in 20,000 again: four of 2,000 happen once in
	// 270,000 runs.
	for _, r := range rows[3:] {
		if r.False > 3 || r.Hits[NoError.String()] < 1 || r.Hits[LookalikeError.String()] < 0.95 {
			t.Errorf("%s, %d entries: %d false alerts of %d, %v", r.Mix, r.Size, r.False, r.Reads, r.Hits)
		}
	}
}

// What is seen of the state opposes at least half of the false alerts where it is
// told, and loses no listed vehicle.
func TestStatesAreSeen(t *testing.T) {
	t.Parallel()
	rows, err := States(t.Context(), Options{Sizes: []int{100_000}, Reads: 1_000_000, Listed: 5000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := rows[0]
	if r.Told < 5 || 2*r.ToldUnopposed > r.Told || r.Unopposed >= r.False {
		t.Errorf("%+v", r)
	}
	if r.Found < 0.995 || r.Blind < 0.995 || r.Agreed < 0.9 || r.Agreed >= r.Found {
		t.Errorf("%+v", r)
	}
}
