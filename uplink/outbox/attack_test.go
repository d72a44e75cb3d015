package outbox

import (
	"os"
	"path/filepath"
	"testing"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

// A card is copied, in the same machine or into another one, and both units go on: no
// id is made twice, hits that waited keep theirs, and each unit knows its own.
func TestAttackCopiedOutbox(t *testing.T) {
	open := func(dir string, machine ...string) *Outbox {
		t.Helper()
		o, err := Open(filepath.Join(dir, "outbox.db"), "clone", Settings{Machine: machine}, uplinktest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	closed := func(o *Outbox) {
		t.Helper()
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	old, err := Open(filepath.Join(dir, "outbox.db"), "clone", Settings{}, uplinktest.Log(t)) // of a version without installations
	if err != nil {
		t.Fatal(err)
	}
	first := uplinktest.MustAccept(t, old, uplinktest.Hit("OLD"))
	closed(old)

	o := open(dir, "board 1")
	original := o.Installation()
	waiting := uplinktest.MustAccept(t, o, uplinktest.Hit("WAITS"))
	if first != "clone-1" || message.Installation(waiting) != original || original == "" || !o.Owns(first) || !o.Owns(waiting) {
		t.Fatalf("%s, %s of installation %q", first, waiting, original)
	}
	closed(o)
	o = open(dir, "board 1")
	if o.Installation() != original {
		t.Errorf("after a restart the installation is %q, it was %q", o.Installation(), original)
	}
	closed(o)

	copied := func() string {
		t.Helper()
		to := t.TempDir()
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		return to
	}
	same, other := copied(), copied()
	ids := map[string]bool{}
	installations := map[string]bool{}
	for _, c := range []struct{ dir, machine string }{{dir, "board 1"}, {same, "board 1"}, {other, "board 2"}} {
		o := open(c.dir, c.machine)
		installations[o.Installation()] = true
		if list := o.List(); len(list) != 2 || list[1].ID != waiting {
			t.Errorf("waiting: %+v", list)
		}
		for range 3 {
			id := uplinktest.MustAccept(t, o, uplinktest.Hit("NEW"))
			if ids[id] {
				t.Errorf("%s was made twice", id)
			}
			ids[id] = true
			if err := o.Update(id, uplinktest.Hit("BETTER")); err != nil {
				t.Error(err)
			}
		}
		if !o.Owns(waiting) || o.Owns("clone~aaaaaaaa-9") {
			t.Error("an outbox does not know its own ids")
		}
		closed(o)
	}
	if len(installations) != 3 {
		t.Errorf("installations: %v", installations)
	}
	t.Attr("outcome", "three copies of one outbox made nine ids, all different")
}
