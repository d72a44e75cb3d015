package fleet

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// TestUnitsTable: the ages are the units' own, so that a retained message of a unit
// that is gone does not look fresh, and a unit that is offline is shown as such.
func TestUnitsTable(t *testing.T) {
	table := New()
	start := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	now := start
	table.now = func() time.Time { return now }
	table.State(&message.State{Unit: "gate-2", State: message.Online})
	table.State(&message.State{Unit: "gate-1", State: message.Online})
	table.Health(&message.Health{Unit: "gate-1", At: start, Clock: message.ClockSynchronised, Hits: 12, LastHit: start.Add(-time.Hour),
		Outbox:  message.OutboxHealth{Entries: 7, DroppedEntries: 2},
		Cameras: []message.CameraHealth{{State: "online"}, {State: "offline"}}, Problems: []string{"Camera b is offline.", "x"}})
	table.Hotlists(&message.HotlistReport{Unit: "gate-1", Lists: []message.ListHealth{{Name: "stolen", Version: "41", Overdue: true}, {Name: "amber", Missing: true}}, Refused: []message.ListRefusal{{}}})
	table.Hit(&message.Hit{Unit: "gate-1", Revision: 1, CapturedAt: start})
	table.Gap(&watch.Gap{Unit: "gate-1"})
	table.State(&message.State{Unit: "gate-3\x1b[31m", State: message.Offline})
	table.State(&message.State{Unit: "gate-4", State: message.Offline, Reason: "connection lost"})
	table.Health(&message.Health{Unit: "gate-4", At: start.Add(-3 * time.Hour), Hits: 3, Cameras: []message.CameraHealth{{State: "online"}}, Problems: []string{"x."}})
	now = now.Add(90 * time.Second)
	var b bytes.Buffer
	if err := table.write(&b); err != nil {
		t.Fatal(err)
	}
	want := `4 units, 2 online
UNIT         STATE    HEALTH  HITS  LAST HIT  BACKLOG  LOST  CAMERAS  LISTS                                           PROBLEMS
gate-3?[31m  offline  -       -     -         -        0     -                                                        offline
gate-4       offline  3 h?    3     -         0        0     -                                                        offline, connection lost; before: 1: x.
gate-1       online   1 min   12    1 min     7        3     1/2      stolen 41 overdue, amber missing, (1 refused)   2: Camera b is offline.
gate-2       online   -       -     -         -        0     -                                                        -
`
	got := b.String()
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if squeeze(got) != squeeze(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b.Reset()
	if err := table.lines(&b); err != nil || strings.Count(b.String(), "\n") != 4 || !strings.Contains(b.String(), `"backlog":7`) {
		t.Errorf("%s, %v", b.String(), err)
	}
}
