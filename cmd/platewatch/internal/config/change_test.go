package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const changing = `
[unit]
name = "u1"
[[camera]]
name = "front"
source = "/dev/video0"
[[camera]]
name = "rear"
source = "/dev/video1"
exclude = [[[0.0, 0.0], [0.3, 0.0], [0.3, 0.1]]]
[hotlist]
trust = ["hq.pub"]
`

func TestChanged(t *testing.T) {
	before := mustParse(t, changing)
	for edit, want := range map[string][]string{
		"":                        nil,
		`"u1"→"u2"`:               {"unit.name"},
		"[0.3, 0.1]→[0.3, 0.2]":   {"camera.exclude"},
		`/dev/video1→/dev/video2`: {"camera.source"},
		`"rear"→"left"`:           {"camera"},
		"[hotlist]→[ocr]\nregion = \"nl\"\n[hotlist]":                                                               {"ocr.region"},
		"trust =→[[hotlist.list]]\nname = \"a\"\n#":                                                                 {"hotlist.trust", "hotlist.list"},
		"[[camera]]\nname = \"rear\"→[unit.position]\nlatitude = 1.0\nlongitude = 2.0\n[[camera]]\nname = \"rear\"": {"unit.position"},
	} {
		old, edited, _ := strings.Cut(edit, "→")
		after := mustParse(t, strings.Replace(changing, old, edited, 1))
		got := Changed(before, after)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", edit, diff)
		}
		if rest := Changed(before.With(after, func(key string) bool { return slices.Contains(want, key) }), after); rest != nil {
			t.Errorf("%s: with the change taken over, %v differ", edit, rest)
		}
		if rest := Changed(before.With(after, func(string) bool { return false }), before); rest != nil {
			t.Errorf("%s: with nothing taken over, %v differ", edit, rest)
		}
	}
	if Changed(before, mustParse(t, changing)) != nil {
		t.Error("the configuration itself was changed")
	}
}
