package outbox

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is the outbox as a plain list.
type model struct {
	pending   []modelHit
	delivered map[uint64]int
	last      uint64
	dropped   int
}

type modelHit struct {
	number   uint64
	revision int
	urgency  int
	text     string
}

const modelMax = 8

// TestOutboxModel does random things to an outbox and to the model, restarts
// included, and compares them after every step.
func TestOutboxModel(t *testing.T) {
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		path := filepath.Join(dir, fmt.Sprint(run))
		open := func() *Outbox {
			o, err := Open(path, "u", Settings{Key: testKey, MaxEntries: modelMax}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		o := open()
		disk := true // takes writes
		setDisk := func(works bool) {
			if disk = works; !works {
				o.commit = failingCommit(syscall.ENOSPC)
				return
			}
			o.commit = workingCommit
			o.maintain()
		}
		defer func() {
			setDisk(true)
			if err := o.Close(); err != nil {
				t.Error(err)
			}
			os.Remove(path)
		}()
		m := model{delivered: map[uint64]int{}}
		text := func() string { return rapid.StringMatching(`[A-Z0-9]{3,7}`).Draw(t, "text") }
		t.Repeat(map[string]func(*rapid.T){
			"accept": func(t *rapid.T) {
				h := uplinktest.WithPriority(uplinktest.Hit(text()), rapid.IntRange(1, 3).Draw(t, "priority"))
				id, err := o.Accept(h)
				accepted := m.accept(modelHit{number: m.last + 1, revision: 1, urgency: h.Urgency(), text: h.Text})
				switch {
				case accepted && (err != nil || id != message.FormatID("u", m.last)):
					t.Fatalf("accept: %s, %v; want number %d", id, err, m.last)
				case !accepted && !errors.Is(err, ErrFull):
					t.Fatalf("accept at the bound: %v", err)
				}
			},
			"update": func(t *rapid.T) {
				number := rapid.Uint64Range(1, m.last+1).Draw(t, "number")
				h := uplinktest.WithPriority(uplinktest.Hit(text()), rapid.IntRange(1, 3).Draw(t, "priority"))
				known, fits := m.update(modelHit{number: number, urgency: h.Urgency(), text: h.Text})
				err := o.Update(message.FormatID("u", number), h)
				switch {
				case !known && !errors.Is(err, ErrUnknownID):
					t.Fatalf("update of an unknown hit: %v", err)
				case known && !fits && !errors.Is(err, ErrFull):
					t.Fatalf("update at the bound: %v", err)
				case known && fits && err != nil:
					t.Fatalf("update: %v", err)
				}
			},
			"deliver": func(t *rapid.T) {
				n := rapid.IntRange(1, 3).Draw(t, "n")
				var refs []Ref
				for range n {
					e, err := o.Next(func(r Ref) bool { return slices.Contains(refs, r) })
					if err != nil {
						t.Fatal(err)
					}
					if e == nil {
						break
					}
					want := m.pending[len(refs)]
					if e.Number != want.number || int(e.Revision) != want.revision || e.Hit.Text != want.text {
						t.Fatalf("next is %+v %s, want %+v", e.Ref, e.Hit.Text, want)
					}
					refs = append(refs, e.Ref)
				}
				if err := o.Remove(refs...); err != nil {
					t.Fatal(err)
				}
				for _, h := range m.pending[:len(refs)] {
					m.delivered[h.number] = h.revision
				}
				m.pending = slices.Clone(m.pending[len(refs):])
			},
			// Whether the disk takes writes makes no difference to what the
			// outbox does, only to what a restart would lose.
			"disk": func(t *rapid.T) { setDisk(!disk) },
			"restart": func(t *rapid.T) {
				setDisk(true)
				if err := o.Close(); err != nil {
					t.Fatal(err)
				}
				o = open()
			},
			"": func(t *rapid.T) {
				var want []string
				for _, h := range m.pending {
					want = append(want, fmt.Sprintf("u-%d/%d", h.number, h.revision))
				}
				if diff := gocmp.Diff(want, pendingIDs(o)); diff != "" {
					t.Fatalf("pending (-model +outbox):\n%s", diff)
				}
				if s := o.Stats(); disk && s.Unsaved != 0 || !disk && s.Unsaved > len(m.pending) {
					t.Fatalf("disk takes writes: %t, stats %+v", disk, s)
				}
				if o.Damage() != nil {
					t.Fatal("damage")
				}
			},
		})
	})
}

func (m *model) accept(h modelHit) bool {
	if !m.evict(h) {
		return false
	}
	m.last = h.number
	m.pending = append(m.pending, h)
	return true
}

func (m *model) update(h modelHit) (known, fits bool) {
	for i, p := range m.pending {
		if p.number == h.number {
			h.revision = p.revision + 1
			m.pending[i] = h
			return true, true
		}
	}
	rev, ok := m.delivered[h.number]
	if !ok {
		return false, false
	}
	h.revision = rev + 1
	if !m.evict(h) {
		return true, false
	}
	m.pending = append(m.pending, h)
	return true, true
}

// evict drops the oldest of the least urgent hits if the model is full, and reports
// whether h fits then.
func (m *model) evict(h modelHit) bool {
	if len(m.pending) < modelMax {
		return true
	}
	all := append(slices.Clone(m.pending), h)
	victim := 0
	for i := range all {
		if cmp.Compare(all[i].urgency, all[victim].urgency) > 0 {
			victim = i
		}
	}
	m.dropped++
	if victim == len(m.pending) {
		return false
	}
	m.pending = slices.Delete(slices.Clone(m.pending), victim, victim+1)
	return true
}
