package outbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"

	bolt "go.etcd.io/bbolt"
)

// failDisk makes every write of an outbox fail until mend is called.
func failDisk(o *Outbox, err error) (mend func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	commit, write := o.commit, o.number.Write
	o.commit = failingCommit(err)
	o.number.Write = func(string, []byte) error { return err }
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.commit, o.number.Write = commit, write
		o.maintain()
	}
}

// maintain runs an outbox's maintenance now.
func maintain(o *Outbox) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.maintain()
}

// While the disk cannot be written everything goes on in memory: hits are
// accepted, updated, delivered and removed, and are on disk afterwards.
func TestDiskTakesNoWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	a := uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("A"), 10, 20))
	b := uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
	mend := failDisk(o, syscall.ENOSPC)
	c := uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("C"), 30, 40))
	if err := o.Update(b, uplinktest.Hit("B2")); err != nil {
		t.Fatal(err)
	}
	if err := o.Update(c, uplinktest.Hit("C2")); err != nil { // keeps its pictures
		t.Fatal(err)
	}
	if err := o.Remove(next(t, o).Ref); err != nil {
		t.Fatal(err)
	}
	if err := o.Update(a, uplinktest.Hit("A2")); err != nil { // delivered a moment ago
		t.Fatal(err)
	}
	want := []string{b + "/2", c + "/2", a + "/2"}
	if diff := cmp.Diff(want, pendingIDs(o)); diff != "" {
		t.Errorf("in memory (-want +got):\n%s", diff)
	}
	if s := o.Stats(); s.Unsaved != 3 || s.DiskProblem == "" || s.DiskFailures != 1 || s.UnsavedBytes <= 0 {
		t.Errorf("stats: %+v", s)
	}
	if e := next(t, o); e.Hit.Text != "B2" {
		t.Errorf("next is %s", e.Hit.Text)
	}
	mend()
	if s := o.Stats(); s.Unsaved != 0 || s.DiskProblem != "" || s.UnsavedBytes != 0 {
		t.Errorf("stats after the disk works again: %+v", s)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	if diff := cmp.Diff(want, pendingIDs(o)); diff != "" {
		t.Errorf("on disk (-want +got):\n%s", diff)
	}
	e, err := o.Next(func(r Ref) bool { return message.FormatID("unit-7", r.Number) != c })
	if err != nil || e.Hit.Text != "C2" || e.Hit.ContextPicture == nil || len(e.Hit.ContextPicture.JPEG) != 40 {
		t.Errorf("%+v, %v", e, err)
	}
}

// A disk that took no writes is not tried at every hit: each try can hang.
func TestDiskIsTriedRarely(t *testing.T) {
	o := testOutbox(t, Settings{})
	now := time.Now()
	o.now = func() time.Time { return now }
	tries := 0
	o.commit = func(*bolt.DB, func(*bolt.Tx) error) error { tries++; return syscall.EIO }
	for range 50 {
		uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	}
	if tries != 1 {
		t.Errorf("%d tries for 50 hits", tries)
	}
	now = now.Add(retryDisk)
	o.commit = workingCommit
	uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
	if s := o.Stats(); s.Unsaved != 0 || s.Entries != 51 {
		t.Errorf("stats: %+v", s)
	}
}

// The hits in memory have a bound too, at which the outbox's rule of eviction
// applies.
func TestMemoryIsBounded(t *testing.T) {
	o := testOutbox(t, Settings{MaxMemory: 30_000})
	kept := uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit("DISK"), 9))
	failDisk(o, syscall.EROFS)
	uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit("URGENT"), 1000, 9000), 1))
	for i := range 40 {
		uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("P%d", i)), 1000, 9000), 5))
	}
	s := o.Stats()
	if s.UnsavedBytes > 30_000 || s.DroppedPictures == 0 || s.DroppedEntries == 0 || s.DroppedByPriority["p5"] != s.DroppedEntries {
		t.Errorf("stats: %+v", s)
	}
	list := o.List()
	if list[0].ID != kept || list[1].Urgency != 1 || list[1].Pictures {
		t.Errorf("%+v", list[:3])
	}
	if last := list[len(list)-1]; last.ID != message.FormatID("unit-7", s.LastNumber) {
		t.Errorf("the last is %s of %d", last.ID, s.LastNumber)
	}
	if len(list)+int(s.DroppedEntries) != 42 {
		t.Errorf("%d pending, %d dropped", len(list), s.DroppedEntries)
	}
	// Every hit that is listed can be read.
	seen := map[Ref]bool{}
	for range list {
		e, err := o.Next(func(r Ref) bool { return seen[r] })
		if err != nil || e == nil {
			t.Fatalf("%v, %v", e, err)
		}
		seen[e.Ref] = true
	}
	if _, err := o.Accept(uplinktest.WithPriority(uplinktest.Hit("LOW"), 9)); !errors.Is(err, ErrFull) {
		t.Errorf("the least urgent: %v", err)
	}
	if o.Damage() != nil {
		t.Error("damage")
	}
	o.mu.Lock() // the hits in memory are dropped
	clear(o.unsaved)
	o.commit = workingCommit
	o.mu.Unlock()
}

// A refused update leaves the revision before it.
func TestUpdateWithoutMemory(t *testing.T) {
	o := testOutbox(t, Settings{MaxMemory: 4500})
	old := uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit("OLD"), 50, 500), 5))
	mend := failDisk(o, syscall.ENOSPC)
	uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit("A"), 1))
	uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit("B"), 1))
	uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit("C"), 1))
	if err := o.Update(old, uplinktest.WithPriority(uplinktest.Hit("OLD2"), 5)); !errors.Is(err, ErrFull) {
		t.Fatalf("update: %v; %+v", err, o.Stats())
	}
	e, err := o.Next(func(r Ref) bool { return message.FormatID("unit-7", r.Number) != old })
	if err != nil || e.Hit.Text != "OLD" || e.Hit.ContextPicture == nil {
		t.Errorf("%+v, %v", e, err)
	}
	mend()
	if o.Stats().Unsaved != 0 || o.Damage() != nil {
		t.Errorf("stats: %+v, damage %+v", o.Stats(), o.Damage())
	}
}

// Numbers that the disk cannot hold are not given out again by the next run.
func TestNumbersWithoutDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	used := map[string]bool{}
	for run := range 3 {
		o, err := Open(path, "unit-7", Settings{Key: testKey, MaxMemory: 64 << 20}, uplinktest.Discard)
		if err != nil {
			t.Fatal(err)
		}
		used[uplinktest.MustAccept(t, o, uplinktest.Hit("A"))] = true
		failDisk(o, syscall.EROFS)
		var last uint64
		for range 2*numberBlock + 10 {
			id := uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
			if used[id] {
				t.Fatalf("run %d: id %s was given out before", run, id)
			}
			used[id] = true
			_, n, err := message.ParseID(id)
			if err != nil || n <= last || n > 1<<53 {
				t.Fatalf("run %d: %s after %d, %v", run, id, last, err)
			}
			last = n
		}
		// The power goes: nothing more reaches the disk.
		if err := o.Close(); err == nil {
			t.Fatal("closing says nothing of the lost hits")
		}
	}
}

// A file that lies on a full or read-only disk at the start is served as far
// as it can be read, and taken into use once the disk works.
func TestStartWithoutDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	a := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o, err := Open(path, "unit-7", Settings{Key: testKey}, uplinktest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	if err := o.db.Close(); err != nil {
		t.Fatal(err)
	}
	o.db, o.index, o.bytes = nil, nil, 0
	_ = o.diskFailed(syscall.EROFS)
	if err := o.loadToRead(); err != nil {
		t.Fatal(err)
	}
	o.mu.Unlock()
	b := uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
	if diff := cmp.Diff([]string{a + "/1", b + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o.mu.Lock()
	o.retryAt = time.Time{}
	o.mu.Unlock()
	c := uplinktest.MustAccept(t, o, uplinktest.Hit("C"))
	if s := o.Stats(); s.Unsaved != 0 || s.DiskProblem != "" {
		t.Errorf("stats: %+v", s)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	if diff := cmp.Diff([]string{a + "/1", b + "/1", c + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
}

// Hits above the age limit are dropped, but only if their age is certain.
func TestAge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	set := true
	opts := Settings{MaxAge: 24 * time.Hour, Limits: []Limit{{Priority: 5, MaxAge: time.Hour}}, ClockSet: func() bool { return set }}
	o := openTestOutbox(t, path, opts)
	start := time.Now()
	at := func(d time.Duration) {
		o.now = func() time.Time { return start.Add(d) }
		maintain(o)
	}
	routine := uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit("ROUTINE"), 5))
	amber := uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit("AMBER"), 1))
	at(59 * time.Minute)
	if diff := cmp.Diff([]string{routine + "/1", amber + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("after 59 minutes (-want +got):\n%s", diff)
	}
	at(61 * time.Minute)
	if diff := cmp.Diff([]string{amber + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("after 61 minutes (-want +got):\n%s", diff)
	}
	if s := o.Stats(); s.Expired != 1 || s.DroppedByPriority["p5"] != 1 {
		t.Errorf("stats: %+v", s)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	// After a restart the wall clock counts, if it is plausible.
	o = openTestOutbox(t, path, opts)
	set = false
	at(10 * 365 * 24 * time.Hour)
	if n := o.Stats().Entries; n != 1 {
		t.Error("a clock that nobody set emptied the outbox")
	}
	set = true
	at(23 * time.Hour)
	if n := o.Stats().Entries; n != 1 {
		t.Error("dropped too early")
	}
	at(25 * time.Hour)
	if n := o.Stats().Entries; n != 0 {
		t.Error("not dropped")
	}
}

func TestBoundOfOnePriority(t *testing.T) {
	o := testOutbox(t, Settings{Limits: []Limit{{Priority: 5, MaxBytes: 25_000}}})
	for i := range 4 {
		uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("R%d", i)), 1000, 9000), 5))
		uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("A%d", i)), 1000, 9000), 1))
	}
	var got []string
	for _, p := range o.List() {
		got = append(got, fmt.Sprintf("%s %d %t", p.ID, p.Urgency, p.Pictures))
	}
	want := []string{"unit-7-1 5 false", "unit-7-2 1 true", "unit-7-3 5 false", "unit-7-4 1 true",
		"unit-7-5 5 false", "unit-7-6 1 true", "unit-7-7 5 true", "unit-7-8 1 true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := range 20 {
		uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit(fmt.Sprintf("S%d", i)), 5))
	}
	s := o.Stats()
	if s.DroppedByPriority["p5"] == 0 || s.DroppedByPriority["p1"] != 0 {
		t.Errorf("stats: %+v", s)
	}
}
