package outbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

// secretHit has a text and pictures that a file can be searched for.
func secretHit(i int) (h message.Hit, traces []string) {
	text := fmt.Sprintf("SECRET%03d", i)
	plate, context := fmt.Sprintf("plate-of-%03d", i), fmt.Sprintf("context-of-%03d", i)
	h = uplinktest.WithPictures(uplinktest.Hit(text), 1, 1)
	h.PlatePicture.JPEG = bytes.Repeat([]byte(plate), 100)
	h.ContextPicture.JPEG = bytes.Repeat([]byte(context), 500)
	return h, []string{text, plate, context}
}

// readable counts the traces that are in a file.
func readable(t *testing.T, path string, traces []string) (n int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range traces {
		if bytes.Contains(b, []byte(trace)) {
			n++
		}
	}
	return n
}

// TestSealed: nothing of a hit can be read in the file, while it waits, after it was
// delivered, when it was updated, and in quarantine. Without the key it could.
func TestSealed(t *testing.T) {
	for name, key := range map[string][]byte{"sealed": testKey, "without a key": nil} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outbox.db")
			o, err := Open(path, "unit-7", Settings{Key: key}, uplinktest.Log(t))
			if err != nil {
				t.Fatal(err)
			}
			var traces []string
			for i := range 50 {
				h, marks := secretHit(i)
				traces = append(traces, marks...)
				id := uplinktest.MustAccept(t, o, h)
				if i%5 == 0 {
					h.PlatePicture, h.ContextPicture = nil, nil // they are kept
					if err := o.Update(id, h); err != nil {
						t.Fatal(err)
					}
				}
			}
			for i := range 50 {
				e := next(t, o)
				if e.Hit.Text != fmt.Sprintf("SECRET%03d", i) || e.Hit.PlatePicture == nil || !bytes.HasPrefix(e.Hit.ContextPicture.JPEG, []byte("context-of-")) {
					t.Fatalf("hit %d is %+v", i, e.Hit)
				}
				if i == 10 {
					err = o.Quarantine(e.Ref, "a test")
				} else if i < 40 {
					err = o.Remove(e.Ref)
				} else {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			n := readable(t, path, traces)
			if key != nil && n > 0 || key == nil && n == 0 {
				t.Errorf("%d of %d texts and pictures can be read", n, len(traces))
			}
		})
	}
}

// plainOutbox makes a file as earlier versions did, with hits that wait, one in
// quarantine and delivered ones.
func plainOutbox(t *testing.T, path string) (pending, traces []string) {
	t.Helper()
	o, err := Open(path, "unit-7", Settings{}, uplinktest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		h, marks := secretHit(i)
		traces = append(traces, marks...)
		uplinktest.MustAccept(t, o, h)
		switch e := next(t, o); i % 3 {
		case 0:
			err = o.Remove(e.Ref)
		case 1:
			if i == 1 {
				err = o.Quarantine(e.Ref, "a test")
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pending = pendingIDs(o)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	return pending, traces
}

// TestSealsEarlierFile: a file of an earlier version is migrated: its hits wait as
// before, and nothing can be read any more in it or in the file that it replaced.
func TestSealsEarlierFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	pending, traces := plainOutbox(t, path)
	old, err := os.Open(path) // keeps what was replaced within reach
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if n := readable(t, path, traces); n == 0 {
		t.Fatal("nothing can be read in the earlier file either")
	}
	for range 2 {
		o := openTestOutbox(t, path, Settings{})
		if diff := cmp.Diff(pending, pendingIDs(o)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		s := o.Stats()
		if s.Quarantined != 1 || s.LastNumber != 30 || o.Damage() != nil {
			t.Errorf("%+v, damage %+v", s, o.Damage())
		}
		if e := next(t, o); !strings.HasPrefix(e.Hit.Text, "SECRET") || e.Hit.PlatePicture == nil {
			t.Errorf("next is %+v", e.Hit)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		if n := readable(t, path, traces); n > 0 {
			t.Errorf("%d texts and pictures can be read", n)
		}
		if n := readable(t, fmt.Sprintf("/proc/self/fd/%d", old.Fd()), traces); n > 0 {
			t.Errorf("%d texts and pictures can be read in the file that was replaced", n)
		}
	}
	o := openTestOutbox(t, path, Settings{})
	if id := uplinktest.MustAccept(t, o, uplinktest.Hit("A")); id != "unit-7-31" {
		t.Errorf("the next id is %s", id)
	}
}

// TestLostKey: a file that was sealed under another key is set aside, with a reason
// that says so, and no number is used again.
func TestLostKey(t *testing.T) {
	for name, key := range map[string][]byte{"another": bytes.Repeat([]byte{8}, 32), "none": nil} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outbox.db")
			o := openTestOutbox(t, path, Settings{})
			for i := range 5 {
				h, _ := secretHit(i)
				uplinktest.MustAccept(t, o, h)
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			o, err := Open(path, "unit-7", Settings{Key: key}, uplinktest.Log(t))
			if err != nil {
				t.Fatal(err)
			}
			d := o.Damage()
			if d == nil || !strings.Contains(d.Reason, "under another key") || d.Salvaged != 0 || d.Kept != path+".corrupt" {
				t.Errorf("%+v", d)
			}
			if got := pendingIDs(o); len(got) != 0 {
				t.Errorf("pending: %v", got)
			}
			id := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
			if _, n, err := message.ParseID(id); err != nil || n <= 5 {
				t.Errorf("the next id is %s", id)
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			// The key is found again: so are the hits.
			if err := os.Rename(path+".corrupt", path); err != nil {
				t.Fatal(err)
			}
			o = openTestOutbox(t, path, Settings{})
			if got := pendingIDs(o); len(got) != 5 || o.Damage() != nil {
				t.Errorf("with the key: %v, %+v", got, o.Damage())
			}
		})
	}
}
