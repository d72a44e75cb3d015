package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/capture/internal/videoio"
)

func TestValidate(t *testing.T) {
	rtsp := func(u string) Config { return Config{Kind: KindRTSP, URL: u} }
	for _, tt := range []struct {
		name string
		c    Config
		says string // empty: valid
	}{
		{"V4L2", Config{Kind: KindV4L2, Device: "/dev/video0", Width: 1280, Height: 720, FPS: 25, Format: "MJPG"}, ""},
		{"RTSP", Config{Kind: KindRTSP, URL: "rtsp://10.0.0.9/stream", Transport: TransportUDP, CredentialsFile: "/run/c"}, ""},
		{"RTSPS", rtsp("rtsps://user:pw@cam:322/"), ""},
		{"file", Config{Kind: KindFile, Path: "a.mp4", Pace: PaceFast, Loop: true}, ""},
		{"folder", Config{Kind: KindFolder, Path: "a", FPS: 2}, ""},
		{"no kind", Config{Path: "a"}, `no camera kind ""`},
		{"unknown kind", Config{Kind: "usb"}, `"usb"`},
		{"no device", Config{Kind: KindV4L2}, "needs device"},
		{"no URL", Config{Kind: KindRTSP}, "needs url"},
		{"no path", Config{Kind: KindFolder}, "needs path"},
		{"a field of another kind", Config{Kind: KindFile, Path: "a", Transport: TransportTCP}, "transport means nothing"},
		{"half a size", Config{Kind: KindV4L2, Device: "x", Width: 640}, "belong together"},
		{"a negative size", Config{Kind: KindV4L2, Device: "x", Width: -1, Height: 5}, "width is -1"},
		{"an absurd size", Config{Kind: KindV4L2, Device: "x", Width: 100000, Height: 5}, "width is 100000"},
		{"a negative rate", Config{Kind: KindFolder, Path: "x", FPS: -1}, "fps is -1"},
		{"a short format", Config{Kind: KindV4L2, Device: "x", Format: "MJP"}, "four letters"},
		{"a binary format", Config{Kind: KindV4L2, Device: "x", Format: "MJP\x00"}, "four letters"},
		{"a short timeout", Config{Kind: KindFile, Path: "x", ReadTimeout: time.Microsecond}, "read timeout"},
		{"a long timeout", Config{Kind: KindFile, Path: "x", OpenTimeout: time.Hour}, "open timeout"},
		{"another scheme", rtsp("http://cam/"), `"http"`},
		{"no host", rtsp("rtsp:///stream"), "no host"},
		{"no URL at all", rtsp("rtsp://u:p%zz@cam/"), "cannot be parsed"},
		{"another transport", Config{Kind: KindRTSP, URL: "rtsp://cam/", Transport: "quic"}, `"quic"`},
		{"two passwords", Config{Kind: KindRTSP, URL: "rtsp://u:secret@cam/", CredentialsFile: "f"}, "credentials file"},
		{"another pace", Config{Kind: KindFile, Path: "x", Pace: "slow"}, `"slow"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.c.Validate()
			if tt.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v does not say %q", err, tt.says)
			}
			if _, openErr := Open(t.Context(), tt.c); !errors.Is(openErr, ErrConfig) {
				t.Errorf("Open says %v", openErr)
			}
			if _, newErr := New(tt.c, testLog(t)); !errors.Is(newErr, ErrConfig) {
				t.Errorf("New says %v", newErr)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%q holds the password", err)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://u:p@host/x":             "rtsp://u:xxxxx@host/x",
		"rtsp://host/x":                 "rtsp://host/x",
		"rtsp://u@host/x":               "rtsp://u@host/x",
		"rtsp://u:p%zz@host/x":          "rtsp://xxxxx@host/x",
		"rtsp://u:a/b@c@host:554/x%zz":  "rtsp://xxxxx@host:554/x%zz",
		"rtsp://u:p%40q%2Fr@host:554/x": "rtsp://u:xxxxx@host:554/x",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
	s := secret{"rtsp://u:p%40q@host/x"}
	got := s.scrub("cannot open rtsp://u:p%40q@host/x with p@q or p%40q (rtsp://u:p@q@host)")
	if strings.Contains(got, "p@q") || strings.Contains(got, "p%40q") || !strings.Contains(got, "host") {
		t.Errorf("scrubbed to %q", got)
	}
}

func TestVideoDevice(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "video9")
	_, err := Open(t.Context(), Config{Kind: KindV4L2, Device: missing})
	var e *Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "no camera is connected") {
		t.Errorf("missing, alone: %v", err)
	}
	for _, name := range []string{"video0", "video2", "null"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Open(t.Context(), Config{Kind: KindV4L2, Device: missing})
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) ||
		!strings.HasSuffix(e.Hint(), "connected are "+filepath.Join(dir, "video0")+", "+filepath.Join(dir, "video2")) {
		t.Errorf("missing among others: %v, %q", err, e.Hint())
	}
	_, err = Open(t.Context(), Config{Kind: KindV4L2, Device: filepath.Join(dir, "video0")})
	if !errors.Is(err, ErrConfig) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "kind file") {
		t.Errorf("a file as a camera: %v", err)
	}
	// A device that is no camera gets as far as the library, and back.
	_, err = Open(t.Context(), Config{Kind: KindV4L2, Device: "/dev/null"})
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "no video") || e.Hint() == "" {
		t.Errorf("/dev/null as a camera: %v", err)
	}
}

// recorded notes in which order a device is set up.
type recorded struct {
	device
	sets []int
	last map[int]float64
}

func (r *recorded) Set(property int, value float64) bool {
	r.sets = append(r.sets, property)
	r.last[property] = value
	return true
}

func TestPrepareV4L2(t *testing.T) {
	r := &recorded{last: map[int]float64{}}
	prepareV4L2(r, Config{Format: "MJPG", Width: 1280, Height: 720, FPS: 25})
	want := []int{videoio.FourCC, videoio.FrameWidth, videoio.FrameHeight, videoio.FPS, videoio.BufferSize}
	if diff := cmp.Diff(want, r.sets); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if got := r.last[videoio.FourCC]; got != 0x47504a4d {
		t.Errorf("MJPG is %x", int(got))
	}
}

func TestWrongFiles(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.mp4")
	playlist := filepath.Join(dir, "list.mp4")
	picture := filepath.Join(dir, "picture.jpg")
	for path, content := range map[string]string{
		text:     strings.Repeat("not a video\n", 100),
		playlist: "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/x.ts\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeJPEG(t, picture, corners(64, 48))
	for _, tt := range []struct {
		name string
		c    Config
		want error
	}{
		{"a folder as a file", Config{Kind: KindFile, Path: dir}, ErrConfig},
		{"a file as a folder", Config{Kind: KindFolder, Path: text}, ErrConfig},
		{"a folder that is not there", Config{Kind: KindFolder, Path: dir + "/none"}, fs.ErrNotExist},
		{"a text file", Config{Kind: KindFile, Path: text}, nil},
		{"a playlist", Config{Kind: KindFile, Path: playlist}, nil},
		{"a device", Config{Kind: KindFile, Path: "/dev/null"}, ErrConfig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), tt.c)
			var e *Error
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Hint() == "" {
				t.Errorf("error is %v, want %v with a hint", err, tt.want)
			}
			if e != nil && e.Path != tt.c.Path {
				t.Errorf("the error is about %q", e.Path)
			}
		})
	}
}

// Pictures that cannot be used are left out and counted; all of them unusable
// is an error and not a spin.
func TestFolderWithRubbish(t *testing.T) {
	dir := pictureFolder(t, 64, 48, 2)
	for name, content := range map[string]string{"000a.jpg": "text", "notes.txt": "text", ".hidden.jpg": "text"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names, err := PictureNames(dir)
	if diff := cmp.Diff([]string{"000.jpg", "000a.jpg", "001.jpg"}, names); err != nil || diff != "" {
		t.Errorf("%v, names (-want +got):\n%s", err, diff)
	}
	r := start(t, Config{Name: "x", Kind: KindFolder, Path: dir, Pace: PaceFast})
	r.frames(t, 2)
	r.stop()
	if n := r.Stats().DropsByReason[DropUnreadable]; n != 1 {
		t.Errorf("%d unreadable pictures counted, want 1", n)
	}

	all := t.TempDir()
	if err := os.WriteFile(filepath.Join(all, "a.jpg"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := opened(t, t.Context(), Config{Kind: KindFolder, Path: all, Pace: PaceFast, Loop: true})
	m := gocv.NewMat()
	defer m.Close()
	if _, err := src.Read(&m); !errors.Is(err, ErrPicture) {
		t.Errorf("the first: %v", err)
	}
	if _, err := src.Read(&m); err == nil || errors.Is(err, ErrPicture) {
		t.Errorf("the second round: %v", err)
	}
}

// A file in a loop goes on, and its time with it.
func TestFileLoops(t *testing.T) {
	src := opened(t, t.Context(), Config{Kind: KindFile, Path: videoFile(t, 160, 120, 25, 5), Pace: PaceFast, Loop: true})
	m := gocv.NewMat()
	defer m.Close()
	for i := range 12 {
		position, err := src.Read(&m)
		if err != nil {
			t.Fatal(err)
		}
		if want := time.Duration(i) * 40 * time.Millisecond; position < want-time.Millisecond || position > want+time.Millisecond {
			t.Errorf("frame %d is at %v, want %v", i, position, want)
		}
	}
}

// A file plays at its own pace, or without one.
func TestPace(t *testing.T) {
	path := videoFile(t, 160, 120, 25, 20)
	for pace, wanted := range map[Pace]bool{PaceReal: true, PaceFast: false} {
		src := opened(t, t.Context(), Config{Kind: KindFile, Path: path, Pace: pace})
		m := gocv.NewMat()
		defer m.Close()
		begin := time.Now()
		for range 20 {
			if _, err := src.Read(&m); err != nil {
				t.Fatal(err)
			}
		}
		if slow := time.Since(begin) >= 760*time.Millisecond; slow != wanted {
			t.Errorf("%s: 20 frames at 25 a second took %v", pace, time.Since(begin))
		}
	}
}

func TestRate(t *testing.T) {
	now := time.Now()
	r := newRecorder(Config{})
	r.now = func() time.Time { return now }
	if fps := r.snapshot().FPS; fps != 0 {
		t.Errorf("%g before the first frame", fps)
	}
	for range 300 {
		now = now.Add(40 * time.Millisecond)
		r.frame(now, 1, 1)
	}
	if fps := r.snapshot().FPS; fps < 24.9 || fps > 25.1 {
		t.Errorf("%g frames a second, want 25", fps)
	}
	now = now.Add(2 * time.Second)
	if fps := r.snapshot().FPS; fps < 10 || fps > 20 {
		t.Errorf("%g after two seconds without a frame", fps)
	}
	now = now.Add(time.Minute)
	if fps := r.snapshot().FPS; fps != 0 {
		t.Errorf("%g after a minute without a frame", fps)
	}
}
