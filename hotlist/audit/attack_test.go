package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"platewatch/hotlist/internal/folder"
)

// The end of the trail is cut off, its folder removed, its head removed or damaged, an
// older state of the folder or of both put back; before and after the unit goes on.
func TestAttackAuditTrail(t *testing.T) {
	copyTo := func(t *testing.T, from, to string) {
		t.Helper()
		for _, path := range []string{to, filepath.Join(to, auditFolder)} {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for _, pattern := range []string{"*", "audit/*"} {
			paths, err := filepath.Glob(filepath.Join(from, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range paths {
				b, err := os.ReadFile(path)
				if err != nil {
					continue // a folder
				}
				rel, err := filepath.Rel(from, path)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(to, rel), b)
			}
		}
	}
	removed := func(t *testing.T, path string) {
		t.Helper()
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	cutLine := func(t *testing.T, dir string) {
		path := filepath.Join(dir, auditFolder, "00000001.log")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1])
	}
	// older is the state after five records.
	for name, c := range map[string]struct {
		attack func(t *testing.T, dir, older string)
		copied bool // only a link kept elsewhere, or a running unit, reveals it
	}{
		"the last record cut off": {attack: func(t *testing.T, dir, _ string) { cutLine(t, dir) }},
		"the folder removed":      {attack: func(t *testing.T, dir, _ string) { removed(t, filepath.Join(dir, auditFolder)) }},
		"the folder emptied": {attack: func(t *testing.T, dir, _ string) {
			removed(t, filepath.Join(dir, auditFolder))
			if err := os.Mkdir(filepath.Join(dir, auditFolder), 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		"the head removed":                          {attack: func(t *testing.T, dir, _ string) { removed(t, filepath.Join(dir, headName)) }},
		"the last record cut off, the head removed": {attack: func(t *testing.T, dir, _ string) { cutLine(t, dir); removed(t, filepath.Join(dir, headName)) }},
		"the head written anew":                     {attack: func(t *testing.T, dir, _ string) { write(t, filepath.Join(dir, headName), []byte("00 {}\n")) }},
		"an older folder put back": {attack: func(t *testing.T, dir, older string) {
			head, err := os.ReadFile(filepath.Join(dir, headName))
			if err != nil {
				t.Fatal(err)
			}
			removed(t, dir)
			copyTo(t, older, dir)
			write(t, filepath.Join(dir, headName), head)
		}},
		"an older folder and head put back": {copied: true, attack: func(t *testing.T, dir, older string) {
			removed(t, dir)
			copyTo(t, older, dir)
		}},
		"folder and head removed": {copied: true, attack: func(t *testing.T, dir, _ string) {
			removed(t, filepath.Join(dir, auditFolder))
			removed(t, filepath.Join(dir, headName))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, older := filepath.Join(t.TempDir(), "lists"), t.TempDir()
			running := openTrail(t, dir)
			for i := range 10 {
				if i == 5 {
					copyTo(t, dir, older)
				}
				if err := running.Append(t.Context(), Record{Kind: Lookup, Operator: "jane"}); err != nil {
					t.Fatal(err)
				}
			}
			kept, err := running.Head()
			if err != nil || kept.Seq != 10 {
				t.Fatal(kept, err)
			}
			c.attack(t, dir, older)

			after := openTrail(t, dir) // by a process that was started later
			var broken *BrokenError
			if _, err := after.Verify(); !c.copied && !errors.As(err, &broken) {
				t.Errorf("verify: %v", err)
			}
			if _, err := after.Verify(kept); !errors.As(err, &broken) {
				t.Errorf("verify with a link kept elsewhere: %v", err)
			}
			restarted := t.TempDir()
			copyTo(t, dir, restarted)

			// A unit that runs on notices each of them, and so does one that starts again
			// where it can; the gap stays.
			for range 3 {
				if err := running.Append(t.Context(), Record{Kind: Hit}); err != nil {
					t.Fatal(err)
				}
			}
			if h, err := running.Head(); err != nil || h.Seq < 13 {
				t.Errorf("the running unit is at %d, %v", h.Seq, err)
			}
			if _, err := openTrail(t, dir).Verify(); !errors.As(err, &broken) {
				t.Errorf("verify after the running unit went on: %v", err)
			}
			if got := records(t, running, Filter{Kinds: []Kind{Gap}}); len(got) != 1 {
				t.Errorf("%d records of the gap", len(got))
			}
			trail := openTrail(t, restarted)
			for range 3 {
				if err := trail.Append(t.Context(), Record{Kind: Hit}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := openTrail(t, restarted).Verify(); !c.copied && !errors.As(err, &broken) {
				t.Errorf("verify after a restarted unit went on: %v", err)
			}
			if _, err := openTrail(t, restarted).Verify(kept); !errors.As(err, &broken) {
				t.Errorf("verify after a restarted unit went on, with a link kept elsewhere: %v", err)
			}
		})
	}
}

// A trail of an earlier version goes on: the chain continues, and a record says so.
func TestOldTrailIsUpgraded(t *testing.T) {
	dir := t.TempDir()
	trail := openTrail(t, dir)
	for i := range 4 {
		if err := trail.Append(t.Context(), Record{Kind: Apply, List: "stolen", Version: fmt.Sprint(i + 7)}); err != nil {
			t.Fatal(err)
		}
	}
	h, err := trail.Head()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(folder.WriteSealed(trail.oldHeadPath(), trail.key, b), os.Remove(trail.headPath())); err != nil {
		t.Fatal(err)
	}
	key, err := folder.OpenKey(dir, "", false)
	if err != nil {
		t.Fatal(err)
	}
	trail = New(dir, key)
	if r, err := trail.Verify(h); err != nil || r.Last != 4 {
		t.Errorf("before: %+v, %v", r, err)
	}
	if got, err := trail.Accepted(); err != nil || got["stolen"] != 10 {
		t.Errorf("before: %v, %v", got, err)
	}
	trail = openTrail(t, dir)
	if err := trail.Append(t.Context(), Record{Kind: Hit}); err != nil {
		t.Fatal(err)
	}
	if r, err := trail.Verify(h); err != nil || r.Last != 6 {
		t.Errorf("after: %+v, %v", r, err)
	}
	if got := records(t, trail, Filter{Kinds: []Kind{Upgrade}}); len(got) != 1 || got[0].Seq != 5 {
		t.Errorf("%+v", got)
	}
	if got, err := trail.Accepted(); err != nil || got["stolen"] != 10 {
		t.Errorf("after: %v, %v", got, err)
	}
}

// BenchmarkAppend: a record costs the same at any length of the trail.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{100, 3500, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			trail := openTrail(b, b.TempDir())
			r := Record{Kind: Hit, List: "stolen", Category: "stolen_vehicle", How: "exact", Hit: "unit-1-42", Record: "A-1234"}
			for left := n; left > 0; left -= 1000 {
				many := make([]Record, min(left, 1000))
				for i := range many {
					many[i] = r
				}
				if err := trail.Append(b.Context(), many...); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if err := trail.Append(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
