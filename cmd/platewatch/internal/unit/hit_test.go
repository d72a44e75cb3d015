package unit

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist"
	"platewatch/hotlist/audit"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// unitConfig is the configuration of a unit with one camera and no broker, in a
// folder of its own.
func unitConfig(t *testing.T) *config.Config {
	dir := t.TempDir()
	c := config.Default()
	c.StateDir, c.Unit.Name, c.Status.Listen = dir, "gate-7", status.Off
	c.Hotlist.Path, c.Uplink.OutboxFile = filepath.Join(dir, "hotlist"), filepath.Join(dir, "outbox.db")
	c.Uplink.Outbox.Settle = 0 // TestSettle has one
	camera := config.DefaultCamera()
	camera.Name, camera.Source = "front", "rtsp://127.0.0.1:9/front" // nobody listens at the discard port
	c.Cameras = []config.Camera{camera}
	return c
}

func openUnit(t *testing.T, c *config.Config, log *slog.Logger) *Unit {
	t.Helper()
	u, err := Open(Options{Config: c, Version: status.Version{Version: "test"}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	})
	u.clock = func() status.Clock { return status.Clock{State: status.ClockSynchronised} }
	return u
}

func importList(t *testing.T, c *config.Config, list, csv string) {
	t.Helper()
	if _, err := hotlist.Import(t.Context(), c.Hotlist.Path, strings.NewReader(csv), hotlist.ImportOptions{List: list}); err != nil {
		t.Fatal(err)
	}
}

// road feeds a pipeline with updates of one passage, as the tracker would.
type road struct {
	t     *testing.T
	p     *cameraPipeline
	frame capture.Frame
}

func newRoad(t *testing.T, u *Unit) *road {
	r := &road{t: t, p: u.pipelines[0], frame: capture.Frame{Image: gocv.NewMatWithSize(400, 600, gocv.MatTypeCV8UC3), Arrived: time.Now()}}
	t.Cleanup(func() {
		r.p.finish()
		r.frame.Image.Close()
	})
	return r
}

// update sends one update. A width above zero makes it the best frame so far,
// with a plate of that many pixels.
func (r *road) update(event passage.Event, p passage.Passage, width int) {
	p.Sure = p.Sure || event != passage.Seen
	u := passage.Update{Passage: p, Event: event, Plate: -1}
	var plates []ocr.Plate
	if width > 0 {
		u.Best, u.Plate = true, 0
		plates = []ocr.Plate{{Box: image.Rect(200, 200, 200+width, 200+width/4), Height: float64(width) / 6}}
	}
	r.p.follow([]passage.Update{u}, &r.frame, plates)
}

// pending is the newest revision of each hit in the outbox, in short.
func (r *road) pending() []string {
	r.t.Helper()
	var out []string
	for _, h := range pendingHits(r.t, r.p.u) {
		out = append(out, fmt.Sprintf("%s.%d %s %s %q", message.FormatID(h.Unit, h.Number), h.Revision, h.Text, h.Matches[0].Entry.Plate, h.Direction))
	}
	return out
}

func pendingHits(t *testing.T, u *Unit) []message.Hit {
	t.Helper()
	var out []message.Hit
	seen := map[uint64]bool{}
	for {
		q, err := u.outbox.Next(func(ref outbox.Ref) bool { return seen[ref.Number] })
		if err != nil {
			t.Fatal(err)
		}
		if q == nil {
			return out
		}
		seen[q.Number] = true
		if q.Hit.ID != idOf(u, q.Number) || q.Hit.Revision != int(q.Revision) {
			t.Errorf("number %d, revision %d is stored as %s, revision %d", q.Number, q.Revision, q.Hit.ID, q.Hit.Revision)
		}
		out = append(out, q.Hit)
	}
}

// idOf is the id of a unit's hit.
func idOf(u *Unit, number uint64) string {
	return message.FormatID(message.Origin(u.cfg().Unit.Name, u.outbox.Installation()), number)
}

const twoPlates = "plate,state,category,covert,handling,make\nAB12CDE,NL,stolen vehicle,yes,call the control room,Volvo\nXY98ZZT,SK,wanted,,,\n"

// TestRevisions follows passages through their updates: what is sent, when it is
// sent again, and when it is not.
func TestRevisions(t *testing.T) {
	listed := passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}
	with := func(p passage.Passage, change func(*passage.Passage)) passage.Passage { change(&p); return p }
	parked := with(listed, func(p *passage.Passage) { p.Parked = true })
	for _, test := range []struct {
		name string
		do   func(r *road)
		want []string
	}{
		{"on no list", func(r *road) {
			r.update(passage.Sure, passage.Passage{Number: 1, Reading: text.Reading{Text: "QQ11QQQ", Confidence: 0.9}}, 100)
			r.update(passage.Ended, passage.Passage{Number: 1, Reading: text.Reading{Text: "QQ11QQQ", Confidence: 0.99}, Direction: passage.Away}, 0)
		}, nil},
		{"once", func(r *road) {
			r.update(passage.Seen, listed, 80)
			r.update(passage.Sure, listed, 100)
			r.update(passage.Seen, listed, 0)
			r.update(passage.Ended, with(listed, func(p *passage.Passage) { p.Confidence = 0.89 }), 129)
		}, []string{`gate-7-1.1 AB12CDE AB12CDE ""`}},
		{"more confident", func(r *road) {
			r.update(passage.Sure, listed, 100)
			r.update(passage.Ended, with(listed, func(p *passage.Passage) { p.Confidence = 0.91 }), 0)
		}, []string{`gate-7-1.2 AB12CDE AB12CDE ""`}},
		{"larger", func(r *road) {
			r.update(passage.Sure, listed, 100)
			r.update(passage.Ended, listed, 131)
		}, []string{`gate-7-1.2 AB12CDE AB12CDE ""`}},
		{"direction known", func(r *road) {
			r.update(passage.Sure, listed, 100)
			r.update(passage.Ended, with(listed, func(p *passage.Passage) { p.Direction = passage.Away }), 0)
		}, []string{`gate-7-1.2 AB12CDE AB12CDE "away"`}},
		{"parked", func(r *road) {
			r.update(passage.Sure, listed, 100)
			r.update(passage.Seen, parked, 0)
			r.update(passage.Seen, parked, 0)
			r.update(passage.Ended, parked, 0)
		}, []string{`gate-7-1.2 AB12CDE AB12CDE "parked"`}},
		{"corrected to another entry", func(r *road) {
			r.update(passage.Sure, listed, 100)
			r.update(passage.Corrected, with(listed, func(p *passage.Passage) { p.Text = "XY98ZZT" }), 0)
		}, []string{`gate-7-1.2 XY98ZZT XY98ZZT ""`}},
		{"corrected to a listed plate", func(r *road) {
			r.update(passage.Sure, with(listed, func(p *passage.Passage) { p.Text = "QQ11QQQ" }), 100)
			r.update(passage.Corrected, listed, 0)
		}, []string{`gate-7-1.1 AB12CDE AB12CDE ""`}},
		{"two vehicles", func(r *road) {
			r.update(passage.Sure, listed, 100)
			r.update(passage.Sure, passage.Passage{Number: 2, Reading: text.Reading{Text: "XY98ZZT", Confidence: 0.9}}, 100)
		}, []string{`gate-7-1.1 AB12CDE AB12CDE ""`, `gate-7-2.1 XY98ZZT XY98ZZT ""`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := unitConfig(t)
			importList(t, c, "national", twoPlates)
			u := openUnit(t, c, slog.New(slog.DiscardHandler))
			r := newRoad(t, u)
			test.do(r)
			if diff := cmp.Diff(test.want, r.pending()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := u.pipelines[0].counts.hits; got != uint64(len(test.want)) {
				t.Errorf("%d hits are counted, want %d", got, len(test.want))
			}
			recorded := 0
			u.appendRecords(u.waitingRecords())
			err := u.trail.Records(audit.Filter{Kinds: []audit.Kind{audit.Hit}}, func(audit.Record) error { recorded++; return nil })
			if err != nil || recorded != len(test.want) {
				t.Errorf("the audit trail has %d hits, want %d; %v", recorded, len(test.want), err)
			}
		})
	}
}

// TestHitInFull: the message carries the entry, the pictures and the place, and
// the status page shows it.
func TestHitInFull(t *testing.T) {
	c := unitConfig(t)
	c.Unit.Position = &config.Position{Latitude: 52.1, Longitude: 4.3, Description: "A44 km 13.2"}
	importList(t, c, "national", twoPlates)
	u := openUnit(t, c, slog.New(slog.DiscardHandler))
	r := newRoad(t, u)
	r.update(passage.Sure, passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}, 100)
	hits := pendingHits(t, u)
	if len(hits) != 1 {
		t.Fatalf("%d hits", len(hits))
	}
	h := hits[0]
	m := h.Matches[0]
	if h.PlatePicture == nil || h.ContextPicture == nil || h.Position == nil || h.Clock != message.ClockSynchronised ||
		h.Frame == nil || h.Frame.Box != [4]int{200, 200, 100, 25} || h.Camera != "front" {
		t.Errorf("%+v", h)
	}
	if !m.Covert || m.Handling != "call the control room" || m.Entry.State != "NL" || m.Entry.Vehicle == nil || m.Entry.Vehicle.Make != "Volvo" {
		t.Errorf("%+v", m)
	}
	row := u.Status().LastHits[0]
	if row.ID != idOf(u, 1) || row.Delivered || !row.Picture || len(row.Facts) != 5 || row.Facts[0].Label != "covert" {
		t.Errorf("the page shows %+v", row)
	}
	if b, err := u.HitPicture(t.Context(), idOf(u, 1)); err != nil || len(b) == 0 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// TestProblems: each fault gives its sentence in the health message and on the
// page.
func TestProblems(t *testing.T) {
	const noCamera = "No camera is configured."
	const noBroker = "No broker is configured: hits stay in the outbox."
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, c *config.Config)
		want    []string // beginnings
	}{
		{"no list", func(*testing.T, *config.Config) {},
			[]string{"The hotlist is empty, so nothing can match: run platewatch hotlist import."}},
		{"a damaged list", func(t *testing.T, c *config.Config) {
			importList(t, c, "a", twoPlates)
			importList(t, c, "b", twoPlates)
			truncate(t, filepath.Join(c.Hotlist.Path, "a.hotlist"))
		}, []string{"Hotlist a was damaged and set aside: "}},
		{"a damaged list with a previous version", func(t *testing.T, c *config.Config) {
			importList(t, c, "a", twoPlates)
			importList(t, c, "a", "plate\nCC33CCC\n")
			truncate(t, filepath.Join(c.Hotlist.Path, "a.hotlist"))
		}, []string{"Hotlist a was damaged and set aside: ", "Hotlist a: the previous version is in use, because the newest is damaged."}},
		{"a damaged outbox", func(t *testing.T, c *config.Config) {
			importList(t, c, "a", twoPlates)
			if err := os.WriteFile(c.Uplink.OutboxFile, []byte(strings.Repeat("no outbox ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"The outbox was damaged: "}},
		{"a followed list that never arrived", func(t *testing.T, c *config.Config) {
			importList(t, c, "a", twoPlates)
			c.Uplink.Lists.Lists = []string{"a", "national"}
		}, []string{"Hotlist national is followed and has never arrived: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := unitConfig(t)
			test.prepare(t, c)
			u := openUnit(t, c, slog.New(slog.DiscardHandler))
			u.pipelines = nil
			u.clock = func() status.Clock { return status.Clock{State: status.ClockSynchronised} }
			want := slices.Concat([]string{noCamera}, test.want, []string{noBroker})
			h := u.health()
			if len(h.Problems) != len(want) {
				t.Fatalf("got %q\nwant %q", h.Problems, want)
			}
			for i, p := range h.Problems {
				if !strings.HasPrefix(p, want[i]) || !strings.HasSuffix(p, ".") || strings.Contains(p, "%!") {
					t.Errorf("got %q, want %q", p, want[i])
				}
			}
			if h.Level != message.LevelBad || h.Headline != fmt.Sprintf("No camera is configured (and %d more)", len(want)-1) {
				t.Errorf("level %s, headline %q", h.Level, h.Headline)
			}
		})
	}
}

func truncate(t *testing.T, path string) {
	t.Helper()
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
}

// logLines is a log whose messages a test waits for.
type logLines chan string

func (l logLines) Enabled(context.Context, slog.Level) bool { return true }
func (l logLines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l logLines) WithGroup(string) slog.Handler            { return l }
func (l logLines) Handle(_ context.Context, r slog.Record) error {
	select {
	case l <- r.Message:
	default: // no test reads so many
	}
	return nil
}

// TestCameraOffline: a camera that does not answer is a problem, and the unit
// stops at once all the same.
func TestCameraOffline(t *testing.T) {
	c := unitConfig(t)
	importList(t, c, "a", twoPlates)
	lines := make(logLines, 1000)
	u := openUnit(t, c, slog.New(lines))
	u.clock = func() status.Clock { return status.Clock{State: status.ClockSynchronised} }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- u.Run(ctx) }()
	for line := range lines {
		if strings.HasPrefix(line, "camera offline") {
			break
		}
	}
	if p := u.condition().Sentences(); len(p) != 2 || !strings.HasPrefix(p[0], "Camera front is offline: ") {
		t.Errorf("%q", p)
	}
	if s := u.statusLine(); !strings.HasPrefix(s, "STATUS=Camera front is offline: ") || !strings.HasSuffix(s, " (and 1 more); 0 of 1 cameras online, 0 hits, 0 waiting") {
		t.Error(s)
	}
	if stage, doing, age := u.stalled(); stage != "" {
		t.Errorf("%s, %s, counts as stalled while its camera is away: %v", stage, doing, age)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestPicturesOnlyWhenBetter: a revision of a delivered hit has pictures only if
// they show the plate larger, or the frame that corrected its text; frame and time
// are those of the pictures that the receiver has.
func TestPicturesOnlyWhenBetter(t *testing.T) {
	listed := passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}
	with := func(change func(*passage.Passage)) passage.Passage { p := listed; change(&p); return p }
	known := with(func(p *passage.Passage) { p.Direction = passage.Away })
	corrected := with(func(p *passage.Passage) { p.Text = "XY98ZZT" })
	for _, test := range []struct {
		name     string
		do       func(r *road)
		pictures bool
		width    int // of the plate on the frame that the message names
	}{
		{"the direction", func(r *road) { r.update(passage.Ended, known, 0) }, false, 100},
		{"the direction, and the plate is a little larger", func(r *road) { r.update(passage.Ended, known, 129) }, false, 100},
		{"larger", func(r *road) { r.update(passage.Ended, listed, 131) }, true, 131},
		{"corrected on the same frame", func(r *road) { r.update(passage.Corrected, corrected, 0) }, false, 100},
		{"corrected on another frame", func(r *road) {
			r.frame.Arrived = r.frame.Arrived.Add(time.Second)
			r.update(passage.Corrected, corrected, 110)
		}, true, 110},
		{"withdrawn, and back", func(r *road) {
			r.update(passage.Corrected, with(func(p *passage.Passage) { p.Text = "QQ11QQQ" }), 0)
			r.deliver()
			r.update(passage.Corrected, listed, 0)
		}, true, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := unitConfig(t)
			importList(t, c, "national", twoPlates)
			u := openUnit(t, c, slog.New(slog.DiscardHandler))
			r := newRoad(t, u)
			r.update(passage.Sure, listed, 100)
			r.deliver()
			test.do(r)
			hits := pendingHits(t, u)
			if len(hits) != 1 {
				t.Fatalf("%d revisions", len(hits))
			}
			h := hits[0]
			if got := h.PlatePicture != nil && h.ContextPicture != nil; got != test.pictures || h.PicturesUnchanged == test.pictures || h.Frame.Box[2] != test.width {
				t.Errorf("pictures %t, unchanged %t, the plate is %d pixels wide; want %t, %d", got, h.PicturesUnchanged, h.Frame.Box[2], test.pictures, test.width)
			}
			if _, err := u.HitPicture(t.Context(), h.ID); err != nil {
				t.Errorf("the page has lost the picture: %v", err)
			}
		})
	}
}

// deliver takes what is pending out of the outbox, as an acknowledgement does.
func (r *road) deliver() {
	r.t.Helper()
	for {
		q, err := r.p.u.outbox.Next(nil)
		if err != nil {
			r.t.Fatal(err)
		}
		if q == nil {
			return
		}
		if err := r.p.u.outbox.Remove(q.Ref); err != nil {
			r.t.Fatal(err)
		}
	}
}
