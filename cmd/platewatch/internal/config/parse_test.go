package config

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"
)

func TestKeyLines(t *testing.T) {
	got := keyLines([]byte(`# a = 1
top = "x # y" # [z]
[[camera]]
name = "a"
  [camera.roi]
  points = [[1, 2], [3, 4]] # [[camera]]
  [[camera.zone]]
  n = 1
  [[camera.zone]]
  n = 2
[[camera]]
name = '''
no = "key"
[none]
'''
"a.b" . 'c d' = { x = 1, y = [ { z = "}" }, {z = 2 } ] }
"quo\"te" = """
\""" name = 1
""""
[ "un\u00edt" . x ]
v = 1979-05-27 07:32:00
w = [
  "a", # ]
  'b\',
  { in = true },
]
last = 1`))
	want := map[string]int{
		"top": 2, "camera": 3, "camera[0]": 3, "camera[0].name": 4,
		"camera[0].roi": 5, "camera[0].roi.points": 6, "camera[0].roi.points[0]": 6, "camera[0].roi.points[1]": 6,
		"camera[0].roi.points[0][0]": 6, "camera[0].roi.points[0][1]": 6,
		"camera[0].roi.points[1][0]": 6, "camera[0].roi.points[1][1]": 6,
		"camera[0].zone": 7, "camera[0].zone[0]": 7, "camera[0].zone[0].n": 8,
		"camera[0].zone[1]": 9, "camera[0].zone[1].n": 10,
		"camera[1]": 11, "camera[1].name": 12,
		`camera[1]."a.b"`: 16, `camera[1]."a.b"."c d"`: 16, `camera[1]."a.b"."c d".x`: 16, `camera[1]."a.b"."c d".y`: 16,
		`camera[1]."a.b"."c d".y[0]`: 16, `camera[1]."a.b"."c d".y[0].z`: 16,
		`camera[1]."a.b"."c d".y[1]`: 16, `camera[1]."a.b"."c d".y[1].z`: 16,
		`camera[1]."quo\"te"`: 17,
		`"unít"`:              20, `"unít".x`: 20, `"unít".x.v`: 21, `"unít".x.w`: 22,
		`"unít".x.w[0]`: 23, `"unít".x.w[1]`: 24, `"unít".x.w[2]`: 25, `"unít".x.w[2].in`: 25, `"unít".x.last`: 27,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// keysIn lists the paths of all keys and elements of what the library parsed.
func keysIn(path string, value any, keys []string) []string {
	switch x := value.(type) {
	case map[string]any:
		for key, inner := range x {
			at := joinPath(path, key)
			keys = keysIn(at, inner, append(keys, at))
		}
	case []any:
		for i, inner := range x {
			at := indexPath(path, i)
			keys = keysIn(at, inner, append(keys, at))
		}
	}
	return keys
}

// FuzzKeyLines: every key that the library decodes has a line, and no other.
func FuzzKeyLines(f *testing.F) {
	seed(f)
	f.Add("a.\"b\\u0041\".'c' = [[{d=1}],[]]\n[[x]]\n[x.y]\n[[x]]\nz='''''x'''''\n")
	f.Fuzz(func(t *testing.T, text string) {
		var tree map[string]any
		if toml.Unmarshal([]byte(text), &tree) != nil || strings.Count(text, ".")+strings.Count(text, "[")+strings.Count(text, "{") >= maxDepth {
			return
		}
		want := keysIn("", tree, nil)
		slices.Sort(want)
		got := keyLines([]byte(text))
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got)), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-library +lines):\n%s", text, diff)
		}
		lines := strings.Count(text, "\n") + 1
		for path, n := range got {
			if n < 1 || n > lines || n < got[parentPath(path)] {
				t.Errorf("%q: %s is on line %d", text, path, n)
			}
		}
	})
}

// FuzzParse: no text makes Parse panic; what it refuses names a line of the
// text; what it accepts is shown as the same configuration.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse("fuzz.toml", []byte(text))
		if err != nil {
			var refused *Error
			if !errors.As(err, &refused) {
				t.Fatalf("%q: an error without a place: %v", text, err)
			}
			lines := strings.Count(text, "\n") + 1
			for _, p := range refused.Problems {
				if p.Line < 0 || p.Line > lines || p.Text == "" {
					t.Errorf("%q: a problem without a place: %+v", text, p)
				}
			}
			return
		}
		shown := show(t, c)
		again, err := parse("shown.toml", []byte(shown))
		if err != nil {
			t.Fatalf("%q is shown as\n%s\nwhich is refused: %v", text, shown, err)
		}
		// Only the marks of the defaults may differ.
		if diff := cmp.Diff(uncomment(shown), uncomment(show(t, again))); diff != "" {
			t.Errorf("shown again (-first +second):\n%s", diff)
		}
	})
}

var defaultMark = regexp.MustCompile(`(?m) +# default$`)

func uncomment(shown string) string { return defaultMark.ReplaceAllString(shown, "") }

func seed(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/refused/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, exampleFile) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(small)
}
