package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"platewatch/capture/rtsptest"
	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/deploy/tools/addrtest"
	"platewatch/hotlist"
	"platewatch/uplink/message"
)

// shippedMemoryMax is MemoryMax= of the systemd unit, bytes.
const shippedMemoryMax = 512 << 20

// misdeed is what a hostile camera sends, and what the unit says of it.
type misdeed struct {
	name  string
	short bool // tried in every run of the tests
	serve func(t *testing.T, address string) (stop func())
	said  []string // one of these is in the camera's last error; none: it may be accepted
}

// TestAttackHostileCamera: one of the two cameras of a unit in a memory cgroup of 512
// MiB sends, in turn, pictures of 7000 × 7000 as JPEG and PNG, H.264 of 15360 × 15360
// and 7680 × 4320, at once and by a change in mid-stream, 4K of noise, and garbage
// without end. The other camera loses no second of frames, no hit is lost, and the
// unit's process goes on.
func TestAttackHostileCamera(t *testing.T) {
	mosquitto, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: apt-get install ffmpeg")
	}
	program := builtProgram(t)
	for scheme, misdeeds := range map[string][]misdeed{"http": overHTTP(t), "rtsp": overRTSP(t)} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			group := newMemoryGroup(t, shippedMemoryMax)
			u := startHostileUnit(t, program, scheme, mosquitto, group)
			for _, m := range misdeeds {
				if m.short || longAttack() {
					u.suffer(m)
				}
			}
			u.end()
			t.Attr("outcome", fmt.Sprintf("%s: the good camera was at most %d frames behind, its newest frame %.1f s old; %d hits, all arrived; %d MiB of %d at most; %d processes killed for memory",
				scheme, u.behind, u.oldest, len(u.told), group.peak()>>20, shippedMemoryMax>>20, group.kills()))
		})
	}
}

// longAttack reports whether `make attack` runs.
func longAttack() bool { return os.Getenv("PLATEWATCH_ATTACK") != "" }

// builtProgram builds platewatch as it is shipped: a test's own binary has the race
// detector in it, which takes many times the memory.
func builtProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir+"/", "platewatch/cmd/platewatch").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "platewatch")
}

// hostileUnit is a unit with a good and a bad camera.
type hostileUnit struct {
	t       *testing.T
	d       *daemon
	bad     string // address of the bad camera
	page    string // of the status page
	told    map[string]bool
	arrived <-chan string

	begin  time.Time // of the good camera's measurement
	frames uint64    // it had then
	behind int       // most frames that the good camera missed
	oldest float64   // most seconds that its newest frame was old
}

// goodFPS is the good camera's rate, frames a second.
const goodFPS = media.RoadFPS

func startHostileUnit(t *testing.T, program, scheme, mosquitto string, group *memoryGroup) *hostileUnit {
	t.Helper()
	road, err := rtsptest.ParseAnnexB(media.Road)
	if err != nil {
		t.Fatal(err)
	}
	good := rtsptest.New("127.0.0.1:0")
	if err := good.Add("road", rtsptest.Options{Loop: true}, road); err != nil {
		t.Fatal(err)
	}
	if err := good.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { good.Close() })
	dir, broker := t.TempDir(), addrtest.Free(t)
	u := &hostileUnit{t: t, bad: addrtest.Free(t), page: addrtest.Free(t), told: map[string]bool{}}
	startMosquitto(t, mosquitto, broker)
	u.arrived = subscribe(t, broker, func(*message.Hit) {})
	config := filepath.Join(dir, "unit.toml")
	write(t, config, fmt.Appendf(nil, `
state_dir = %q
[unit]
name = "roadside-7"
[[camera]]
name = "good"
source = %q
[[camera]]
name = "bad"
source = "%s://%s/gate"
[uplink]
brokers = ["mqtt://%s"]
[status]
listen = %q
`, filepath.Join(dir, "state"), good.URL("road"), scheme, u.bad, broker, u.page))
	if _, err := hotlist.Import(t.Context(), filepath.Join(dir, "state", "hotlist"), bytes.NewReader(media.Hotlist), hotlist.ImportOptions{List: "demo"}); err != nil {
		t.Fatal(err)
	}
	u.d = startDaemonWith(t, group.command(program, "run", "-config", config))
	u.d.waitFor("msg=running")
	for u.camera("good").Frames == 0 {
		time.Sleep(100 * time.Millisecond) // between two looks at another process
	}
	return u
}

// cameraState is what the status page says of a camera.
type cameraState struct {
	Name      string
	State     string
	Frames    uint64
	Opens     uint64
	LastFrame float64 `json:"last_frame_age_s"`
	LastError string  `json:"last_error"`
}

func (u *hostileUnit) camera(name string) cameraState {
	u.t.Helper()
	res, err := http.Get("http://" + u.page + "/status.json")
	if err != nil {
		u.t.Fatalf("the unit's process does not answer: %v\n%s", err, u.d.log())
	}
	defer res.Body.Close()
	var doc struct{ Cameras []cameraState }
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil {
		u.t.Fatal(err)
	}
	for _, c := range doc.Cameras {
		if c.Name == name {
			return c
		}
	}
	u.t.Fatalf("no camera %s in %+v", name, doc)
	return cameraState{}
}

// suffer lets the bad camera misbehave until the unit has reported it, and then for a
// while longer.
func (u *hostileUnit) suffer(m misdeed) {
	u.t.Helper()
	before, good := u.camera("bad"), u.camera("good")
	u.begin, u.frames = time.Now(), good.Frames
	defer m.serve(u.t, u.bad)()
	while := time.Second
	if longAttack() {
		while = 5 * time.Second
	}
	deadline, over := time.Now().Add(time.Minute), time.Time{}
	for now := time.Now(); over.IsZero() || now.Before(over); now = time.Now() {
		u.look(good.Opens, m.name)
		c := u.camera("bad")
		if over.IsZero() && c.Opens > before.Opens && m.about(c) {
			over = time.Now().Add(while)
		}
		if now.After(deadline) {
			u.t.Errorf("%s: the unit says %q of the camera, want one of %q\n%s", m.name, c.LastError, m.said, u.d.log())
			return
		}
		time.Sleep(100 * time.Millisecond) // between two looks at another process
	}
	u.t.Logf("%-28s %s", m.name, u.camera("bad").LastError)
	// A machine without time for all its work loses some frames as well, here and there;
	// a camera that is lost gives none for a while.
	missing, due := u.missing()
	u.behind = max(u.behind, missing)
	if missing > goodFPS+due/10 || u.oldest > 1 {
		u.t.Errorf("%s: the good camera lost %d frames of %d, the newest was %.1f s old at most\n%s", m.name, missing, due, u.oldest, u.d.log())
	}
}

// about tells whether the unit has noticed.
func (m misdeed) about(c cameraState) bool {
	if len(m.said) == 0 {
		return true
	}
	for _, s := range m.said {
		if strings.Contains(c.LastError, s) {
			return true
		}
	}
	return false
}

// look checks the good camera.
func (u *hostileUnit) look(opens uint64, during string) {
	u.t.Helper()
	g := u.camera("good")
	u.oldest = max(u.oldest, g.LastFrame)
	if g.Opens != opens {
		u.t.Errorf("%s: the good camera was lost\n%s", during, u.d.log())
	}
}

// missing is how many of the frames due since the misdeed began the good camera has
// not given.
func (u *hostileUnit) missing() (n, due int) {
	due = int(time.Since(u.begin).Seconds() * goodFPS)
	return due - int(u.camera("good").Frames-u.frames), due
}

// end stops the unit and waits for its hits.
func (u *hostileUnit) end() {
	u.t.Helper()
	u.d.waitFor("msg=hit")
	if code := u.d.stop(syscall.SIGTERM); code != 0 {
		u.t.Errorf("the exit code is %d\n%s", code, u.d.log())
	}
	for _, line := range u.d.seen {
		if m := hitLine.FindStringSubmatch(line); m != nil {
			u.told[m[1]] = true
		}
	}
	book := arrivalBook{t: u.t, got: u.arrived, ids: map[string]bool{}, numbers: map[string][]uint64{}}
	book.waitFor(u.told)
	if lost := book.missing(u.told); len(lost) > 0 {
		u.t.Errorf("of %d hits %d are lost: %v", len(u.told), len(lost), lost)
	}
}

// overHTTP are the misdeeds of an MJPEG camera.
func overHTTP(t *testing.T) []misdeed {
	t.Helper()
	// Flat grey compresses to 300 KB, and decodes to 147 MB.
	huge := image.NewGray(image.Rect(0, 0, 7000, 7000))
	var asJPEG, asPNG bytes.Buffer
	if err := errors.Join(jpeg.Encode(&asJPEG, huge, nil), png.Encode(&asPNG, huge)); err != nil {
		t.Fatal(err)
	}
	parts := func(b []byte) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "--x\r\nContent-Length: %d\r\n\r\n%s\r\n", len(b), b)
			return err
		}
	}
	noise := make([]byte, 1<<20)
	fillWithNoise(noise)
	return []misdeed{
		{"JPEG of 7000 x 7000", true, multipart(parts(asJPEG.Bytes())), []string{"are read"}},
		{"PNG of 7000 x 7000", true, multipart(parts(asPNG.Bytes())), []string{"no JPEG picture among"}},
		{"garbage in parts", false, multipart(parts(noise)), []string{"no JPEG picture among"}},
		{"endless garbage", true, multipart(func(w io.Writer) error { _, err := w.Write(noise); return err }), []string{"no JPEG picture among"}},
		{"garbage without HTTP", false, garbage, []string{"malformed HTTP", "not HTTP"}},
		{"one part without end", false, multipart(func(w io.Writer) error {
			if _, err := fmt.Fprintf(w, "--x\r\nContent-Type: image/jpeg\r\n\r\n"); err != nil {
				return err
			}
			for {
				if _, err := w.Write(noise); err != nil {
					return err
				}
			}
		}), []string{"no JPEG picture among", "a picture of more than"}},
	}
}

// multipart is an MJPEG camera that sends something again and again, as fast as it
// is taken.
func multipart(send func(io.Writer) error) func(*testing.T, string) func() {
	return func(t *testing.T, address string) func() {
		l := addrtest.Listen(t, address)
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
			for r.Context().Err() == nil && send(w) == nil {
			}
		})}
		go func() { _ = s.Serve(l) }() // ends with Close
		return func() { s.Close() }
	}
}

// garbage answers every connection with noise without end.
func garbage(t *testing.T, address string) func() {
	l := addrtest.Listen(t, address)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				noise := make([]byte, 64<<10)
				fillWithNoise(noise)
				for {
					if _, err := c.Write(noise); err != nil {
						return
					}
				}
			}()
		}
	}()
	return func() { l.Close() }
}

func fillWithNoise(b []byte) {
	r := rand.NewChaCha8([32]byte{7})
	_, _ = r.Read(b) // it cannot fail
}

// overRTSP are the misdeeds of an RTSP camera.
func overRTSP(t *testing.T) []misdeed {
	t.Helper()
	small, eightK := encodedClip(t, 640, 360, 25), encodedClip(t, 7680, 4320, 2)
	var vast *rtsptest.Clip
	if longAttack() {
		vast = encodedClip(t, 15360, 15360, 2)
	} else {
		vast = eightK // a second of encoding instead of ten
	}
	tooLarge := []string{"are accepted"}
	return []misdeed{
		{"H.264 of 15360 x 15360", false, streaming(vast), tooLarge},
		{"a larger SPS in mid-stream", true, streaming(small, vast), tooLarge},
		{"H.264 of 7680 x 4320", true, streaming(eightK), tooLarge},
		{"8K in mid-stream", false, streaming(small, eightK), tooLarge},
		{"4K of noise", false, streaming(noisy(encodedClip(t, 3840, 2160, 5))), nil},
		{"4K", false, streaming(encodedClip(t, 3840, 2160, 5)), nil},
		{"garbage without RTSP", true, garbage, []string{"not RTSP"}},
	}
}

// streaming is an RTSP camera that plays clips, one after the other.
func streaming(clips ...*rtsptest.Clip) func(*testing.T, string) func() {
	return func(t *testing.T, address string) func() {
		s := rtsptest.New(address)
		if err := s.Add("gate", rtsptest.Options{Loop: true}, clips...); err != nil {
			t.Fatal(err)
		}
		if err := addrtest.Again(t, s.Start); err != nil {
			t.Fatal(err)
		}
		return func() { s.Close() }
	}
}

// noisy is a clip whose pictures were replaced with noise of the same length: their
// headers are as they were.
func noisy(c *rtsptest.Clip) *rtsptest.Clip {
	const header = 12 // bytes of a slice that say where it belongs
	n := *c
	n.Units = nil
	for _, unit := range c.Units {
		var noisy [][]byte
		for _, nal := range unit {
			if len(nal) > 100 { // not a parameter set
				nal = bytes.Clone(nal)
				fillWithNoise(nal[header:])
			}
			noisy = append(noisy, nal)
		}
		n.Units = append(n.Units, noisy)
	}
	return &n
}

var encodings atomic.Int32

// encodedClip is FFmpeg's test picture as H.264.
func encodedClip(t *testing.T, width, height, frames int) *rtsptest.Clip {
	t.Helper()
	out := filepath.Join(t.TempDir(), fmt.Sprint(encodings.Add(1)))
	cmd := exec.Command("ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=%dx%d:rate=25", width, height),
		"-frames:v", fmt.Sprint(frames), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-f", "h264", out)
	if complaint, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, complaint)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	c, err := rtsptest.ParseAnnexB(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
