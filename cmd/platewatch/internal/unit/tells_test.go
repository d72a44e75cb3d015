package unit

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/deploy/tools/addrtest"
	"platewatch/hotlist/audit"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/rectify"
	"platewatch/ocr/text"
	"platewatch/uplink/broker"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// unlisted is the plate of these tests that is on no list.
const unlisted = "QQ11QQQ"

// written is everything that a unit wrote: its log, and what subscribers get.
type written struct {
	mu sync.Mutex
	bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Buffer.Write(b)
}

func (w *written) holds(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Contains(w.Bytes(), []byte(text))
}

// onDisk returns the files below a folder that hold a text.
func onDisk(t *testing.T, dir, text string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// startMosquitto runs a broker that admits every client, on a loopback address, until
// the test ends.
func startMosquitto(t *testing.T, address string) {
	t.Helper()
	binary, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	_, port, _ := net.SplitHostPort(address)
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := "listener " + port + " 127.0.0.1\nallow_anonymous true\npersistence false\n"
	if os.Getuid() == 0 {
		text = "user root\n" + text
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// TestWithdrawal: a hit whose vote turns to a plate on no list is taken back under
// its id, whether it was delivered before or not. That plate is not on the disk, in
// the log, on the broker or on the page.
func TestWithdrawal(t *testing.T) {
	for _, test := range []struct {
		name      string
		delivered bool // before the correction
	}{{"while it waits", false}, {"after delivery", true}} {
		t.Run(test.name, func(t *testing.T) {
			address := addrtest.Free(t)
			c := unitConfig(t)
			c.Uplink.Broker.Brokers = []string{"mqtt://" + address}
			importList(t, c, "national", twoPlates)
			var log, mqtt written
			u := openUnit(t, c, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			r := newRoad(t, u)
			startMosquitto(t, address)

			ctx, cancel := context.WithCancel(t.Context())
			hits, connected := make(chan message.Hit, 10), make(chan struct{}, 10)
			var running sync.WaitGroup
			defer running.Wait()
			defer cancel()
			running.Go(func() {
				err := watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{{URL: "mqtt://" + address}}}, watch.Handler{
					Hit: func(h *message.Hit, raw []byte) error { _, err := mqtt.Write(raw); hits <- *h; return err },
					Link: func(err error) error {
						if err == nil {
							connected <- struct{}{}
						}
						return nil
					},
					Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
				}, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Error(err)
				}
			})
			<-connected
			deliver := func() { running.Go(func() { _ = u.client().Run(ctx) }) }

			p := passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}
			r.update(passage.Sure, p, 100)
			if test.delivered {
				deliver()
				if h := <-hits; h.Text != "AB12CDE" || h.Revision != 1 {
					t.Fatalf("delivered %+v", h)
				}
			}
			p.Text, p.Confidence, p.Parked, p.Direction = unlisted, 0.99, true, passage.Away
			for _, char := range unlisted {
				p.Characters = append(p.Characters, text.Character{Text: string(char), Confidence: 0.99})
			}
			r.update(passage.Corrected, p, 200)
			r.update(passage.Seen, p, 300)
			r.update(passage.Ended, p, 400)
			if !test.delivered {
				deliver()
			}
			h := <-hits
			if !h.Withdrawn || h.ID != idOf(u, 1) || h.Revision != 2 || h.Camera != "front" || h.Text != "" || h.Matches != nil || h.PlatePicture != nil {
				t.Errorf("delivered %+v", h)
			}
			if row := u.Status().LastHits[0]; !row.Withdrawn || row.Text != "" || row.Entry.Plate != "" || row.Picture {
				t.Errorf("the page shows %+v", row)
			}
			if _, err := u.HitPicture(t.Context(), idOf(u, 1)); err == nil {
				t.Error("the page has a picture of it")
			}
			if files := onDisk(t, c.StateDir, unlisted); len(files) > 0 {
				t.Errorf("%s is in %v", unlisted, files)
			}
			if log.holds(unlisted) || mqtt.holds(unlisted) {
				t.Errorf("the log holds %s: %t, the broker got it: %t", unlisted, log.holds(unlisted), mqtt.holds(unlisted))
			}
			select {
			case h := <-hits:
				t.Errorf("it was followed by %+v", h)
			default:
			}
			if n := u.pipelines[0].counts.hits; n != 1 {
				t.Errorf("%d hits are counted", n)
			}
		})
	}
}

// A vote that turns back to the listed plate brings the hit back.
func TestWithdrawalIsTakenBack(t *testing.T) {
	c := unitConfig(t)
	importList(t, c, "national", twoPlates)
	u := openUnit(t, c, slog.New(slog.DiscardHandler))
	r := newRoad(t, u)
	p := passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}
	for i, text := range []string{"AB12CDE", unlisted, "QQ11QQ1", "AB12CDE"} {
		event := passage.Corrected
		if i == 0 {
			event = passage.Sure
		}
		p.Text = text
		r.update(event, p, 100)
	}
	hits := pendingHits(t, u)
	if len(hits) != 1 || hits[0].Withdrawn || hits[0].Text != "AB12CDE" || hits[0].Revision != 3 || hits[0].PlatePicture == nil {
		t.Errorf("%+v", hits)
	}
}

// TestPreviewLabelsHitsOnly: two live pictures that differ only in what was read of
// a plate on no list are the same, to the last byte.
func TestPreviewLabelsHitsOnly(t *testing.T) {
	c := unitConfig(t)
	importList(t, c, "national", twoPlates)
	u := openUnit(t, c, slog.New(slog.DiscardHandler))
	r := newRoad(t, u)
	box := image.Rect(200, 200, 300, 225)
	live := func(read string) string {
		t.Helper()
		f := capture.Frame{Image: gocv.NewMatWithSize(400, 600, gocv.MatTypeCV8UC3), Arrived: time.Now()}
		defer f.Close()
		pictures := make(chan []byte, 1)
		r.p.preview.waiting = append(r.p.preview.waiting, viewer{status.Cut{Text: true}, pictures})
		q := ocr.Plate{Box: box}
		q.Text, q.Confidence = read, 0.9
		for i, at := range []image.Point{box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max, {X: box.Min.X, Y: box.Max.Y}} {
			q.Corners[i] = rectify.Point{X: float64(at.X), Y: float64(at.Y)}
		}
		r.p.preview.show(r.p, &f, []ocr.Plate{q})
		return string(<-pictures)
	}
	p := passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}
	before := live("AB12CDE")
	r.update(passage.Sure, p, 100)
	if live(unlisted) != live("ZZ99ZZZ") || live(unlisted) != before {
		t.Error("the text of a plate on no list shows")
	}
	if live("AB12CDE") == before {
		t.Error("a hit is not marked")
	}
	p.Text = unlisted
	r.update(passage.Corrected, p, 0)
	if live(unlisted) != before || live("AB12CDE") != before {
		t.Error("a hit that was withdrawn is marked")
	}
}

// Plates on no list pass, and nothing that the unit writes holds their text: see
// [TestWithdrawal] for those that were hits before.
func TestUnlistedIsNotWritten(t *testing.T) {
	c := unitConfig(t)
	importList(t, c, "national", twoPlates)
	var log written
	u := openUnit(t, c, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	r := newRoad(t, u)
	p := passage.Passage{Number: 1, Reading: text.Reading{Text: unlisted, Confidence: 0.9}}
	r.update(passage.Sure, p, 100)
	r.update(passage.Ended, p, 200)
	if files := onDisk(t, c.StateDir, unlisted); len(files) > 0 || log.holds(unlisted) {
		t.Errorf("in %v, in the log: %t", files, log.holds(unlisted))
	}
}

// TestViewsAreRecorded: who looks at hits is in the audit trail, once when the look
// begins and once when it has ended, and without plates.
func TestViewsAreRecorded(t *testing.T) {
	c := unitConfig(t)
	c.Status.Listen = "127.0.0.1:0"
	importList(t, c, "national", twoPlates)
	u := openUnit(t, c, slog.New(slog.DiscardHandler))
	r := newRoad(t, u)
	r.update(passage.Sure, passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}, 100)
	page, err := u.statusPage()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	url, err := page.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- page.Run(ctx) }()
	for range 5 {
		answer, err := http.Get(url + "status.json")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	var got []string
	err = u.trail.Records(audit.Filter{Kinds: []audit.Kind{audit.View}}, func(r audit.Record) error {
		got = append(got, fmt.Sprintf("%s %s %s %t", r.Operator, r.Source, r.Viewed, r.Since.IsZero()))
		return nil
	})
	if diff := cmp.Diff([]string{"loopback loopback hits true", "loopback loopback hits false"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if files := onDisk(t, filepath.Join(c.Hotlist.Path, "audit"), "AB12CDE"); len(files) > 0 {
		t.Errorf("the plate is in %v", files)
	}
}
