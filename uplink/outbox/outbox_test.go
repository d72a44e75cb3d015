package outbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"

	bolt "go.etcd.io/bbolt"
)

func workingCommit(db *bolt.DB, f func(*bolt.Tx) error) error { return db.Update(f) }

func failingCommit(err error) func(*bolt.DB, func(*bolt.Tx) error) error {
	return func(db *bolt.DB, f func(*bolt.Tx) error) error {
		return db.Update(func(tx *bolt.Tx) error { return errors.Join(f(tx), err) })
	}
}

func next(t *testing.T, o *Outbox) *Queued {
	t.Helper()
	e, err := o.Next(nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAcceptNextRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	if e := next(t, o); e != nil {
		t.Fatalf("an empty outbox has %+v", e)
	}
	h := uplinktest.WithPictures(uplinktest.Hit("M5XSX"), 100, 200)
	if id := uplinktest.MustAccept(t, o, h); id != "unit-7-1" {
		t.Errorf("the first id is %s", id)
	}
	<-o.Added()
	uplinktest.MustAccept(t, o, uplinktest.Hit("B"))
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}

	o = openTestOutbox(t, path, Settings{})
	e := next(t, o)
	want := h
	want.ID, want.Number, want.Revision, want.Unit = "unit-7-1", 1, 1, "unit-7"
	if diff := cmp.Diff(want, e.Hit); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	if again := next(t, o); again.Ref != e.Ref {
		t.Errorf("looking changed something: %+v", again.Ref)
	}
	if err := o.Remove(e.Ref); err != nil {
		t.Fatal(err)
	}
	if err := o.Remove(e.Ref); err != nil {
		t.Errorf("removing twice: %v", err)
	}
	if e := next(t, o); e.Hit.ID != "unit-7-2" || e.Hit.Previous != 1 {
		t.Errorf("next is %s after %d", e.Hit.ID, e.Hit.Previous)
	}
	if id := uplinktest.MustAccept(t, o, uplinktest.Hit("C")); id != "unit-7-3" {
		t.Errorf("after a clean restart the next id is %s", id)
	}
	s := o.Stats()
	if s.Entries != 2 || s.Delivered != 1 || s.LastNumber != 3 || s.Bytes <= 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestRefusedHits(t *testing.T) {
	o := testOutbox(t, Settings{MaxMessage: 4 << 10})
	for name, edit := range map[string]func(*message.Hit){
		"no text":        func(h *message.Hit) { h.Text = "" },
		"no match":       func(h *message.Hit) { h.Matches = nil },
		"no camera":      func(h *message.Hit) { h.Camera = "" },
		"confidence 1.1": func(h *message.Hit) { h.Confidence = 1.1 },
		"character NaN":  func(h *message.Hit) { h.Characters[0].Confidence = nan() },
		"too large":      func(h *message.Hit) { h.Matches[0].Entry.Note = strings.Repeat("x", 5000) },
	} {
		h := uplinktest.Hit("M5XSX")
		edit(&h)
		if _, err := o.Accept(h); err == nil {
			t.Errorf("%s: accepted", name)
		} else if name == "too large" && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if id := uplinktest.MustAccept(t, o, uplinktest.Hit("A")); id != "unit-7-1" {
		t.Errorf("a refused hit used up a number: %s", id)
	}
	if s := o.Stats(); s.Refused != 6 {
		t.Errorf("stats: %+v", s)
	}
}

func nan() float64 { var z float64; return z / z }

func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	a := uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("A1"), 10, 20))
	b := uplinktest.MustAccept(t, o, uplinktest.Hit("B1"))
	if err := o.Update(a, uplinktest.Hit("A2")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{a + "/2", b + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("an update of a pending hit keeps its place (-want +got):\n%s", diff)
	}
	old := next(t, o)
	if old.Hit.Text != "A2" || old.Hit.PlatePicture == nil || len(old.Hit.ContextPicture.JPEG) != 20 {
		t.Errorf("after the update: %+v", old.Hit)
	}
	// A newer revision than the one delivered stays.
	if err := o.Update(a, uplinktest.WithPictures(uplinktest.Hit("A3"), 5, 6)); err != nil {
		t.Fatal(err)
	}
	if err := o.Remove(old.Ref); err != nil {
		t.Fatal(err)
	}
	e := next(t, o)
	if e.Hit.Text != "A3" || e.Hit.Revision != 3 || len(e.Hit.PlatePicture.JPEG) != 5 {
		t.Errorf("after the older revision was delivered: %+v", e.Hit)
	}
	if err := o.Remove(e.Ref); err != nil {
		t.Fatal(err)
	}
	// Delivered: the next revision is appended, also after a restart.
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	if err := o.Update(a, uplinktest.Hit("A4")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{b + "/1", a + "/4"}, pendingIDs(o)); diff != "" {
		t.Errorf("an update of a delivered hit (-want +got):\n%s", diff)
	}
	for _, id := range []string{"unit-7-99", "unit-8-1", "x", "unit-7-01", ""} {
		if err := o.Update(id, uplinktest.Hit("Z")); !errors.Is(err, ErrUnknownID) {
			t.Errorf("update of %q: %v", id, err)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Run("count", func(t *testing.T) {
		o := testOutbox(t, Settings{MaxEntries: 3})
		for i, p := range []int{5, 2, 5, 3} {
			uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit(fmt.Sprintf("P%d", i)), p))
		}
		want := []string{"unit-7-2/1", "unit-7-3/1", "unit-7-4/1"}
		if diff := cmp.Diff(want, pendingIDs(o)); diff != "" {
			t.Errorf("least urgent and oldest go first (-want +got):\n%s", diff)
		}
		if _, err := o.Accept(uplinktest.WithPriority(uplinktest.Hit("LOW"), 9)); !errors.Is(err, ErrFull) {
			t.Errorf("a hit less urgent than all: %v", err)
		}
		uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.Hit("HIGH"), 1))
		if diff := cmp.Diff([]string{"unit-7-2/1", "unit-7-4/1", "unit-7-5/1"}, pendingIDs(o)); diff != "" {
			t.Errorf("after an urgent one (-want +got):\n%s", diff)
		}
		if s := o.Stats(); s.DroppedEntries != 3 {
			t.Errorf("stats: %+v", s)
		}
	})
	t.Run("pictures first", func(t *testing.T) {
		o := testOutbox(t, Settings{MaxBytes: 60_000})
		uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit("A"), 1000, 20_000), 5))
		uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit("B"), 1000, 20_000), 7))
		uplinktest.MustAccept(t, o, uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit("C"), 1000, 20_000), 3))
		var got []string
		for _, p := range o.List() {
			got = append(got, fmt.Sprintf("%s %t", p.ID, p.Pictures))
		}
		want := []string{"unit-7-1 true", "unit-7-2 false", "unit-7-3 true"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pictures of the least urgent go first (-want +got):\n%s", diff)
		}
		if s := o.Stats(); s.DroppedPictures != 1 || s.DroppedEntries != 0 || s.Bytes > 60_000 {
			t.Errorf("stats: %+v", s)
		}
		e, err := o.Next(func(r Ref) bool { return r.Number != 2 })
		if err != nil || !e.Hit.PicturesDropped || e.Hit.PlatePicture != nil {
			t.Errorf("hit without its pictures: %+v, %v", e, err)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		o := testOutbox(t, Settings{MaxBytes: 10_000})
		for i := range 50 {
			uplinktest.MustAccept(t, o, uplinktest.Hit(fmt.Sprintf("P%d", i)))
		}
		s := o.Stats()
		if s.Bytes > 10_000 || s.Entries+int(s.DroppedEntries) != 50 || s.Entries < 3 {
			t.Errorf("stats: %+v", s)
		}
		if last := o.List()[s.Entries-1]; last.ID != "unit-7-50" {
			t.Errorf("the last is %s", last.ID)
		}
	})
	t.Run("picture size", func(t *testing.T) {
		o := testOutbox(t, Settings{MaxPlatePicture: 100, MaxContextPicture: 100})
		uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("A"), 101, 100))
		e := next(t, o)
		if e.Hit.PlatePicture != nil || e.Hit.ContextPicture == nil || !e.Hit.PicturesDropped {
			t.Errorf("hit: %+v", e.Hit)
		}
		if s := o.Stats(); s.DroppedPictures != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestQuarantine(t *testing.T) {
	o := testOutbox(t, Settings{})
	for i := range maxQuarantine + 5 {
		uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("P%d", i)), 10, 10))
		if err := o.Quarantine(next(t, o).Ref, "a test"); err != nil {
			t.Fatal(err)
		}
	}
	if s := o.Stats(); s.Quarantined != maxQuarantine || s.Entries != 0 || s.Bytes != 0 || s.DroppedEntries != 5 {
		t.Errorf("stats: %+v", s)
	}
}

// Numbers go on, whatever happens to one of the two places.
func TestNumbers(t *testing.T) {
	const used = 40
	remove := func(suffix string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := os.Remove(path + suffix); err != nil {
				t.Fatal(err)
			}
		}
	}
	write := func(suffix, text string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path+suffix, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tc := range map[string]struct {
		harm func(t *testing.T, path string)
		want uint64 // the next number, at least
		most uint64
	}{
		"nothing":           {func(*testing.T, string) {}, used + 1, used + 1},
		"database deleted":  {remove(""), used + damageGap, used + damageGap + 2*numberBlock},
		"database emptied":  {write("", ""), used + damageGap, used + damageGap + 2*numberBlock},
		"database garbage":  {write("", strings.Repeat("garbage!", 4096)), used + damageGap, used + damageGap + 2*numberBlock},
		"side file deleted": {remove(".number"), used + 1, used + 1},
		"side file garbage": {write(".number", "{"), used + 1, used + 1},
		"database older": {func(t *testing.T, path string) {
			old, err := os.ReadFile(path + ".old")
			if err != nil {
				t.Fatal(err)
			}
			write("", string(old))(t, path)
		}, used + damageGap, used + damageGap + 2*numberBlock},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outbox.db")
			o := openTestOutbox(t, path, Settings{})
			for i := range used {
				if i == used-3 {
					if err := o.Close(); err != nil {
						t.Fatal(err)
					}
					b, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path+".old", b, 0o600); err != nil {
						t.Fatal(err)
					}
					o = openTestOutbox(t, path, Settings{})
				}
				uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			tc.harm(t, path)
			o = openTestOutbox(t, path, Settings{})
			_, number, err := message.ParseID(uplinktest.MustAccept(t, o, uplinktest.Hit("B")))
			if err != nil {
				t.Fatal(err)
			}
			if number < tc.want || number > tc.most {
				t.Errorf("the next number is %d, want %d to %d", number, tc.want, tc.most)
			}
		})
	}
}

func TestLockedAndClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	if _, err := Open(path, "unit-7", Settings{Key: testKey, LockTimeout: 50 * time.Millisecond}, uplinktest.Log(t)); !errors.Is(err, ErrLocked) {
		t.Errorf("a second open: %v", err)
	}
	if _, err := Inspect(path); !errors.Is(err, ErrLocked) {
		t.Errorf("inspection of an open outbox: %v", err)
	}
	id := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Accept(uplinktest.Hit("B")); !errors.Is(err, ErrClosed) {
		t.Errorf("accept after close: %v", err)
	}
	if _, err := o.Next(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("next after close: %v", err)
	}
	in, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	if in.Entries != 1 || in.Pending[0].ID != id || in.Unit != "unit-7" || in.LastNumber != 1 {
		t.Errorf("inspection: %+v", in)
	}
	if _, err := Inspect(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("inspection of nothing: %v", err)
	}
	if _, err := Open(filepath.Join(path+".dir", "x.db"), "unit-7", Settings{Key: testKey}, uplinktest.Log(t)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open in a folder that is missing: %v", err)
	}
}

// TestWithdraw: a withdrawal replaces what waits, pictures too, and keeps its place
// and urgency; of a delivered hit it is the next revision.
func TestWithdraw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	withdrawn := func(text string) message.Hit {
		h := uplinktest.WithPictures(uplinktest.WithPriority(uplinktest.Hit(text), 1), 10, 20)
		h.Withdrawn = true
		return h
	}
	if _, err := o.Accept(withdrawn("A1")); err == nil {
		t.Error("a withdrawal of no hit was accepted")
	}
	a := uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.WithPriority(uplinktest.Hit("A1"), 1), 10, 20))
	b := uplinktest.MustAccept(t, o, uplinktest.Hit("B1"))
	if err := o.Update(a, withdrawn("QQ11QQQ")); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	if diff := cmp.Diff([]string{a + "/2", b + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := o.List()[0]; p.Urgency != 1 || p.Pictures {
		t.Errorf("pending is %+v", p)
	}
	e := next(t, o)
	want := message.Hit{Withdrawn: true, ID: a, Number: 1, Revision: 2, Unit: "unit-7", Passage: 12, Camera: "north",
		CapturedAt: e.Hit.CapturedAt, Clock: message.ClockSynchronised}
	if diff := cmp.Diff(want, e.Hit); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := o.Remove(e.Ref); err != nil {
		t.Fatal(err)
	}
	b1 := next(t, o)
	if err := o.Remove(b1.Ref); err != nil {
		t.Fatal(err)
	}
	if err := o.Update(b, withdrawn("QQ11QQQ")); err != nil {
		t.Fatal(err)
	}
	if e := next(t, o); !e.Hit.Withdrawn || e.Hit.ID != b || e.Hit.Revision != 2 {
		t.Errorf("after its delivery: %+v", e.Hit)
	}
	if raw, err := os.ReadFile(path); err != nil || strings.Contains(string(raw), "QQ11QQQ") {
		t.Errorf("the file holds the corrected plate; %v", err)
	}
}
