package match

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/hotlist/entry"
)

func TestConfusionsAreReadFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# read true weight\n9 3 2  9 8 1\nm n .5\n")
	c, err := LoadConfusions(path)
	if err != nil {
		t.Fatal(err)
	}
	for pair, want := range map[string]bool{"93": true, "98": true, "MN": true, "39": false, "NM": false, "0O": false} {
		if got := c.Confusable(pair[0], pair[1]); got != want {
			t.Errorf("%s: %v", pair, got)
		}
	}
	if s := c.sums[ordinal('9')]; s != 3 {
		t.Errorf("the weights of 9 add up to %v", s)
	}
	for text, want := range map[string]string{
		"9 3\n":          "line 1: expected triples",
		"\n9 3 x\n":      `line 2: "x" is not a weight`,
		"9 3 0\n":        `line 1: "0" is not a weight`,
		"9 3 NaN\n":      `line 1: "NaN" is not a weight`,
		"9 9 1\n":        "not two different characters",
		"AB C 1\n":       "not two different characters",
		"9 3 1\n9 # 3 1": "line 2: expected triples",
	} {
		write(text)
		_, err := LoadConfusions(path)
		var typed *entry.Error
		if !errors.As(err, &typed) || typed.Hint() == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := LoadConfusions(path + ".missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
