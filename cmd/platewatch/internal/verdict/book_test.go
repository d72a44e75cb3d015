package verdict

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/audit"
	"platewatch/uplink/message"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func openBook(t *testing.T, dir string) *Book {
	t.Helper()
	trail, err := audit.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	b := NewBook(trail)
	if err := b.Load(); err != nil {
		t.Fatal(err)
	}
	return b
}

// hit makes a hit as the unit does: noted, and recorded in the trail.
func hit(t *testing.T, b *Book, id string, matches ...message.Match) {
	t.Helper()
	var records []audit.Record
	for _, m := range matches {
		records = append(records, audit.Record{Kind: audit.Hit, Hit: id, List: m.List, How: string(m.How)})
	}
	if err := b.trail.Append(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	b.Sent(id, matches)
}

func give(t *testing.T, b *Book, id string, f message.Finding, at time.Time) message.Answer {
	t.Helper()
	return b.Take(t.Context(), []message.Verdict{{ID: id, Verdict: f, Reason: "looked", By: "jane", At: at}})[0].Answer
}

func verdictRecords(t *testing.T, b *Book) (n int) {
	t.Helper()
	if err := b.trail.Records(audit.Filter{Kinds: []audit.Kind{audit.Verdict}}, func(audit.Record) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

var (
	exact = message.Match{List: "stolen", How: message.HowExact}
	off   = message.Match{List: "local", How: message.HowOneCharacter}
)

// TestVerdicts: which verdicts count and which do not; the trail records each that
// counts, and a restart changes nothing.
func TestVerdicts(t *testing.T) {
	dir := t.TempDir()
	b := openBook(t, dir)
	hit(t, b, "u-1", exact, off)
	hit(t, b, "u-2", off)
	for _, step := range []struct {
		id      string
		finding message.Finding
		at      time.Time
		want    message.Answer
	}{
		{"u-1", message.Right, noon, message.VerdictCounted},
		{"u-1", message.Right, noon, message.VerdictRepeated}, // a replay
		{"u-3", message.Wrong, noon, message.VerdictUnknown},
		{"u-2", message.Wrong, noon, message.VerdictCounted},
		{"u-1", message.Wrong, noon.Add(time.Minute), message.VerdictChanged},
		{"u-1", message.Right, noon, message.VerdictOlder}, // the first one once more
		{"u-1", message.Wrong, noon.Add(time.Hour), message.VerdictRepeated},
		{"u-1", message.Right, noon.Add(2 * time.Minute), message.VerdictChanged},
		{"u-1", message.Wrong, noon.Add(3 * time.Minute), message.VerdictChanged},
		{"u-1", message.Right, noon.Add(4 * time.Minute), message.VerdictRefused},
	} {
		if got := give(t, b, step.id, step.finding, step.at); got != step.want {
			t.Errorf("%s %s at %s: %s, want %s", step.id, step.finding, step.at.Format(time.TimeOnly), got, step.want)
		}
	}
	want := []message.VerdictCount{{List: "local", How: "one_character", Wrong: 2}, {List: "stolen", How: "exact", Wrong: 1}}
	h := b.Health(Default())
	if diff := cmp.Diff(want, h.Counts); diff != "" || h.Ignored != 3 || len(h.Latest) != 10 {
		t.Errorf("%+v (-want +got):\n%s", h, diff)
	}
	if n := verdictRecords(t, b); n != 2*4+1 { // one for each match
		t.Errorf("%d records", n)
	}
	again := openBook(t, dir)
	if diff := cmp.Diff(want, again.Health(Default()).Counts); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	for id, want := range map[string]message.Answer{"u-1": message.VerdictRefused, "u-2": message.VerdictChanged} {
		if got := give(t, again, id, message.Right, noon.Add(time.Hour)); got != want {
			t.Errorf("after a restart, %s: %s", id, got)
		}
	}
	if _, err := b.trail.Verify(); err != nil {
		t.Error(err)
	}
	days, err := again.trail.Days("", "")
	if err != nil || len(days) != 1 {
		t.Fatalf("%+v, %v", days, err)
	}
	tally := audit.Tally{"stolen": {"exact, right": 1, "exact, wrong instead of right": 2, "exact, right instead of wrong": 1},
		"local": {"one_character, right": 1, "one_character, wrong": 1, "one_character, wrong instead of right": 2, "one_character, right instead of wrong": 2}}
	if diff := cmp.Diff(tally, days[0].Verdicts); diff != "" {
		t.Errorf("the day's counts (-want +got):\n%s", diff)
	}
}

// TestTooMany: the newest hundred of a list and way of matching decide, from a number
// of verdicts on.
func TestTooMany(t *testing.T) {
	b := openBook(t, t.TempDir())
	id := 0
	judged := func(n int, f message.Finding) message.VerdictCount {
		for range n {
			id++
			b.Sent(fmt.Sprintf("u-%d", id), []message.Match{exact})
			b.count(fmt.Sprintf("u-%d", id), b.hits[fmt.Sprintf("u-%d", id)], f, noon, pair{"stolen", "exact"})
		}
		return b.Health(Default()).Counts[0]
	}
	for _, step := range []struct {
		n    int
		f    message.Finding
		want message.VerdictCount
	}{
		{19, message.Wrong, message.VerdictCount{Wrong: 19}}, // too few to say so
		{1, message.Right, message.VerdictCount{Right: 1, Wrong: 19, TooMany: true}},
		{75, message.Right, message.VerdictCount{Right: 76, Wrong: 19}},
		{4, message.Wrong, message.VerdictCount{Right: 76, Wrong: 23, TooMany: true}},
		{20, message.Right, message.VerdictCount{Right: 96, Wrong: 4}}, // the first 19 are forgotten
	} {
		step.want.List, step.want.How = "stolen", "exact"
		if diff := cmp.Diff(step.want, judged(step.n, step.f)); diff != "" {
			t.Errorf("after %d more (-want +got):\n%s", step.n, diff)
		}
	}
	if (Settings{MostWrong: 1, Least: 1}).tooMany(0, 100) {
		t.Error("1 means never")
	}
}

// TestAttackVerdicts: a client that may send verdicts can make a unit keep and record
// only a bounded number of them, and none about hits that the unit did not send.
func TestAttackVerdicts(t *testing.T) {
	b := openBook(t, t.TempDir())
	for i := range maxHits + 50 {
		b.Sent(fmt.Sprintf("u-%d", i+1), []message.Match{{List: fmt.Sprintf("l%d", i), How: message.HowExact}})
	}
	if len(b.hits) != maxHits || len(b.order) != maxHits {
		t.Errorf("%d hits are kept", len(b.hits))
	}
	for i := range 3 * maxPairs {
		give(t, b, fmt.Sprintf("u-%d", 1000+i), message.Wrong, noon)
		give(t, b, fmt.Sprintf("x-%d", i), message.Wrong, noon)
	}
	h := b.Health(Default())
	if len(h.Counts) > maxPairs+1 || len(h.Latest) != maxLatest || h.Ignored != 3*maxPairs {
		t.Errorf("%d pairs, %d answers, %d ignored", len(h.Counts), len(h.Latest), h.Ignored)
	}
	for i := range 50 { // back and forth
		give(t, b, "u-1000", []message.Finding{message.Right, message.Wrong}[i%2], noon.Add(time.Duration(i+1)*time.Second))
	}
	if n := verdictRecords(t, b); n != 3*maxPairs+maxChanges {
		t.Errorf("%d records", n)
	}
	t.Attr("outcome", fmt.Sprintf("%d forged verdicts ignored, at most %d changes of one recorded", h.Ignored, maxChanges))
}

// A verdict that the trail cannot record is not counted.
func TestVerdictNotRecorded(t *testing.T) {
	b := openBook(t, t.TempDir())
	b.Sent("u-1", []message.Match{exact})
	long := message.Verdict{ID: "u-1", Verdict: message.Wrong, Reason: "looked", By: "jane", At: noon}
	b.hits["u-1"].pairs = []pair{{string(make([]byte, 20<<10)), "exact"}} // more than a record may hold
	if got := b.Take(t.Context(), []message.Verdict{long})[0].Answer; got != message.VerdictFailed || len(b.windows) != 0 {
		t.Errorf("%s, %d windows", got, len(b.windows))
	}
}

// TestLoadBesideNewHits: hits made while the trail is read stay the newest.
func TestLoadBesideNewHits(t *testing.T) {
	dir := t.TempDir()
	b := openBook(t, dir)
	hit(t, b, "u-1", exact)
	give(t, b, "u-1", message.Right, noon)
	next := NewBook(b.trail)
	next.Sent("u-2", []message.Match{off})
	if err := next.Load(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"u-1", "u-2"}, next.order); diff != "" || next.hits["u-1"].finding != message.Right {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
