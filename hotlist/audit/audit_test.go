package audit

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"platewatch/hotlist/entry"
)

func openTrail(t testing.TB, dir string) *Trail {
	t.Helper()
	trail, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return trail
}

func records(t testing.TB, trail *Trail, f Filter) []Record {
	t.Helper()
	var all []Record
	if err := trail.Records(f, func(r Record) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// Whatever is changed in the trail is noticed, and the first record named that
// does not fit.
func TestEveryChangeOfTheTrailIsNoticed(t *testing.T) {
	dir := t.TempDir()
	trail := openTrail(t, dir)
	for i := range 6 {
		if err := trail.Append(t.Context(), Record{Kind: Hit, Hit: fmt.Sprint("u-", i)}); err != nil {
			t.Fatal(err)
		}
	}
	path := trail.segmentPath(1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))[:6]
	broken := func(what string, content []byte, seq uint64) {
		t.Helper()
		write(t, path, content)
		_, err := trail.Verify()
		var b *BrokenError
		if !errors.As(err, &b) || !errors.Is(err, entry.ErrDamaged) || seq != 0 && b.Seq != seq {
			t.Errorf("%s: %v", what, err)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for at := range whole {
		b := slices.Clone(whole)
		b[at] ^= byte(1 + rng.IntN(255))
		record := bytes.Count(whole[:at], []byte("\n")) + 1
		broken(fmt.Sprintf("byte %d", at), b, uint64(record))
	}
	broken("a record taken out", bytes.Join(slices.Delete(slices.Clone(lines), 2, 3), nil), 3)
	broken("two swapped", bytes.Join([][]byte{lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]}, nil), 2)
	broken("one twice", bytes.Join([][]byte{lines[0], lines[0], lines[1], lines[2], lines[3], lines[4], lines[5]}, nil), 2)
	broken("the last cut off", bytes.Join(lines[:5], nil), 6)
	broken("all gone", nil, 1)
	write(t, path, whole)
	if r, err := trail.Verify(); err != nil || r.Records != 6 {
		t.Fatalf("%+v, %v", r, err)
	}
	// A line that a power cut left half written was never committed.
	write(t, path, append(slices.Clone(whole), lines[0][:20]...))
	if err := trail.Append(t.Context(), Record{Kind: Hit}); err != nil {
		t.Fatal(err)
	}
	if r, err := trail.Verify(); err != nil || r.Records != 7 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTrailRotatesAndKeepsItsAnchor(t *testing.T) {
	dir := t.TempDir()
	trail := openTrail(t, dir)
	trail.segment, trail.segments = 600, 3
	for i := range 40 {
		if err := trail.Append(t.Context(), Record{Kind: Lookup, Operator: "jane", Reason: fmt.Sprint("case ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	starts, err := trail.segmentFiles()
	if err != nil || len(starts) != 3 {
		t.Fatal(starts, err)
	}
	r, err := trail.Verify()
	if err != nil || r.Last != 40 || r.First != starts[0] || r.First == 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	trail.now = func() time.Time { return time.Now().Add(2 * keptFor) } // all but the newest are too old
	if err := trail.Append(t.Context(), Record{Kind: Hit}); err != nil {
		t.Fatal(err)
	}
	if r, err = trail.Verify(); err != nil || r.Last != 41 || r.Records > 6 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := os.Remove(trail.segmentPath(r.First)); err != nil {
		t.Fatal(err)
	}
	if _, err = trail.Verify(); !errors.Is(err, entry.ErrDamaged) {
		t.Errorf("without its beginning: %v", err)
	}
}

// Several processes and goroutines write to one trail.
func TestTrailHasManyWriters(t *testing.T) {
	dir := t.TempDir()
	var g errgroup.Group
	for range 4 {
		trail := openTrail(t, dir)
		g.Go(func() error {
			for range 10 {
				if err := trail.Append(t.Context(), Record{Kind: Hit}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if r, err := openTrail(t, dir).Verify(); err != nil || r.Records != 40 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestCountsOfADayGoIntoTheTrail(t *testing.T) {
	trail := openTrail(t, t.TempDir())
	add := func(d DayCounts) {
		t.Helper()
		if err := trail.Count(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	add(DayCounts{Day: "2026-01-01", Reads: 10, Passages: 3, Hits: map[string]map[string]uint64{"l": {entry.Wanted: 1}}})
	add(DayCounts{Day: "2026-01-01", Reads: 5, Hits: map[string]map[string]uint64{"l": {entry.Wanted: 1, entry.Felony: 1}}})
	add(DayCounts{Day: "2026-01-01"})
	if c, err := trail.counted(); err != nil || c.Reads != 15 || c.Hits["l"][entry.Wanted] != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	add(DayCounts{Day: "2026-01-02", Reads: 1})
	got := records(t, trail, Filter{Kinds: []Kind{Counts}})
	if len(got) != 1 || got[0].Counts.Day != "2026-01-01" || got[0].Counts.Reads != 15 || got[0].Counts.Hits["l"][entry.Felony] != 1 {
		t.Errorf("%+v", got)
	}
	if c, err := trail.counted(); err != nil || c.Day != "2026-01-02" || c.Reads != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzTrail(f *testing.F) {
	trail := openTrail(f, f.TempDir())
	if err := trail.Append(f.Context(), Record{Kind: Hit}); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(trail.segmentPath(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(append(b, b...))
	f.Add([]byte("{}\t\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		write(t, trail.segmentPath(1), content)
		if _, err := trail.Verify(); err == nil && !bytes.Equal(content, b) && !bytes.Equal(append(content, '\n'), b) {
			t.Errorf("verified %q", content)
		}
		if err := trail.Records(Filter{}, func(Record) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

// A last record that a power cut tore before it was committed is no breach; the next
// record takes its place. The same damage within what was committed is one.
func TestTornLastRecordIsNotCounted(t *testing.T) {
	dir := t.TempDir()
	trail := openTrail(t, dir)
	for range 3 {
		if err := trail.Append(t.Context(), Record{Kind: Lookup}); err != nil {
			t.Fatal(err)
		}
	}
	path := trail.segmentPath(1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	torn := slices.Clone(lines[2])
	clear(torn[:len(torn)/2])
	for name, tail := range map[string][]byte{"half a line": lines[2][:40], "a line without its beginning": torn, "the same, and one more": append(slices.Clone(torn), lines[2]...)} {
		write(t, path, append(slices.Clone(whole), tail...))
		if r, err := trail.Verify(); err != nil || r.Records != 3 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if err := trail.Append(t.Context(), Record{Kind: Lookup}); err != nil {
			t.Fatal(err)
		}
		if r, err := trail.Verify(); err != nil || r.Records != 4 {
			t.Errorf("%s, and a record more: %+v, %v", name, r, err)
		}
		write(t, path, whole)
		trail = openTrail(t, dir)
		third := Link{3, string(bytes.TrimSpace(lines[2][bytes.IndexByte(lines[2], '\t')+1:]))}
		if err := trail.writeHead(head{Link: third, Segment: 1, Bytes: int64(len(whole))}); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, slices.Concat(lines[0], torn, lines[2]))
	var broken *BrokenError
	if _, err := trail.Verify(); !errors.As(err, &broken) || broken.Seq != 2 {
		t.Errorf("torn within: %v", err)
	}
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A power cut can leave a new segment that the head does not name yet: empty, torn, or
// with records that count.
func TestChainContinuesAfterAnInterruptedRotation(t *testing.T) {
	for name, left := range map[string]int{"nothing": 0, "half a record": 50, "a record": -1} {
		dir := t.TempDir()
		trail := openTrail(t, dir)
		trail.segment = 600
		for range 2 {
			if err := trail.Append(t.Context(), Record{Kind: Lookup, Reason: "case"}); err != nil {
				t.Fatal(err)
			}
		}
		before, err := os.ReadFile(trail.headPath())
		if err != nil {
			t.Fatal(err)
		}
		if err := trail.Append(t.Context(), Record{Kind: Lookup, Reason: strings.Repeat("long ", 100)}, Record{Kind: Lookup, Reason: "case"}); err != nil {
			t.Fatal(err)
		}
		starts, err := trail.segmentFiles()
		if err != nil || len(starts) != 2 {
			t.Fatal(starts, err)
		}
		if left >= 0 {
			if err := os.Truncate(trail.segmentPath(starts[1]), int64(left)); err != nil {
				t.Fatal(err)
			}
		}
		write(t, trail.headPath(), before)
		trail = openTrail(t, dir)
		trail.segment = 600
		if r, err := trail.Verify(); err != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		for range 3 {
			if err := trail.Append(t.Context(), Record{Kind: Lookup}); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := trail.Verify(); err != nil || r.Records < 6 || r.Records > 7 {
			t.Errorf("%s, and three records more: %+v, %v", name, r, err)
		}
	}
}
