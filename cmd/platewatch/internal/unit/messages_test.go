package unit

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/hotlist"
	"platewatch/ocr"
	"platewatch/ocr/passage"
)

// messageCost is what the hits of one unit cost.
type messageCost struct {
	u         *Unit
	p         *cameraPipeline
	at        time.Time // the clip's time
	messages  map[string]int
	bytes     int
	pictures  int // messages with pictures
	directed  map[string]bool
	longest   time.Duration // from a hit to its first message
	accepted  map[string]time.Time
	delivered int
}

// deliver takes what may be sent now, as a broker without delay would.
func (m *messageCost) deliver(t *testing.T) {
	for _, p := range m.u.outbox.List() {
		if _, ok := m.accepted[p.ID]; !ok {
			m.accepted[p.ID] = m.at
		}
	}
	for {
		q, err := m.u.outbox.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if q == nil {
			return
		}
		b, err := json.Marshal(&q.Hit)
		if err != nil {
			t.Fatal(err)
		}
		if m.messages[q.Hit.ID]++; m.messages[q.Hit.ID] == 1 {
			m.longest = max(m.longest, m.at.Sub(m.accepted[q.Hit.ID]))
		}
		m.bytes += len(b)
		m.delivered++
		if q.Hit.PlatePicture != nil {
			m.pictures++
		}
		m.directed[q.Hit.ID] = q.Hit.Direction != ""
		if err := m.u.outbox.Remove(q.Ref); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMessagesPerHit plays the demo's clip to units that look at six frames a second,
// each at other ones, with and without uplink.settle, and counts messages and bytes a
// hit. Time is the clip's, so the machine's speed does not matter.
func TestMessagesPerHit(t *testing.T) {
	if os.Getenv("PLATEWATCH_MESSAGES") == "" {
		t.Skip("make traffic counts the messages a hit")
	}
	const apart = 4 // of 25 frames a second
	road := filepath.Join(t.TempDir(), "road.h264")
	if err := os.WriteFile(road, media.Road, 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	settles := []time.Duration{0, 2 * time.Second}
	units := make([][]*messageCost, len(settles))
	for i, settle := range settles {
		for range apart {
			m := &messageCost{at: start, messages: map[string]int{}, directed: map[string]bool{}, accepted: map[string]time.Time{}}
			c := unitConfig(t)
			c.Uplink.Outbox.Settle = settle
			c.Uplink.Outbox.Now = func() time.Time { return m.at }
			if _, err := hotlist.Import(t.Context(), c.Hotlist.Path, bytes.NewReader(media.Hotlist), hotlist.ImportOptions{List: "demo"}); err != nil {
				t.Fatal(err)
			}
			m.u = openUnit(t, c, slog.New(slog.DiscardHandler))
			m.p = m.u.pipelines[0]
			units[i] = append(units[i], m)
		}
	}
	reader, err := ocr.New(ocr.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var observers []*observe.Observer
	for range apart {
		o, err := observe.New(reader, observe.DefaultParams())
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		observers = append(observers, o)
	}
	camera, err := capture.New(capture.WithDefaults(capture.Config{Name: "road", Source: road, Pace: source.PaceFast}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- camera.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	for n := 0; ; n++ {
		f, err := camera.Next(ctx)
		if err != nil {
			break
		}
		f.Arrived = start.Add(f.Position)
		r, err := observers[n%apart].Observe(ctx, f.Image, f.Position, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range settles {
			m := units[i][n%apart]
			m.at = f.Arrived
			m.p.follow(r.Updates, f, r.Plates)
			m.deliver(t)
		}
		f.Close()
	}
	var last [apart][]passage.Update
	for j, o := range observers {
		last[j] = o.Flush()
	}
	for i, settle := range settles {
		hits, directed := 0, 0
		var sum messageCost
		for j, m := range units[i] {
			m.at = m.at.Add(3 * time.Second)
			m.p.follow(last[j], nil, nil)
			m.deliver(t)
			hits += len(m.messages)
			for _, ok := range m.directed {
				if ok {
					directed++
				}
			}
			sum.delivered, sum.bytes, sum.pictures, sum.longest = sum.delivered+m.delivered, sum.bytes+m.bytes, sum.pictures+m.pictures, max(sum.longest, m.longest)
		}
		t.Logf("settle %v: %d hits, %d messages (%.2f a hit), %d of them with pictures, %d bytes a hit; the direction is known of %d; at most %v from a hit to its first message",
			settle, hits, sum.delivered, float64(sum.delivered)/float64(hits), sum.pictures, sum.bytes/hits, directed, sum.longest)
		if a := float64(sum.delivered) / float64(hits); settle > 0 && a > 1.3 {
			t.Errorf("%.2f messages a hit, at most 1.3", a)
		}
	}
}
