package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/capture/source"
)

func show(t *testing.T, c *Config) string {
	t.Helper()
	var b strings.Builder
	if err := c.Show(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestShow(t *testing.T) {
	c := mustParse(t, small+`
format = "MJPG"
[unit.position]
latitude = 52.1
longitude = 4.5
[[camera]]
name = "ip"
source = "rtsp://192.0.2.7/user=a&password=hunter2"
[uplink]
brokers = ["mqtts://a:8883"]
`)
	got := show(t, c)
	golden(t, "testdata/show.golden", got)

	// What was shown is the same configuration again.
	again, err := Parse("shown.toml", []byte(got))
	if err != nil {
		t.Fatal(err)
	}
	c.Cameras[1].Source = source.Redact(c.Cameras[1].Source)
	if diff := cmp.Diff(c, again, ignoreOrigin); diff != "" {
		t.Errorf("(-shown +read again):\n%s", diff)
	}
}

func TestSummary(t *testing.T) {
	c := mustParse(t, small+`
[[camera]]
name = "clip"
source = "none.mp4"
[uplink]
brokers = ["mqtts://a:8883"]
ca = "ca.crt"
ack = "server"
bandwidth = "16KiB"
[uplink.onvif]
enabled = true
[uplink.home_assistant]
enabled = true
`)
	c.Resolve("/nowhere", noEnv)
	c.Cameras = c.Cameras[1:] // the machine may have a /dev/video0
	var b strings.Builder
	if err := c.Summary(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/summary.golden", b.String())
}

const exampleFile = "../../../../deploy/platewatch.toml"

// TestExample keeps the example file honest: it is accepted as it stands, every
// default that it shows is the default, and no key is missing from it.
func TestExample(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Parse("platewatch.toml", text)
	if err != nil {
		t.Fatal(err)
	}

	// "#key = value" shows a default.
	commented := regexp.MustCompile(`(?m)^#([a-z_]+ = .*)$`)
	full := commented.ReplaceAllString(strings.Replace(string(text), "\n#key = value\n", "\n", 1), "$1")
	all, err := Parse("platewatch.toml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain, all, ignoreOrigin); diff != "" {
		t.Errorf("a default shown in the example is another one in the program (-program +example):\n%s", diff)
	}

	for _, key := range keysOf(reflect.TypeFor[Config](), "") {
		name := key[strings.LastIndexByte(key, '.')+1:]
		if !regexp.MustCompile(`(?m)^(# ?)?` + name + ` = `).Match(text) {
			t.Errorf("the example does not mention %s", key)
		}
	}
}

// TestExampleCamera tries the example's second camera, which stands in comments.
func TestExampleCamera(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n# [[camera]]\n")
	if !ok {
		t.Fatal("the example has no second camera")
	}
	section, _, _ := strings.Cut(rest, "\n#\n# And these")
	section = regexp.MustCompile(`(?m)^# ?`).ReplaceAllString(section, "")
	var lines []string
	for line := range strings.Lines(section) {
		if strings.Contains(line, " = ") {
			lines = append(lines, line)
		}
	}
	c := mustParse(t, small+"[[camera]]\n"+strings.Join(lines, ""))
	if len(c.Cameras) != 2 || c.Cameras[1].CredentialsFile == "" || !c.origin.set("camera[1].transport") {
		t.Errorf("got %+v", c.Cameras)
	}
}

// keysOf lists every key of the struct tree.
func keysOf(t reflect.Type, path string) []string {
	var keys []string
	for _, f := range fieldsOf(t) {
		at, ft := joinPath(path, f.key), f.typ
		if ft.Kind() == reflect.Slice || ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if f.isSection() {
			keys = append(keys, keysOf(ft, at)...)
		} else {
			keys = append(keys, at)
		}
	}
	return keys
}

// TestDefaultsAreValid: a unit that has a name and a camera needs nothing else.
func TestDefaultsAreValid(t *testing.T) {
	c := Default()
	c.Unit.Name = "gate-7"
	camera := DefaultCamera()
	camera.Name, camera.Source = "front", "pictures/"
	c.Cameras = []Camera{camera}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	c.Resolve(t.TempDir(), noEnv)
	if !filepath.IsAbs(c.Uplink.OutboxFile) {
		t.Errorf("outbox = %q", c.Uplink.OutboxFile)
	}
}
