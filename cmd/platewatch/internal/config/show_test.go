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
	"platewatch/deploy/tools/goldentest"
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
source = "rtsp://192.0.2.7/user=a&session=hunter2"
[uplink]
brokers = ["mqtts://a:8883"]
`)
	got := show(t, c)
	goldentest.Compare(t, "testdata/show.golden", got)

	// What was shown is the same configuration again.
	again, err := parse("shown.toml", []byte(got))
	if err != nil {
		t.Fatal(err)
	}
	c.Cameras[1].Source = source.Redact(c.Cameras[1].Source)
	if diff := cmp.Diff(c, again, ignoreOrigin); diff != "" {
		t.Errorf("(-shown +read again):\n%s", diff)
	}
}

// TestShowIsReadBack: every setting is shown in a form that can be read back.
func TestShowIsReadBack(t *testing.T) {
	c := fullConfig(t)
	again, err := parse("shown.toml", []byte(show(t, c)))
	if err != nil {
		t.Fatal(err)
	}
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
	c.resolve("/nowhere", noEnv)
	c.Cameras = c.Cameras[1:] // the machine may have a /dev/video0
	var b strings.Builder
	if err := c.Summary(&b); err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "testdata/summary.golden", b.String())
}

const exampleFile = "../../../../deploy/platewatch.toml"

// TestExample keeps the example file honest: it is accepted as it stands, every
// default that it shows is the default, and no key is missing from it.
func TestExample(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := parse("platewatch.toml", text)
	if err != nil {
		t.Fatal(err)
	}

	// "#key = value" shows a default.
	commented := regexp.MustCompile(`(?m)^#([a-z_]+ = .*)$`)
	full := commented.ReplaceAllString(strings.Replace(string(text), "\n#key = value\n", "\n", 1), "$1")
	all, err := parse("platewatch.toml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain, all, ignoreOrigin); diff != "" {
		t.Errorf("a default shown in the example is another one in the program (-program +example):\n%s", diff)
	}

	// Each key of the structs is in the example and in what show prints, in its
	// own section, and each key of those two exists.
	keys := map[string]bool{}
	for _, key := range keysOf(reflect.TypeFor[Config](), "") {
		keys[key] = true
	}
	for from, text := range map[string]string{"the example": strings.Replace(string(text), "\n#key = value\n", "\n", 1), "show": show(t, fullConfig(t))} {
		documented := documentedKeys(text)
		for key := range keys {
			if !documented[key] {
				t.Errorf("%s does not mention %s", from, key)
			}
		}
		for key := range documented {
			if !keys[key] {
				t.Errorf("%s mentions %s, which does not exist", from, key)
			}
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

// documentedKeys lists the keys of a text with their sections, those in comments too.
func documentedKeys(text string) map[string]bool {
	keys, section := map[string]bool{}, ""
	header := regexp.MustCompile(`^(?:# ?)?\[\[?([a-z_.]+)\]\]?\s*$`)
	pair := regexp.MustCompile(`^(?:# ?)?([a-z_]+) = `)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := header.FindStringSubmatch(line); m != nil {
			section = m[1]
		} else if m := pair.FindStringSubmatch(line); m != nil {
			keys[joinKeys(section, m[1])] = true
		}
	}
	return keys
}

// fullConfig has a value wherever the defaults have none to show.
func fullConfig(t *testing.T) *Config {
	t.Helper()
	return mustParse(t, small+`
gain = 1
focus = 1
white_balance = 4500
[unit.position]
latitude = 1
longitude = 1
bearing = 1
[[hotlist.list]]
name = "amber"
wildcards = true
min_probability = 0.1
min_lookalike = 0.1
min_exact = 0.1
[[uplink.limit]]
priority = 5
max_bytes = "1MiB"
`)
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
	c.resolve(t.TempDir(), noEnv)
	if !filepath.IsAbs(c.Uplink.OutboxFile) {
		t.Errorf("outbox = %q", c.Uplink.OutboxFile)
	}
}
