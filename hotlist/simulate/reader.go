// Package simulate measures how lists match what a unit looks up: how many listed
// plates read with an error are found, and how many unlisted plates raise a false
// alert.
//
// A unit looks up the vote over the frames of a passage, once two of them agree and
// the vote is confident enough, and again when the vote changes. reader.tsv holds the
// characters of such lookups: the true one, the one read, its confidence and its
// alternatives. `make reads` measures it (ocr/passage/cmd/tallyreads) with the unit's
// finder, reader and vote, on 2,329 plates of public labelled photographs from
// Slovakia, the US, Brazil, France, Taiwan and some forty other countries, each made
// into six frames of an approaching vehicle, and on 23 clips of Dutch cars. 2,133 of
// them were looked up, 2,139 times, 2,066 times correctly; 61 of 14,149 characters
// were wrong, 34 of them other than O for 0 or I for 1. The shares of hits are no more
// certain than these numbers.
//
// The frames of a vehicle do not err independently, and the simulation does not assume
// it: dirt, a bolt, a shadow and the typeface are on all frames of a photograph. Where
// a frame was read wrong, the next one gave the same wrong text in 359 of 534 cases, and
// a lookup is hardly more often right than a single reading.
//
// Eleven lookups whose characters cannot be aligned, and 15 pictures that contradict
// their label, are left out. The characters of one plate are drawn from lookups of
// about the same confidence, because a plate that is hard to read is so everywhere.
package simulate

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"

	"platewatch/hotlist/match"
)

//go:embed reader.tsv
var readerTable string

// qualities is the number of classes of plates, by the confidence of the whole.
const qualities = 5

// enough is the least number of outcomes of a class to draw from; with fewer, the classes
// beside it are drawn from as well.
const enough = 8

// outcome is one way in which the reader read a character.
type outcome struct {
	read    match.Character
	truth   byte
	quality int
	count   int
}

// pool is a set of outcomes to draw from.
type pool struct {
	outcomes []outcome
	total    int
}

func (p *pool) add(o outcome) {
	p.outcomes = append(p.outcomes, o)
	p.total += o.count
}

func (p *pool) addAll(o *pool) {
	p.outcomes, p.total = append(p.outcomes, o.outcomes...), p.total+o.total
}

func (p *pool) draw(rng *rand.Rand) match.Character {
	n := rng.IntN(p.total)
	for i := range p.outcomes {
		if n -= p.outcomes[i].count; n < 0 {
			return p.outcomes[i].read
		}
	}
	panic("simulate: a pool is empty")
}

// simulatedReader misreads plates as often, and in the ways, that was measured.
type simulatedReader struct {
	plates [qualities]int
	total  int                  // of them
	missed int                  // further lookups with one character too few
	added  int                  // and with one too many
	short  [qualities]int       // how sure readings with one too few are, by class
	long   [qualities]int       // and those with one too many
	all    [qualities][128]pool // by quality and true character
	seen   [128]int             // how often each true character was
	right  [qualities][128]pool
	wrong  [128]pool
}

// newReader returns the measured reader.
func newReader() *simulatedReader { return builtIn() }

var builtIn = sync.OnceValue(func() *simulatedReader {
	r, err := parseReader(readerTable)
	if err != nil {
		panic("simulate: reader.tsv: " + err.Error())
	}
	return r
})

func parseReader(text string) (*simulatedReader, error) {
	r := &simulatedReader{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		f := strings.Split(lines.Text(), "\t")
		if len(f) == 2 && (f[0] == "missed" || f[0] == "added") {
			count, err := strconv.Atoi(f[1])
			if err != nil || count < 0 {
				return nil, fmt.Errorf("line %d: %q", n, lines.Text())
			}
			if f[0] == "missed" {
				r.missed = count
			} else {
				r.added = count
			}
			continue
		}
		if len(f) == 3 {
			of := map[string]*[qualities]int{"plates": &r.plates, "missed": &r.short, "added": &r.long}[f[0]]
			quality, err := strconv.Atoi(f[1])
			count, err2 := strconv.Atoi(f[2])
			if of == nil || err != nil || err2 != nil || quality < 0 || quality >= qualities {
				return nil, fmt.Errorf("line %d: %q", n, lines.Text())
			}
			of[quality] = count
			continue
		}
		if err := r.parse(f); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	for _, n := range r.plates {
		r.total += n
	}
	r.all, r.right = filled(r.all), filled(r.right)
	if r.missed > 0 && r.short == ([qualities]int{}) || r.added > 0 && r.long == ([qualities]int{}) {
		return nil, errors.New("no classes of readings with a character too few or too many")
	}
	return r, lines.Err()
}

// filled adds to the pools of a class that hold too little those of the classes beside
// it, the nearest first: a doubtful plate's characters are doubtful.
func filled(pools [qualities][128]pool) (out [qualities][128]pool) {
	for q := range pools {
		for c := range pools[q] {
			p := &out[q][c]
			p.addAll(&pools[q][c])
			for d := 1; d < qualities && p.total < enough; d++ {
				if q >= d {
					p.addAll(&pools[q-d][c])
				}
				if q+d < qualities {
					p.addAll(&pools[q+d][c])
				}
			}
		}
	}
	return out
}

func (r *simulatedReader) parse(f []string) error {
	if len(f) != 6 || len(f[1]) != 1 || len(f[2]) != 1 || f[1][0] > 127 {
		return fmt.Errorf("%q", f)
	}
	quality, err := strconv.Atoi(f[0])
	confidence, err2 := strconv.Atoi(f[3])
	count, err3 := strconv.Atoi(f[5])
	if err != nil || err2 != nil || err3 != nil || quality < 0 || quality >= qualities || count < 1 {
		return fmt.Errorf("%q", f)
	}
	o := outcome{truth: f[1][0], quality: quality, count: count, read: match.Character{Text: f[2], Confidence: float64(confidence) / 1000}}
	for a := range strings.FieldsSeq(f[4]) {
		text, thousandths, _ := strings.Cut(a, ":")
		p, err := strconv.Atoi(thousandths)
		if err != nil || len(text) != 1 {
			return fmt.Errorf("alternatives %q", f[4])
		}
		o.read.Alternatives = append(o.read.Alternatives, match.Alternative{Text: text, Confidence: float64(p) / 1000})
	}
	r.all[quality][o.truth].add(o)
	r.seen[o.truth] += o.count
	if f[1] == f[2] {
		r.right[quality][o.truth].add(o)
	} else {
		r.wrong[o.truth].add(o)
	}
	return nil
}

// quality draws the class of a plate.
func (r *simulatedReader) quality(rng *rand.Rand) int { return qualityOf(rng, r.plates) }

// qualityOf draws a class by counts.
func qualityOf(rng *rand.Rand, counts [qualities]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	n := rng.IntN(total)
	for q, count := range counts {
		if n -= count; n < 0 {
			return q
		}
	}
	return qualities - 1
}

// read reads a plate, with errors as often as the reader makes them.
func (r *simulatedReader) read(rng *rand.Rand, plate string) []match.Character {
	cs := r.characters(rng, plate, r.quality(rng))
	switch x := rng.IntN(r.total + r.missed + r.added); {
	case x < r.missed:
		cs = r.characters(rng, plate, qualityOf(rng, r.short))
		at := rng.IntN(len(cs))
		cs = append(cs[:at], cs[at+1:]...)
	case x < r.missed+r.added:
		cs = r.insert(rng, r.characters(rng, plate, qualityOf(rng, r.long)))
	}
	return cs
}

// characters reads those of a plate of one class.
func (r *simulatedReader) characters(rng *rand.Rand, plate string, quality int) []match.Character {
	cs := make([]match.Character, 0, len(plate)+1)
	for i := range len(plate) {
		cs = append(cs, r.all[quality][plate[i]].draw(rng))
	}
	return cs
}

// insert adds a character that is not on the plate, such as a sticker, with the
// confidence of one that was read wrong.
func (r *simulatedReader) insert(rng *rand.Rand, cs []match.Character) []match.Character {
	at := rng.IntN(len(cs) + 1)
	var c match.Character
	for c.Text == "" {
		if p := &r.wrong["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rng.IntN(36)]]; p.total > 0 {
			c = p.draw(rng)
		}
	}
	return append(cs[:at], append([]match.Character{c}, cs[at:]...)...)
}

// Error is a kind of misreading.
type Error int

// The kinds of misreadings.
const (
	NoError Error = iota
	// LookalikeError: one character is read as one of the same shape: see
	// [match.Lookalikes].
	LookalikeError
	// ConfusedError: one character is read as one that the table of confusions has
	// for it: look-alikes, and others such as 9 and 3, M and W, B and R.
	ConfusedError
	// NamedError: one character is read wrong, and the right one is among its
	// alternatives.
	NamedError
	// WrongError: one character is read wrong.
	WrongError
	// MissedError and AddedError: one character is missed, one added.
	MissedError
	AddedError
)

// Errors lists the kinds in the order of a table.
var Errors = []Error{NoError, LookalikeError, ConfusedError, NamedError, WrongError, MissedError, AddedError}

func (e Error) String() string {
	return [...]string{"right", "look-alike", "confused", "named", "wrong", "missed", "added"}[e]
}

// misread reads a plate with exactly one error of a kind, drawn by its frequency. It
// returns false if no character of the plate was ever misread so.
func (r *simulatedReader) misread(rng *rand.Rand, plate string, kind Error, c *match.Confusions) ([]match.Character, bool) {
	q := r.quality(rng)
	switch kind {
	case NoError:
		return r.rightly(rng, plate, q), true
	case MissedError:
		at := rng.IntN(len(plate))
		return r.rightly(rng, plate[:at]+plate[at+1:], qualityOf(rng, r.short)), true
	case AddedError:
		return r.insert(rng, r.rightly(rng, plate, qualityOf(rng, r.long))), true
	}
	// Each place is drawn with the frequency of such errors of its character.
	var at []int
	var errors []*outcome
	var weights []float64
	sum := 0.0
	for i := range len(plate) {
		t := plate[i]
		for k := range r.wrong[t].outcomes {
			o := &r.wrong[t].outcomes[k]
			if !isError(o, kind, c) {
				continue
			}
			w := float64(o.count) / float64(r.seen[t])
			at, errors, weights = append(at, i), append(errors, o), append(weights, w)
			sum += w
		}
	}
	if sum == 0 {
		return nil, false
	}
	x := rng.Float64() * sum
	k := 0
	for ; k < len(weights)-1 && x >= weights[k]; k++ {
		x -= weights[k]
	}
	// The other characters are those of a plate of the same class.
	cs := r.rightly(rng, plate, errors[k].quality)
	cs[at[k]] = errors[k].read
	return cs, true
}

// rightly reads a plate without error.
func (r *simulatedReader) rightly(rng *rand.Rand, plate string, quality int) []match.Character {
	cs := make([]match.Character, 0, len(plate)+1)
	for i := range len(plate) {
		cs = append(cs, r.right[quality][plate[i]].draw(rng))
	}
	return cs
}

// isError reports whether an outcome is an error of a kind.
func isError(o *outcome, kind Error, c *match.Confusions) bool {
	switch kind {
	case LookalikeError:
		return match.Lookalikes(o.read.Text[0], o.truth)
	case ConfusedError:
		return c.Confusable(o.read.Text[0], o.truth)
	case NamedError:
		for _, a := range o.read.Alternatives {
			if a.Text[0] == o.truth {
				return true
			}
		}
		return false
	}
	return true
}
