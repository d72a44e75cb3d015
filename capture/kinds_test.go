package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/source"
)

func TestProblems(t *testing.T) {
	rtsp := func(u string) Config { return Config{Source: u} }
	for _, tt := range []struct {
		name string
		c    Config
		says string // empty: valid
	}{
		{"V4L2", Config{Source: "/dev/video0", Width: 1280, Height: 720, FPS: 25, Format: "MJPG"}, ""},
		{"RTSP", Config{Source: "rtsp://10.0.0.9/stream", Transport: "udp", CredentialsFile: "/run/c"}, ""},
		{"RTSPS", rtsp("rtsps://user:pw@cam:322/"), ""},
		{"file", Config{Source: "a.mp4", Pace: source.PaceFast, Loop: true}, ""},
		{"folder", Config{Source: "a/", FPS: 2}, ""},
		{"kind given", Config{Kind: "folder", Source: "a", FPS: 2}, ""},
		{"no kind", Config{Source: "a"}, `source = "a" does not show its kind`},
		{"unknown kind", Config{Kind: "usb", Source: "x"}, `kind = "usb" is not known`},
		{"nothing", Config{}, "source is missing"},
		{"no device", Config{Kind: "v4l2"}, "source is missing"},
		{"no address", Config{Kind: "rtsp"}, "source is missing"},
		{"no path", Config{Kind: "folder"}, "source is missing"},
		{"a setting of another kind", Config{Source: "a.mp4", Transport: "tcp"}, "transport does nothing for a camera of kind file"},
		{"a control of another kind", Config{Source: "a.mp4", Controls: source.Controls{Gain: new(int)}}, "gain does nothing for a camera of kind file"},
		{"half a size", Config{Source: "/dev/x", Width: 640}, "width: a size of 640 × 0"},
		{"a negative size", Config{Source: "/dev/x", Width: -1, Height: 5}, "width: a size of -1 × 5"},
		{"an absurd size", Config{Source: "/dev/x", Width: 100000, Height: 5}, "width: a size of 100000 × 5"},
		{"a negative rate", Config{Source: "x/", FPS: -1}, "fps = -1 is out of range"},
		{"a short format", Config{Source: "/dev/x", Format: "MJP"}, "four letters"},
		{"a binary format", Config{Source: "/dev/x", Format: "MJP\x00"}, "four letters"},
		{"a short exposure", Config{Source: "/dev/x", Controls: source.Controls{Exposure: time.Microsecond}}, `exposure = "1µs" is out of range`},
		{"another exposure", Config{Source: "/dev/x", AutoExposure: "sun"}, `auto_exposure = "sun" is not known`},
		{"a short timeout", Config{Source: "x.mp4", ReadTimeout: time.Microsecond}, `read_timeout = "1µs" is out of range`},
		{"a long timeout", Config{Source: "x.mp4", OpenTimeout: time.Hour}, `open_timeout = "1h" is out of range`},
		{"another scheme", Config{Kind: "rtsp", Source: "http://cam/"}, "does not begin with rtsp:// or rtsps://"},
		{"a scheme of no kind", rtsp("ftp://cam/"), "has a scheme that is not supported"},
		{"no host", rtsp("rtsp:///stream"), "names no host"},
		{"no address at all", rtsp("rtsp://u:p%zz@cam/"), "is not a well-formed address"},
		{"another transport", Config{Source: "rtsp://cam/", Transport: "quic"}, `transport = "quic" is not known`},
		{"two passwords", Config{Source: "rtsp://u:secret@cam/", CredentialsFile: "f"}, "beside credentials_file"},
		{"a single picture", Config{Source: "x.jpg"}, "is a single picture"},
		{"another pace", Config{Source: "x.mp4", Pace: "slow"}, `pace = "slow" is not known`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.c, capturetest.Log(t))
			if tt.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *fault.Error
			if !errors.Is(err, fault.ErrConfig) || !errors.As(err, &e) || e.Hint() == "" || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v does not say %q, with a hint", err, tt.says)
			}
			if _, openErr := Open(t.Context(), tt.c); !errors.Is(openErr, fault.ErrConfig) {
				t.Errorf("Open says %v", openErr)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%q holds the password", err)
			}
		})
	}
}

func TestKindOf(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{Kind: "file", Source: "clip"}, "file"}, {Config{Kind: "folder", Source: "clip.mp4"}, "folder"},
		{Config{Kind: "webcam", Source: "clip.mp4"}, ""},
	} {
		k, key, err := KindOf(tt.c)
		if k.Name != tt.want || (err == nil) != (tt.want != "") || err != nil && key != "kind" {
			t.Errorf("%+v is of kind %q, want %q (%s, %v)", tt.c, k.Name, tt.want, key, err)
		}
	}
	for source, want := range map[string]string{
		"/srv/a.mp4/": "folder", "rtsp://h/x": "rtsp", "rtsps://h": "rtsp", "http://h/x.mp4": "http", "https://h/": "http", "/dev/video0": "v4l2",
		"/dev/v4l/by-id/usb-cam": "v4l2", "clip.mp4": "file", "CLIP.MP4": "file", "a.hevc": "file", "pictures/": "folder",
		"": "", "clip": "", "a.jpg": "", "ftp://h/x.mp4": "", "file:///a.mp4": "",
	} {
		k, key, err := KindOf(Config{Source: source})
		if k.Name != want || (err == nil) != (want != "") || err != nil && key != "source" {
			t.Errorf("%s is of kind %q, want %q (%s, %v)", source, k.Name, want, key, err)
		}
	}
}

// Every key that a kind lists is a setting, so that a misspelt one does not let
// the setting pass everywhere.
func TestKeysOfKindsAreSettings(t *testing.T) {
	known := map[string]bool{}
	for _, t := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[source.Controls]()} {
		for i := range t.NumField() {
			known[t.Field(i).Tag.Get("toml")] = true
		}
	}
	for _, k := range kinds {
		for _, key := range k.Keys {
			if !known[key] {
				t.Errorf("kind %s lists %q, which is not a setting", k.Name, key)
			}
		}
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
	capturetest.WriteJPEG(t, picture, capturetest.Corners(64, 48))
	for _, tt := range []struct {
		name string
		c    Config
		want error
	}{
		{"a folder as a file", Config{Kind: "file", Source: dir}, fault.ErrConfig},
		{"a file as a folder", Config{Kind: "folder", Source: text}, fault.ErrConfig},
		{"a folder that is not there", Config{Source: dir + "/none/"}, fs.ErrNotExist},
		{"a text file", Config{Source: text}, nil},
		{"a playlist", Config{Source: playlist}, nil},
		{"a device", Config{Kind: "file", Source: "/dev/null"}, fault.ErrConfig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), patient(tt.c))
			var e *fault.Error
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Hint() == "" {
				t.Errorf("error is %v, want %v with a hint", err, tt.want)
			}
			if e != nil && e.Path != tt.c.Source {
				t.Errorf("the error is about %q", e.Path)
			}
		})
	}
}

// Pictures that cannot be used are skipped and counted.
func TestUnusablePictures(t *testing.T) {
	dir := capturetest.PictureFolder(t, 64, 48, 2)
	for name, content := range map[string]string{"000a.jpg": "text", "notes.txt": "text", ".hidden.jpg": "text"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, Config{Name: "x", Kind: "folder", Source: dir, Pace: source.PaceFast})
	r.frames(t, 2)
	r.stop()
	if n := r.Stats().DropsByReason[dropUnreadable]; n != 1 {
		t.Errorf("%d unreadable pictures counted, want 1", n)
	}
}
