// Package verdict keeps what persons found about a unit's hits: how many were right and
// wrong, by list and way of matching.
//
// The audit trail is its memory: it records each hit and each verdict, without plates,
// in a chain that shows a change. So a verdict survives a restart and a power cut, and
// none is counted that the trail does not hold. A verdict changes nothing but these
// counts, whoever sends it: what can be known from a hit, and which hits there are, stays
// as it is.
package verdict

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/uplink/message"
)

// Bounds of what a client that may send verdicts can make a unit keep.
const (
	maxHits    = 5000 // the newest ones; verdicts about others are unknown
	window     = 100  // verdicts of one list and way of matching that count
	maxPairs   = 64   // of lists and ways of matching; the rest counts as "other"
	maxChanges = 3    // of one hit's verdict
	maxLatest  = 20
	latestFor  = 10 * time.Minute
)

// pair is a list and a way of matching.
type pair struct{ list, how string }

// sent is a hit that the unit sent.
type sent struct {
	pairs   []pair
	finding message.Finding // the verdict; empty before the first
	at      time.Time       // of the verdict
	changes int
}

// counted is one verdict in the window of a pair.
type counted struct {
	id      string
	finding message.Finding
}

// answer is what became of a verdict, and when, by the monotonic clock.
type answer struct {
	message.VerdictAnswer
	when time.Time
}

// Book is the unit's knowledge of verdicts. It is safe for concurrent use.
type Book struct {
	trail  *audit.Trail
	taking sync.Mutex // held while verdicts are recorded; before mu

	mu      sync.Mutex
	hits    map[string]*sent
	order   []string // ids of hits, oldest first
	windows map[pair][]counted
	answers []answer
	ignored uint64
}

// NewBook returns a book that records in a trail. [Book.Load] reads what is there.
func NewBook(trail *audit.Trail) *Book {
	return &Book{trail: trail, hits: map[string]*sent{}, windows: map[pair][]counted{}}
}

// Load reads hits and verdicts from the trail. Call it before [Book.Take]. Hits that
// are made meanwhile do not wait for it.
func (b *Book) Load() error {
	old := NewBook(b.trail)
	err := b.trail.Records(audit.Filter{Kinds: []audit.Kind{audit.Hit, audit.Verdict}}, func(r audit.Record) error {
		p := pair{r.List, r.How}
		if r.Kind == audit.Hit {
			old.note(r.Hit, p)
			return nil
		}
		h := old.hits[r.Hit]
		if h == nil {
			h = old.note(r.Hit, p) // the record of the hit has expired
		}
		old.count(r.Hit, h, message.Finding(r.Verdict), r.Given, p)
		return nil
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range b.order {
		for _, p := range b.hits[id].pairs {
			old.note(id, p)
		}
	}
	b.hits, b.order, b.windows = old.hits, old.order, old.windows
	return err
}

// Sent notes the matches of a hit that was made, or of its new revision.
func (b *Book) Sent(id string, matches []message.Match) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h := b.hits[id]; h != nil && h.finding == "" {
		h.pairs = nil
	}
	for _, m := range matches {
		b.note(id, pair{m.List, string(m.How)})
	}
}

// note notes one match of a hit.
func (b *Book) note(id string, p pair) *sent {
	h := b.hits[id]
	if h == nil {
		if len(b.order) >= maxHits {
			delete(b.hits, b.order[0])
			b.order = slices.Delete(b.order, 0, 1)
		}
		h = &sent{}
		b.hits[id] = h
		b.order = append(b.order, id)
	}
	if h.finding == "" && !slices.Contains(h.pairs, p) {
		h.pairs = append(h.pairs, p)
	}
	return h
}

// Take records verdicts and counts them. Each gets an answer. It waits for the disk, and
// [Book.Sent] does not wait for it.
func (b *Book) Take(ctx context.Context, verdicts []message.Verdict) []message.VerdictAnswer {
	b.taking.Lock()
	defer b.taking.Unlock()
	var out []message.VerdictAnswer
	for _, v := range verdicts {
		out = append(out, message.VerdictAnswer{ID: v.ID, At: v.At, Answer: b.take(ctx, v)})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range out {
		switch a.Answer {
		case message.VerdictUnknown, message.VerdictOlder, message.VerdictRefused:
			b.ignored++
		}
		b.answers = append(b.answers, answer{a, time.Now()})
	}
	b.answers = b.answers[max(0, len(b.answers)-maxLatest):]
	return out
}

func (b *Book) take(ctx context.Context, v message.Verdict) message.Answer {
	result, before, pairs := b.weigh(v)
	if result != message.VerdictCounted && result != message.VerdictChanged {
		return result
	}
	var records []audit.Record
	for _, p := range pairs {
		records = append(records, audit.Record{Kind: audit.Verdict, Hit: v.ID, List: p.list, How: p.how, Verdict: string(v.Verdict),
			Before: string(before), Operator: v.By, Reason: v.Reason, Given: v.At})
	}
	if err := b.trail.Append(ctx, records...); err != nil {
		return message.VerdictFailed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if h := b.hits[v.ID]; h != nil { // else 5,000 other hits were made meanwhile
		b.count(v.ID, h, v.Verdict, v.At, pairs...)
	}
	return result
}

// weigh tells what becomes of a verdict once it is recorded, what it replaces, and the
// matches that it is about.
func (b *Book) weigh(v message.Verdict) (result message.Answer, before message.Finding, pairs []pair) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hits[v.ID]
	switch {
	case h == nil:
		return message.VerdictUnknown, "", nil
	case h.finding == v.Verdict:
		return message.VerdictRepeated, "", nil
	case h.finding != "" && !v.At.After(h.at):
		return message.VerdictOlder, "", nil
	case h.finding != "" && h.changes >= maxChanges:
		return message.VerdictRefused, "", nil
	case h.finding != "":
		return message.VerdictChanged, h.finding, slices.Clone(h.pairs)
	}
	return message.VerdictCounted, "", slices.Clone(h.pairs)
}

// count counts a verdict about a hit for some of its matches.
func (b *Book) count(id string, h *sent, f message.Finding, at time.Time, pairs ...pair) {
	if h.finding != "" && h.finding != f {
		h.changes++
	}
	h.finding, h.at = f, at
	for _, p := range pairs {
		w, known := b.windows[p]
		if !known && len(b.windows) >= maxPairs {
			p = pair{"other", "other"}
			w = b.windows[p]
		}
		if i := slices.IndexFunc(w, func(c counted) bool { return c.id == id }); i >= 0 {
			w[i].finding = f
			continue
		}
		w = append(w, counted{id, f})
		b.windows[p] = w[max(0, len(w)-window):]
	}
}

// Health is what the unit says of verdicts; nil while there are none.
func (b *Book) Health(s Settings) *message.VerdictHealth {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers = slices.DeleteFunc(b.answers, func(a answer) bool { return time.Since(a.when) > latestFor })
	if len(b.windows) == 0 && b.ignored == 0 && len(b.answers) == 0 {
		return nil
	}
	out := &message.VerdictHealth{Counts: []message.VerdictCount{}, Ignored: b.ignored}
	for p, w := range b.windows {
		c := message.VerdictCount{List: p.list, How: p.how}
		for _, v := range w {
			if v.finding == message.Wrong {
				c.Wrong++
			} else {
				c.Right++
			}
		}
		c.TooMany = s.tooMany(c.Right, c.Wrong)
		out.Counts = append(out.Counts, c)
	}
	slices.SortFunc(out.Counts, func(a, c message.VerdictCount) int {
		return cmp.Or(cmp.Compare(a.List, c.List), cmp.Compare(a.How, c.How))
	})
	for _, a := range b.answers {
		out.Latest = append(out.Latest, a.VerdictAnswer)
	}
	return out
}
