package status

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/aim"
	"platewatch/uplink/message"
)

// fakeUnit stands for the running unit, which needs cameras. Tests change its
// document while the server runs.
type fakeUnit struct {
	mu       sync.Mutex
	doc      Document
	pictures atomic.Int64 // how many were made
	picture  func(ctx context.Context, camera string) ([]byte, error)
	onCut    func(Cut)
}

func (u *fakeUnit) Status() Document {
	u.mu.Lock()
	defer u.mu.Unlock()
	doc := u.doc
	doc.Now = time.Now()
	doc.Uptime = Since(doc.Started)
	return doc
}

func (u *fakeUnit) change(f func(d *Document)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f(&u.doc)
}

func (u *fakeUnit) Picture(ctx context.Context, camera string, cut Cut) ([]byte, error) {
	if u.onCut != nil {
		u.onCut(cut)
	}
	n := u.pictures.Add(1)
	if u.picture != nil {
		return u.picture(ctx, camera)
	}
	if camera == "rear" {
		return nil, ErrNoPicture
	}
	return scene(int(n), 640, 360), nil
}

func (u *fakeUnit) PlatePicture(context.Context, string) ([]byte, error) {
	return scene(3, 240, 56), nil
}

func (u *fakeUnit) AimAnew(string) error { return nil }

func (u *fakeUnit) HitPicture(_ context.Context, id string) ([]byte, error) {
	if id != "gate-7-000041" {
		return nil, ErrNoPicture
	}
	return scene(3, 240, 56), nil
}

// scene draws something with a box on it, so that a person sees it move.
func scene(n, width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		c := color.RGBA{uint8(90 + 60*y/height), uint8(100 + 50*y/height), uint8(120 - 20*y/height), 255}
		draw.Draw(img, image.Rect(0, y, width, y+1), image.NewUniform(c), image.Point{}, draw.Src)
	}
	x := n * 7 % (width / 2)
	fill := func(x0, y0, x1, y1 int, c color.Color) {
		draw.Draw(img, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
	}
	fill(x+20, height/3, x+20+width/3, height*3/4, color.RGBA{150, 30, 30, 255})
	px, py, pw, ph := x+20+width/9, height*3/5, width/9, height/16
	fill(px-3, py-3, px+pw+3, py+ph+3, color.RGBA{0, 230, 90, 255})
	fill(px, py, px+pw, py+ph, color.White)
	var b bytes.Buffer
	jpeg.Encode(&b, img, &jpeg.Options{Quality: 70})
	return b.Bytes()
}

func newFake() *fakeUnit {
	now := time.Now()
	return &fakeUnit{doc: Document{
		Unit: "gate-7", Position: "A44 km 13.2, northbound",
		Version: Version{Version: "v0.3.0", Revision: "3f2c1aa09b7d", Go: "go1.26"},
		Started: now.Add(-52 * time.Hour), ProgressAge: 0.04,
		Clock: Clock{State: ClockSynchronised, Source: "ntp"},
		Cameras: []Camera{
			{Name: "front", Kind: "rtsp", State: "online", Since: 52 * 3600, FPS: 24.9, Width: 1280, Height: 720,
				Frames: 4_671_220, Drops: map[string]uint64{"busy": 812_004, "motion": 3_100_210}, Opens: 1, LastFrame: 0.03,
				Looks: 759_006, Look: Timing{P50: 27.4, P95: 61.2, Total: 22_000}, Plates: 9402, Again: 310, Passages: 1284,
				PlateBoxes: []Box{{172, 38}, {96, 22}}, PlateAge: 4, Aim: wellAimed()},
			{Name: "rear", Kind: "v4l2", State: "offline", Since: 184, Width: 1280, Height: 720,
				Frames: 4_500_000, Opens: 3, LastFrame: 184, LastError: "read /dev/video0: no such device",
				Looks: 700_000, Look: Timing{P50: 25, P95: 60, Total: 20_000}, Plates: 9000, Passages: 1201},
		},
		Passages: 2485, Hits: 3, HitCounts: []HitCount{{"national", "stolen vehicle", 1}, {"regional", "missing person", 1}},
		Verdicts: &message.VerdictHealth{Ignored: 1, Counts: []message.VerdictCount{{List: "national", How: "exact", Right: 17, Wrong: 1}}},
		Disk:     &Disk{Free: 5 << 30, Total: 16 << 30}, Temperature: new(51.5),
		LastHits: []Hit{
			{ID: "gate-7-000041", Time: now.Add(-2 * time.Minute), Age: 121, Camera: "front", Text: "KL47RVX", Confidence: 0.97,
				Match: message.Match{List: "national", Category: "stolen vehicle", How: "exact", Entry: message.Entry{Plate: "KL47RVX", State: "NL"}},
				Head:  "KL47RVX (NL)  stolen vehicle, priority 3, exact, list national version 2026-11-23T06",
				Facts: []Fact{{"covert", "whoever stops the vehicle must not show that it was expected", true},
					{"handling", "Call the control room before stopping.", true}, {"vehicle", "2019 grey Volvo V60", false}},
				Picture: true},
			{ID: "gate-7-000040", Time: now.Add(-3 * time.Hour), Age: 3 * 3600, Camera: "rear", Text: "M5XSX0", Confidence: 0.81,
				Match: message.Match{List: "regional", Category: "missing person", How: "confusable"},
				Head:  "M5XSXO (SK)  missing person, priority 2, confusable, list regional version 117", Delivered: true},
			{ID: "gate-7-000039", Time: now.Add(-30 * time.Hour), Age: 30 * 3600, Camera: "front", Text: "1ABC234", Confidence: 0.99,
				Match: message.Match{List: "regional", Category: "expired insurance", How: "exact"},
				Head:  "1ABC234  expired insurance, priority 6, exact, list regional version 117", Delivered: true},
		},
		Hotlist: Hotlist{Open: true, Lists: []List{
			{Name: "national", Version: "2026-11-23T06", Entries: 48_213, Imported: now.Add(-6 * time.Hour)},
			{Name: "regional", Version: "117", Entries: 96, Imported: now.Add(-50 * time.Hour)},
		}},
		Outbox: Outbox{Open: true, Pending: 1, Bytes: 48 << 10, MaxBytes: 256 << 20, OldestAge: 121},
		Uplink: Uplink{State: "offline", Broker: "mqtts://broker.example.org:8883", Since: 190, Delivered: 41, LastError: "dial tcp: i/o timeout"},
	}}
}

// wellAimed is the state of a camera that needs no adjustment.
func wellAimed() *aim.Report {
	q := func(key, name, unit string, value, low, high, from, to float64, words string) aim.Quantity {
		return aim.Quantity{Key: key, Name: name, Unit: unit, Known: true, Value: value, Low: low, High: high, From: from, To: to, Level: aim.Good, Range: words}
	}
	r := &aim.Report{Level: aim.Good, Verdict: "Well set", Instruction: "Nothing to do: plates are large, sharp and bright enough", Vehicles: 12, Judged: 3,
		Quantities: []aim.Quantity{
			q("width", "Plate width", "px", 152, 0, 260, 130, 260, "at least 130 px"), q("height", "Character height", "px", 33, 0, 80, 20, 60, "20 to 60 px"),
			q("yaw", "Angle from the side", "°", 14, 0, 70, 0, 35, "at most 35 °"), q("roll", "Level", "°", -2, -30, 30, -6, 6, "-6 to 6 °"),
			q("motion", "Motion blur", "px", 0.7, 0, 8, 0, 2, "at most 2 px"), q("sharpness", "Sharpness of the scene", "%", 88, 0, 100, 60, 100, "at least 60 %"),
		}, Zone: aim.Zone{Columns: 16, Rows: 9}}
	r.Quantities[5].Peak = 93
	for x := 3; x < 13; x++ {
		r.Zone.Cells = append(r.Zone.Cells, aim.Cell{Column: x, Row: 3 + x%2, Counts: map[string]int{"read": x}}, aim.Cell{Column: x, Row: 6, Counts: map[string]int{"small": 2, "read": 1}})
	}
	r.Zone.Cells = append(r.Zone.Cells, aim.Cell{Column: 15, Row: 4, Counts: map[string]int{"cut": 4}}, aim.Cell{Column: 0, Row: 5, Counts: map[string]int{"missed": 3}}, aim.Cell{Column: 1, Row: 7, Counts: map[string]int{"blurred": 9}})
	return r
}

// healthy is a unit with nothing to complain about.
func healthy() *fakeUnit {
	u := newFake()
	u.doc.Cameras[1] = u.doc.Cameras[0]
	u.doc.Cameras[1].Name, u.doc.Cameras[1].PlateBoxes = "yard", nil
	u.doc.Uplink = Uplink{State: "connected", Broker: "mqtts://broker.example.org:8883", Since: 190, Delivered: 42}
	u.doc.Outbox.Pending, u.doc.Outbox.OldestAge = 0, 0
	for i := range u.doc.LastHits {
		u.doc.LastHits[i].Delivered = true
	}
	return u
}

// tokenFile writes a token to a file.
func tokenFile(t testing.TB, token string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("\ufeff"+token+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newServer(t testing.TB, u Unit, opt Options) *Server {
	t.Helper()
	opt.Listen = cmp.Or(opt.Listen, "127.0.0.1:0")
	s, err := New(u, opt, quietLog)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs the server until the test ends and returns its address.
func start(t testing.TB, s *Server) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	url, err := s.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return url
}
