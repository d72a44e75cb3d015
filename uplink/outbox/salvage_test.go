package outbox

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"

	bolt "go.etcd.io/bbolt"

	"platewatch/uplink/faulttest"
)

// Random damage: the outbox opens again, serves nothing wrong, gives out no
// number again, and keeps going.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	texts := map[string]string{}
	for i := range 60 {
		text := fmt.Sprintf("P%d", i)
		texts[uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(text), 50, 5000))] = text
		if i%4 == 3 {
			if err := o.Remove(next(t, o).Ref); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	side, err := os.ReadFile(path + ".number")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewSource(1))
	rounds := faulttest.Rounds(50, 2400)
	damaged, salvaged := 0, 0
	for round := range rounds {
		b := append([]byte(nil), good...)
		page := func() int { return r.Intn(len(b)/4096) * 4096 }
		switch round % 5 {
		case 0: // bits
			for range 1 + r.Intn(8) {
				b[r.Intn(len(b))] ^= 1 << r.Intn(8)
			}
		case 1:
			b = b[:r.Intn(len(b))]
		case 2:
			clear(b[page():][:4096])
		case 3: // swap
			x, y := page(), page()
			tmp := append([]byte(nil), b[x:x+4096]...)
			copy(b[x:], b[y:y+4096])
			copy(b[y:], tmp)
		case 4:
			r.Read(b[page():][:4096])
		}
		for _, suffix := range []string{".corrupt", ".salvage"} {
			os.Remove(path + suffix)
		}
		for name, content := range map[string][]byte{path: b, path + ".number": side} {
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o, err := Open(path, "unit-7", Settings{Key: testKey}, uplinktest.Log(t))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		skip := map[Ref]bool{}
		for {
			e, err := o.Next(func(r Ref) bool { return skip[r] })
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if e == nil {
				break
			}
			skip[e.Ref] = true
			if texts[e.Hit.ID] != e.Hit.Text {
				t.Fatalf("round %d: hit %s says %s, was %s", round, e.Hit.ID, e.Hit.Text, texts[e.Hit.ID])
			}
		}
		id := uplinktest.MustAccept(t, o, uplinktest.Hit("NEW"))
		if _, used := texts[id]; used {
			t.Fatalf("round %d: id %s was given out again", round, id)
		}
		if d := o.Damage(); d != nil {
			damaged++
			salvaged += d.Salvaged
			if _, err := os.Stat(d.Kept); err != nil {
				t.Fatalf("round %d: the damaged file is not kept: %v", round, err)
			}
		}
		if err := o.Close(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	if damaged < rounds/3 || salvaged == 0 {
		t.Errorf("only %d of %d damages were noticed, %d hits salvaged", damaged, rounds, salvaged)
	}
	faulttest.Row(t, "damaged file", "%d random damages: %d noticed and set aside with %d hits salvaged in all, no wrong hit served, no number given out again", rounds, damaged, salvaged)
}

// Every intact hit of a file whose tree is gone is salvaged.
func TestSalvageWithoutTree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	for i := range 20 {
		uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("P%d", i)), 50, 500))
	}
	for range 5 {
		if err := o.Remove(next(t, o).Ref); err != nil {
			t.Fatal(err)
		}
	}
	want := pendingIDs(o)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[:8192]) // both meta pages
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	if diff := cmp.Diff(want, pendingIDs(o)); diff != "" {
		t.Errorf("salvaged (-want +got):\n%s", diff)
	}
	if e := next(t, o); e.Hit.PlatePicture == nil {
		t.Error("the pictures were not salvaged")
	}
	if d := o.Damage(); d == nil || d.Salvaged != 15 {
		t.Errorf("damage: %+v", d)
	}
}

// A power cut between the renames of a salvage.
func TestSalvageInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	id := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".salvage"); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, Settings{})
	if diff := cmp.Diff([]string{id + "/1"}, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Damage that shows while the daemon runs.
func TestDamageWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := openTestOutbox(t, path, Settings{})
	for i := range 10 {
		uplinktest.MustAccept(t, o, uplinktest.Hit(fmt.Sprintf("P%d", i)))
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The body of one record, in every copy of it in the file.
	r, err := o.sealedRecord(journal.KindHit, journal.BucketHits, 1)
	if err != nil {
		t.Fatal(err)
	}
	start := string(r.Body[:20])
	n := 0
	for i := 0; ; n++ {
		at := strings.Index(string(b[i:]), start)
		if at < 0 {
			break
		}
		if _, err := f.WriteAt([]byte(strings.Repeat("X", len(start))), int64(i+at)); err != nil {
			t.Fatal(err)
		}
		i += at + 1
	}
	if n == 0 {
		t.Fatal("the record was not found")
	}
	e := next(t, o)
	if e.Hit.Text != "P1" {
		t.Errorf("the first intact hit is %s", e.Hit.Text)
	}
	if d := o.Damage(); d == nil || d.Salvaged != 9 {
		t.Errorf("damage: %+v", d)
	}
	if _, number, _ := message.ParseID(uplinktest.MustAccept(t, o, uplinktest.Hit("NEW"))); number <= damageGap {
		t.Errorf("the next number is %d", number)
	}
}

// Damage that a write finds: the new hit and every old one are kept.
func TestDamageFoundByWrite(t *testing.T) {
	o := testOutbox(t, Settings{})
	for i := range 5 {
		uplinktest.MustAccept(t, o, uplinktest.Hit(fmt.Sprintf("P%d", i)))
	}
	good := o.commit
	o.commit = func(db *bolt.DB, f func(*bolt.Tx) error) error {
		o.commit = good
		panic("page 7: unexpected page type")
	}
	id := uplinktest.MustAccept(t, o, uplinktest.Hit("NEW"))
	ids := pendingIDs(o)
	want := []string{"unit-7-1/1", "unit-7-2/1", "unit-7-3/1", "unit-7-4/1", "unit-7-5/1", id + "/1"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e := next(t, o)
	o.commit = func(db *bolt.DB, f func(*bolt.Tx) error) error {
		o.commit = good
		panic("page 8: unexpected page type")
	}
	if err := o.Remove(e.Ref); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[1:], pendingIDs(o)); diff != "" {
		t.Errorf("after a removal (-want +got):\n%s", diff)
	}
	if err := o.Update(id, uplinktest.Hit("NEWER")); err != nil {
		t.Fatal(err)
	}
}
