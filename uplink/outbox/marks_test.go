package outbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"
)

// The latest delivered numbers are remembered, within a bound, in memory as in the
// file.
func TestDeliveredMarksAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	const last = 3*maxDelivered + 7
	var refs []Ref
	for n := uint64(1); n <= last; n++ {
		if refs = append(refs, Ref{Number: n, Revision: 1}); len(refs) == 50 || n == last {
			if err := o.Remove(refs...); err != nil {
				t.Fatal(err)
			}
			refs = nil
		}
	}
	// One that is delivered again is not among those to be forgotten.
	oldest := uint64(last)
	for n := range o.delivered {
		oldest = min(oldest, n)
	}
	if err := o.Remove(Ref{Number: oldest, Revision: 2}); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		if n := len(o.delivered); n < maxDelivered || n > maxDelivered+128 {
			t.Errorf("%d numbers are remembered", n)
		}
		for n := uint64(last - maxDelivered + 1); n <= last; n++ {
			if o.delivered[n] == 0 {
				t.Fatalf("number %d is forgotten", n)
			}
		}
		if err := o.Update(message.FormatID("unit-7", 1), uplinktest.Hit("OLD")); !errors.Is(err, ErrUnknownID) {
			t.Errorf("update of the first: %v", err)
		}
	}
	check()
	inMemory := len(o.delivered)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	check()
	if len(o.delivered) != inMemory || o.delivered[oldest] != 2 {
		t.Errorf("%d numbers in the file, %d in memory; revision %d of number %d", len(o.delivered), inMemory, o.delivered[oldest], oldest)
	}
	if err := o.Update(message.FormatID("unit-7", last), uplinktest.Hit("NEW")); err != nil {
		t.Error(err)
	}
	old := o.oldMarks(map[uint64]uint32{oldest: 3})
	if slices.Contains(old, oldest) {
		t.Error("a number is forgotten as it is delivered")
	}
}

// The file turns out to be damaged while hits are only in memory: they override
// what is salvaged of the file.
func TestDamageWithHitsInMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	a := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	b := uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("B"), 10, 20))
	c := uplinktest.MustAccept(t, o, uplinktest.Hit("C"))
	failDisk(o, syscall.EIO)
	if err := o.Remove(next(t, o).Ref); err != nil { // a
		t.Fatal(err)
	}
	if err := o.Update(b, uplinktest.WithPictures(uplinktest.Hit("B2"), 30, 40)); err != nil {
		t.Fatal(err)
	}
	d := uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("D"), 50, 60))
	o.mu.Lock()
	o.commit = func(*bolt.DB, func(*bolt.Tx) error) error { // the disk works, and its first transaction finds damage
		o.commit = workingCommit
		panic("page 7: unexpected page type")
	}
	o.number.Write = journal.NewNumberFile("").Write
	o.maintain()
	o.mu.Unlock()
	if damage := o.Damage(); damage == nil || damage.Salvaged != 3 {
		t.Errorf("damage: %+v", damage)
	}
	want := []string{b + "/2", c + "/1", d + "/1"}
	check := func() {
		t.Helper()
		if diff := cmp.Diff(want, pendingIDs(o)); diff != "" {
			t.Errorf("after %s was delivered (-want +got):\n%s", a, diff)
		}
		var got []string
		seen := map[Ref]bool{}
		for range want {
			e, err := o.Next(func(r Ref) bool { return seen[r] })
			if err != nil || e == nil {
				t.Fatalf("%v, %v", e, err)
			}
			seen[e.Ref] = true
			n := 0
			if e.Hit.ContextPicture != nil {
				n = len(e.Hit.ContextPicture.JPEG)
			}
			got = append(got, fmt.Sprintf("%s %d", e.Hit.Text, n))
		}
		if diff := cmp.Diff([]string{"B2 40", "C 0", "D 60"}, got); diff != "" {
			t.Errorf("hits (-want +got):\n%s", diff)
		}
		if s := o.Stats(); s.Unsaved != 0 || s.DiskProblem != "" {
			t.Errorf("stats: %+v", s)
		}
	}
	check()
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	check()
	if err := o.Update(a, uplinktest.Hit("A2")); err != nil { // its delivery was only in memory
		t.Error(err)
	}
}
