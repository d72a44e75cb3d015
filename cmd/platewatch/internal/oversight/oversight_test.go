package oversight

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/deploy/tools/goldentest"
	"platewatch/hotlist"
	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/uplink"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// unit is a configuration with a state folder of its own.
func unit(t *testing.T) *config.Config {
	t.Helper()
	c := config.Default()
	c.StateDir, c.Unit.Name = t.TempDir(), "a44-north"
	c.Hotlist.Path, c.Uplink.OutboxFile = filepath.Join(c.StateDir, "hotlist"), filepath.Join(c.StateDir, "outbox.db")
	return c
}

// TestPolicy compares the policy, in all formats, of a unit with many features in use
// and of one with few.
func TestPolicy(t *testing.T) {
	much := config.Default()
	much.Unit.Name = "a44-north"
	much.Unit.Position = &config.Position{Latitude: 52.1, Longitude: 4.5, Description: "A44 km 13.2, <northbound>"}
	front := config.DefaultCamera()
	front.Name, front.Source = "front", "rtsp://192.0.2.7/stream1"
	much.Cameras = []config.Camera{front}
	much.Hotlist.Purpose = entry.Purpose{Allow: []string{"stolen_vehicle", "amber_alert"}, Deny: []string{"immigration"}}
	much.Hotlist.KeyFile, much.Hotlist.Trust = "/key", []string{"hq.pub"}
	much.Uplink.Broker.Brokers, much.Uplink.Client.Ack = []string{"mqtts://broker.example:8883"}, uplink.AckServer
	much.Uplink.Lists.Lists = []string{"stolen"}
	much.Uplink.Outbox.Retention, much.Uplink.Outbox.MaxAge = 72*time.Hour, 48*time.Hour
	much.Status.Listen = "0.0.0.0:8443"
	const token = "a-token-that-nobody-may-read"
	much.Status.Tokens = []string{access.Of(token, "anna", access.View|access.Aim).String()}
	lists := []hotlist.ListState{{List: entry.List{Name: "stolen", Version: "7", Entries: 1200, Categories: map[string]int{"stolen_vehicle": 1199, "amber_alert": 1},
		Imported: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Signed: &entry.Signed{Version: 7, Key: "A1B2", Signer: "headquarters"}}}}
	little := config.Default()
	little.Unit.Name, little.Status.Listen, little.Pictures.ContextBytes = "gate-1", status.Off, 0
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, p := range map[string]*Policy{"much": newPolicy(much, lists, at), "little": newPolicy(little, nil, at)} {
		for i, format := range Formats {
			var b bytes.Buffer
			if err := p.Write(&b, format); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), token) || strings.Contains(b.String(), "sha256:") {
				t.Errorf("%s, %s: a token or its hash is in it", name, format)
			}
			path := filepath.Join("testdata", "policy-"+name+[]string{".txt", ".md", ".html"}[i])
			goldentest.Compare(t, path, b.String())
		}
		// Every section that a law's demands name exists.
		for _, l := range p.Laws {
			for _, d := range l.Demands {
				rest := d[1]
				for _, s := range p.Sections {
					rest = strings.ReplaceAll(rest, s.Title, "")
				}
				if strings.Trim(rest, ", ") != "" {
					t.Errorf("%s, %s: there is no section %q", l.Name, d[0], rest)
				}
			}
		}
	}
}

// TestRetention finds hits that are too old in the outbox, and in a copy of it,
// beside a running daemon.
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
