package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/hotlist/entry"
)

func TestKeysDoNotPrint(t *testing.T) {
	k := NewKey()
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, k); !strings.Contains(s, "secret") || len(s) > 30 {
			t.Errorf("%s prints %s", format, s)
		}
	}
}

func FuzzLoadKey(f *testing.F) {
	f.Add([]byte(strings.Repeat("0f", 32) + "\n"))
	f.Add(make([]byte, 32))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if k, err := LoadKey(path); err == nil {
			k.Derive(nil, "test")
		} else if !errors.Is(err, entry.ErrKey) {
			t.Error(err)
		}
	})
}
