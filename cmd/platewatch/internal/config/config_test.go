package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"platewatch/capture"
	"platewatch/capture/motion"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/cmd/platewatch/internal/testdrive"
	"platewatch/cmd/platewatch/internal/verdict"
	"platewatch/deploy/tools/goldentest"
	"platewatch/hotlist"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

var ignoreOrigin = cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()}

func noEnv(string) string { return "" }

func env(pairs ...string) func(string) string {
	return func(key string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == key {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// withoutKinds replaces what capture lists of its kinds of camera, so that a new
// kind changes no message here.
func withoutKinds(t *testing.T, text string) string {
	t.Helper()
	for name, c := range map[string]capture.Config{"KINDS": {Kind: "?"}, "EXAMPLES": {Source: "?://"}} {
		_, _, err := capture.KindOf(c)
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) {
			t.Fatalf("%+v: %v", c, err)
		}
		text = strings.ReplaceAll(text, strings.TrimPrefix(hint.Hint(), "write "), name)
	}
	return text
}

// TestRefused compares every message of a refused file, word by word.
func TestRefused(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files in testdata/refused", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parse(name+".toml", text)
			var refused *Error
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the message holds a password")
			}
			goldentest.Compare(t, strings.TrimSuffix(file, ".toml")+".golden", withoutKinds(t, err.Error())+"\n")
		})
	}
}

const small = `
[unit]
name = "gate-7"
[[camera]]
name = "front"
source = "/dev/video0"
`

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseKeepsDefaults(t *testing.T) {
	want := Default()
	want.Unit.Name = "gate-7"
	camera := DefaultCamera()
	camera.Name, camera.Source = "front", "/dev/video0"
	want.Cameras = []Camera{camera}
	if diff := cmp.Diff(want, mustParse(t, small), ignoreOrigin); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// observed are the defaults, changed.
func observed(change func(*observe.Params)) observe.Params {
	p := observe.DefaultParams()
	change(&p)
	return p
}

func TestParseEverything(t *testing.T) {
	got := mustParse(t, `
state_dir = "/srv/platewatch"
camera = [ # as inline tables, which TOML allows as well
	{ name = "front", source = "rtsp://192.0.2.7/a", transport = "udp", credentials_file = "front", open_timeout = "1m",
	  include = [[0, 0.3], [1, 0.3], [0.5, 1.0]], exclude = [[[0, 0], [0.1, 0], [0.1, 0.05]]], min_character_height = 12, max_character_height = 90.5 },
	{ name = "clip", source = "night.MKV", loop = true, pace = "fast", motion = false, full_look = "1m" },
	{ name = "board", source = "/dev/video0", exposure = "1ms", gain = 0, focus = 30, white_balance = 4500, auto_exposure = "plate" },
]
[unit]
name = "gate-7"
position = { latitude = 52, longitude = -4.5, bearing = 0, description = "A44" }
[ocr]
model = "plate.traineddata"
workers = 3
min_plate_width = 64
region = "nl,uk"
[passage]
agree = 1
gap = "5s30ms"
[hotlist]
path = "/srv/lists"
trust = ["hq.pub"]
[uplink]
brokers = ["tls://b"]
ca = "ca.crt"
cert = "unit.crt"
key = "unit.key"
user_file = "user"
password_file = "password"
insecure = true
ack = "server"
bandwidth = "32KiB"
hotlists = ["stolen"]
outbox = "hits.db"
max_bytes = "1.5 GiB"
max_age = "48h"
retention = "36h"
settle = "500ms"
max_memory = "1MiB"
[[uplink.limit]]
priority = 5
max_bytes = "16MiB"
[[uplink.limit]]
priority = 7
max_age = "1h"
[uplink.onvif]
enabled = true
topic_prefix = "site/a"
[uplink.home_assistant]
enabled = true
prefix = "ha"
[status]
listen = "0.0.0.0:8443"
token_file = "token"
cert = "page.crt"
key = "page.key"
tokens = ["view+aim anna sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
test_drive = "2m"
base_path = "/units/a/"
hosts = ["units.example"]
viewers = 2
[pictures]
plate_bytes = "8kb"
context_bytes = "0B"
context_sides = 0
context_above = 0.1
context_below = 1
[verdicts]
most_wrong = 0.5
least = 7
[log]
level = "debug"
format = "json"
`[1:])
	bearing := 0.0
	number := func(n int) *int { return &n }
	reading := ocr.DefaultParams()
	reading.Model, reading.Workers, reading.MinPlateWidth, reading.Region = "plate.traineddata", 3, 64, "nl,uk"
	passages := passage.DefaultParams()
	passages.Agree, passages.Gap = 1, 5*time.Second+30*time.Millisecond
	want := &Config{
		StateDir: "/srv/platewatch",
		Unit:     Unit{Name: "gate-7", Position: &Position{52, -4.5, &bearing, "A44"}},
		Cameras: []Camera{
			{Config: capture.Config{Name: "front", Source: "rtsp://192.0.2.7/a", Transport: "udp", CredentialsFile: "front",
				OpenTimeout: time.Minute, ReadTimeout: 3 * time.Second},
				Observe: observed(func(p *observe.Params) {
					p.Area.Include = []motion.Corner{{X: 0, Y: 0.3}, {X: 1, Y: 0.3}, {X: 0.5, Y: 1}}
					p.Area.Exclude = [][]motion.Corner{{{X: 0, Y: 0}, {X: 0.1, Y: 0}, {X: 0.1, Y: 0.05}}}
					p.MinHeight, p.MaxHeight = 12, 90.5
				})},
			{Config: capture.Config{Name: "clip", Source: "night.MKV", Loop: true, Pace: source.PaceFast,
				OpenTimeout: 5 * time.Second, ReadTimeout: 3 * time.Second},
				Observe: observed(func(p *observe.Params) { p.Gate, p.FullLook = false, time.Minute })},
			{Config: capture.Config{Name: "board", Source: "/dev/video0", OpenTimeout: 5 * time.Second, ReadTimeout: 3 * time.Second,
				Controls:     source.Controls{Exposure: time.Millisecond, Gain: number(0), Focus: number(30), WhiteBalance: number(4500)},
				AutoExposure: "plate"},
				Observe: observe.DefaultParams()},
		},
		OCR:     reading,
		Passage: passages,
		Hotlist: hotlist.Settings{Path: "/srv/lists", Trust: []string{"hq.pub"}, StateShare: 0.8},
		Uplink: Uplink{
			Broker: broker.Settings{Brokers: []string{"tls://b"}, CA: "ca.crt", Cert: "unit.crt", Key: "unit.key",
				UserFile: "user", PasswordFile: "password", Insecure: true},
			Client: uplink.Settings{Ack: uplink.AckServer, Bandwidth: 32 * setting.KiB,
				ONVIF:         message.ONVIF{Enabled: true, TopicPrefix: "site/a"},
				HomeAssistant: message.HomeAssistant{Enabled: true, Prefix: "ha"}},
			Lists:      uplink.ListSettings{Lists: []string{"stolen"}},
			OutboxFile: "hits.db",
			Outbox: outbox.Settings{MaxBytes: 1536 * setting.MiB, MaxAge: 48 * time.Hour, Retention: 36 * time.Hour, Settle: 500 * time.Millisecond, MaxMemory: setting.MiB,
				Limits: []outbox.Limit{{Priority: 5, MaxBytes: 16 * setting.MiB}, {Priority: 7, MaxAge: time.Hour}}},
		},
		Status: status.Settings{Listen: "0.0.0.0:8443", TokenFile: "token", Cert: "page.crt", Key: "page.key",
			Tokens: []string{"view+aim anna sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}, Drive: testdrive.Settings{For: 2 * time.Minute}, BasePath: "/units/a/", Hosts: []string{"units.example"}, Viewers: 2},
		Pictures: picture.Settings{PlateBytes: 8000, ContextBytes: 0,
			ContextSides: 0, ContextAbove: 0.1, ContextBelow: 1},
		Verdicts: verdict.Settings{MostWrong: 0.5, Least: 7},
		Log:      Log{Level: "debug", Format: "json"},
	}
	if diff := cmp.Diff(want, got, ignoreOrigin); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadMissing(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.toml"), noEnv)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || hint.Hint() == "" {
		t.Errorf("%v has no hint", err)
	}
}

func TestLoadTooLarge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "large.toml")
	if err := os.WriteFile(file, []byte(small+strings.Repeat("# \n", maxFile/3)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(file, noEnv)
	if err == nil || !strings.Contains(err.Error(), "larger than 1MiB") {
		t.Errorf("got %v", err)
	}
}

func TestResolve(t *testing.T) {
	credentials := t.TempDir()
	if err := os.WriteFile(filepath.Join(credentials, "mqtt-password"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := mustParse(t, small+`
[[camera]]
name = "clip"
source = "clip.mp4"
[[camera]]
name = "folder"
source = "pictures/"
[[camera]]
name = "ip"
source = "rtsp://192.0.2.7/s"
credentials_file = "ip-camera"
[ocr]
model = "plate.traineddata"
[uplink]
user_file = "mqtt-user"
password_file = "mqtt-password"
ca = "ca.crt"
cert = "/srv/unit.crt"
key = "/srv/unit.key"
`)
	c.resolve("/etc/platewatch", env("STATE_DIRECTORY", "/var/lib/private/pw:/var/lib/other", "CREDENTIALS_DIRECTORY", credentials))
	got := []string{c.StateDir, c.Hotlist.Path, c.Uplink.OutboxFile, c.Uplink.Broker.PasswordFile, c.Uplink.Broker.CA, c.Uplink.Broker.Cert,
		c.Cameras[0].Source, c.Cameras[1].Source, c.Cameras[2].Source, c.Cameras[3].Source, c.Cameras[3].CredentialsFile, c.OCR.Model}
	want := []string{"/var/lib/private/pw", "/var/lib/private/pw/hotlist", "/var/lib/private/pw/outbox.db",
		filepath.Join(credentials, "mqtt-password"), "/etc/platewatch/ca.crt", "/srv/unit.crt",
		"/dev/video0", "/etc/platewatch/clip.mp4", "/etc/platewatch/pictures/", "rtsp://192.0.2.7/s",
		"/etc/platewatch/ip-camera", "/etc/platewatch/plate.traineddata"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Validate(); err != nil {
		t.Errorf("resolved, it is no longer valid: %v", err)
	}
}

func TestStateDirOfFileWins(t *testing.T) {
	c := mustParse(t, `state_dir = "/srv/pw"`+small)
	c.resolve("/etc", env("STATE_DIRECTORY", "/var/lib/private/pw"))
	if c.StateDir != "/srv/pw" {
		t.Errorf("got %q", c.StateDir)
	}
}

// TestReadableSecrets: a secret that every user may read is named, and a certificate
// is not.
func TestReadableSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"token": 0o644, "page.crt": 0o644, "page.key": 0o640, "front": 0o604} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	c := Default()
	camera := DefaultCamera()
	camera.CredentialsFile = "front"
	c.Cameras = []Camera{camera}
	c.Status.TokenFile, c.Status.Cert, c.Status.Key = "token", "page.crt", "page.key"
	c.resolve(dir, noEnv)
	want := []string{"status.token_file: " + filepath.Join(dir, "token"), "camera[0].credentials_file: " + filepath.Join(dir, "front")}
	if diff := cmp.Diff(want, c.ReadableSecrets()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var b strings.Builder
	if err := c.Summary(&b); err != nil || strings.Count(b.String(), "every user of this machine may read") != 2 {
		t.Errorf("%v\n%s", err, b.String())
	}
}
