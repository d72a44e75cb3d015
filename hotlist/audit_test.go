package hotlist

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

func openTrail(t testing.TB, dir string) *Trail {
	t.Helper()
	trail, err := OpenTrail(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return trail
}

func records(t testing.TB, trail *Trail, f AuditFilter) []AuditRecord {
	t.Helper()
	var all []AuditRecord
	if err := trail.Records(f, func(r AuditRecord) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatIsDoneIsRecorded(t *testing.T) {
	s := newSigner(t)
	db := s.unit()
	v1, v2 := s.sign("signed", "plate\nAAA1111\nBBB2222\n", 1), s.sign("signed", "plate\nAAA1111\nCCC3333\nDDD4444\n", 2)
	for _, folder := range []string{v1, v2} {
		if _, err := s.apply(db, "signed", folder); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // a retained message that comes again and again is one record
		if _, err := s.apply(db, "signed", v1); err == nil {
			t.Fatal("applied")
		}
	}
	by := Actor{"jane", "case 7"}
	if _, err := Import(t.Context(), db.dir, strings.NewReader("plate\nXYZ789\n"), ImportOptions{List: "local", Version: "7", By: by, ReadOptions: ReadOptions{Source: "l.csv"}}); err != nil {
		t.Fatal(err)
	}
	local, err := Open(db.dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if _, err := local.Add(t.Context(), "local", map[string]string{"plate": "new 123", "category": "amber alert"}, by); err != nil {
		t.Fatal(err)
	}
	if got := platesOf(t, local, "local"); got != "NEW123 XYZ789" {
		t.Error(got)
	}
	if r, err := local.RemovePlate(t.Context(), "local", "xyz 789", by); err != nil || r.Removed != 1 || r.List.Entries != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := local.Remove(t.Context(), "local", by); err != nil {
		t.Fatal(err)
	}
	trail := openTrail(t, db.dir)
	var got []string
	for _, r := range records(t, trail, AuditFilter{}) {
		got = append(got, fmt.Sprintf("%d %s %s %s +%d -%d =%d by %q", r.Seq, r.Kind, r.List, strings.Fields(r.Version + " -")[0], r.Added, r.Removed, r.Entries, r.Operator))
	}
	want := []string{
		`1 apply signed 1 +2 -0 =2 by ""`, `2 apply signed 2 +2 -1 =3 by ""`, `3 refuse signed 1 +0 -0 =0 by ""`,
		`4 import local 7 +1 -0 =1 by "jane"`, `5 add local edited +1 -0 =2 by "jane"`, `6 remove local edited +0 -1 =1 by "jane"`, `7 remove local - +0 -0 =0 by "jane"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if r, err := trail.Verify(); err != nil || r.Records != 7 {
		t.Errorf("%+v, %v", r, err)
	}
	if found := records(t, trail, AuditFilter{Plate: "NEW-123"}); len(found) != 1 || found[0].Kind != AuditAdd {
		t.Errorf("%+v", found)
	}
	// A change by hand needs a name and a reason, and leaves signed lists alone.
	if _, err := local.Add(t.Context(), "local", map[string]string{"plate": "A12345"}, Actor{"jane", ""}); !errors.Is(err, ErrOptions) {
		t.Error(err)
	}
	if _, err := local.Add(t.Context(), "signed", map[string]string{"plate": "A12345"}, by); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	b := readAll(t, filepath.Join(db.dir, auditFolder))
	for _, plate := range []string{"AAA1111", "XYZ789", "NEW123", "new 123"} {
		if bytes.Contains(b, []byte(plate)) {
			t.Errorf("the trail shows %s", plate)
		}
	}
}

func readAll(t testing.TB, dir string) []byte {
	t.Helper()
	var all []byte
	for _, f := range names(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, strings.Fields(f)[0]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// Whatever is changed in the trail is noticed, and the first record named that
// does not fit.
func TestEveryChangeOfTheTrailIsNoticed(t *testing.T) {
	dir := t.TempDir()
	trail := openTrail(t, dir)
	for i := range 6 {
		if err := trail.Append(t.Context(), AuditRecord{Kind: AuditHit, Hit: fmt.Sprint("u-", i)}); err != nil {
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
		if !errors.As(err, &b) || !errors.Is(err, ErrDamaged) || seq != 0 && b.Seq != seq {
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
	// A line that a power cut left half written never counted.
	write(t, path, append(slices.Clone(whole), lines[0][:20]...))
	if err := trail.Append(t.Context(), AuditRecord{Kind: AuditHit}); err != nil {
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
		if err := trail.Append(t.Context(), AuditRecord{Kind: AuditLookup, Operator: "jane", Reason: fmt.Sprint("case ", i)}); err != nil {
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
	if err := trail.Append(t.Context(), AuditRecord{Kind: AuditHit}); err != nil {
		t.Fatal(err)
	}
	if r, err = trail.Verify(); err != nil || r.Last != 41 || r.Records > 6 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := os.Remove(trail.segmentPath(r.First)); err != nil {
		t.Fatal(err)
	}
	if _, err = trail.Verify(); !errors.Is(err, ErrDamaged) {
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
				if err := trail.Append(t.Context(), AuditRecord{Kind: AuditHit}); err != nil {
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
	add(DayCounts{Day: "2026-01-01", Reads: 10, Passages: 3, Hits: map[string]map[string]uint64{"l": {Wanted: 1}}})
	add(DayCounts{Day: "2026-01-01", Reads: 5, Hits: map[string]map[string]uint64{"l": {Wanted: 1, Felony: 1}}})
	add(DayCounts{Day: "2026-01-01"})
	if c, err := trail.Counted(); err != nil || c.Reads != 15 || c.Hits["l"][Wanted] != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	add(DayCounts{Day: "2026-01-02", Reads: 1})
	got := records(t, trail, AuditFilter{Kinds: []AuditKind{AuditCounts}})
	if len(got) != 1 || got[0].Counts.Day != "2026-01-01" || got[0].Counts.Reads != 15 || got[0].Counts.Hits["l"][Felony] != 1 {
		t.Errorf("%+v", got)
	}
	if c, err := trail.Counted(); err != nil || c.Day != "2026-01-02" || c.Reads != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzTrail(f *testing.F) {
	trail := openTrail(f, f.TempDir())
	if err := trail.Append(f.Context(), AuditRecord{Kind: AuditHit}); err != nil {
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
		if err := trail.Records(AuditFilter{}, func(AuditRecord) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

// What a power cut tore of the last record, before it counted, is no breach; the
// next record takes its place. The same within what counted is one.
func TestTornEndOfTheTrailNeverCounted(t *testing.T) {
	dir := t.TempDir()
	trail := openTrail(t, dir)
	for range 3 {
		if err := trail.Append(t.Context(), AuditRecord{Kind: AuditLookup}); err != nil {
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
		if err := trail.Append(t.Context(), AuditRecord{Kind: AuditLookup}); err != nil {
			t.Fatal(err)
		}
		if r, err := trail.Verify(); err != nil || r.Records != 4 {
			t.Errorf("%s, and a record more: %+v, %v", name, r, err)
		}
		write(t, path, whole)
		if err := trail.writeLink("head", link{3, string(bytes.TrimSpace(lines[2][bytes.IndexByte(lines[2], '\t')+1:]))}); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, slices.Concat(lines[0], torn, lines[2]))
	var broken *BrokenError
	if _, err := trail.Verify(); !errors.As(err, &broken) || broken.Seq != 2 {
		t.Errorf("torn within: %v", err)
	}
}
