package oversight

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/hotlist/audit"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// unit is a configuration with a state folder of its own.
func unit(t *testing.T) *config.Config {
	t.Helper()
	c := config.Default()
	c.StateDir, c.Unit.Name = t.TempDir(), "a44-north"
	c.Hotlist.Path, c.Uplink.OutboxFile = filepath.Join(c.StateDir, "hotlist"), filepath.Join(c.StateDir, "outbox.db")
	return c
}

// TestRetention finds what is too old in the outbox, and in a copy that somebody made
// of it, beside a running daemon.
func TestRetention(t *testing.T) {
	c := unit(t)
	c.Uplink.Outbox.Retention = time.Hour
	trail, err := audit.Open(c.Hotlist.Path, "")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	look := func(at time.Time) *Retained {
		t.Helper()
		r, err := Retention(c, trail, at)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := look(now); !r.Kept || len(r.Files) != 0 {
		t.Errorf("an empty unit: %+v", r)
	}
	s := c.Uplink.Outbox
	s.Key, s.ClockSet = make([]byte, 32), func() bool { return true }
	o, err := outbox.Open(c.Uplink.OutboxFile, c.Unit.Name, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := o.Accept(message.Hit{Camera: "front", CapturedAt: now, Clock: message.ClockSynchronised, Text: "AB123", Confidence: 0.9,
		Matches: []message.Match{{List: "stolen", Category: "stolen_vehicle", How: message.HowExact, Entry: message.Entry{Plate: "AB123"}}}}); err != nil {
		t.Fatal(err)
	}
	if r := look(now.Add(59 * time.Minute)); !r.Kept || len(r.Files) != 1 || r.Files[0].Hits != 1 {
		t.Errorf("within its time: %+v", r)
	}
	if r := look(now.Add(63 * time.Minute)); r.Kept || !r.Files[0].Over {
		t.Errorf("after its time: %+v", r)
	}
	b, err := os.ReadFile(c.Uplink.OutboxFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.StateDir, "backup.tar"), append([]byte("header"), b...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := trail.Append(t.Context(), audit.Record{Kind: audit.Delete, Removed: 3}); err != nil {
		t.Fatal(err)
	}
	r := look(now.Add(2 * time.Hour))
	if len(r.Files) != 2 || !strings.HasSuffix(r.Files[0].Path, "backup.tar") || r.Deleted != 3 || r.Last.IsZero() {
		t.Errorf("a copy: %+v", r)
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"backup.tar: 1 hits, the oldest 2h: OLDER THAN ALLOWED", "records 3 hits", "failed: something is older"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}
