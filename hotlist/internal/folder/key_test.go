package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
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
		if k, err := loadKey(path); err == nil {
			k.Derive(nil, "test")
		} else if !errors.Is(err, entry.ErrKey) {
			t.Error(err)
		}
	})
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	k := NewKey()
	if err := k.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	if err := NewKey().WriteFile(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("replaced: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	loaded, err := loadKey(path)
	if err != nil || !bytes.Equal(loaded.secret, k.secret) {
		t.Errorf("%v", err)
	}
	raw := filepath.Join(dir, "raw")
	if err := os.WriteFile(raw, k.secret, 0o600); err != nil {
		t.Fatal(err)
	}
	if loaded, err := loadKey(raw); err != nil || !bytes.Equal(loaded.Derive(nil, "a"), k.Derive(nil, "a")) || bytes.Equal(k.Derive(nil, "a"), k.Derive(nil, "b")) {
		t.Errorf("raw: %v", err)
	}
}

// A key is made for a hotlist without lists only: a new one could not open what is there.
func TestKeyIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenKey(dir, "", false); !errors.Is(err, entry.ErrKey) {
		t.Errorf("not asked for: %v", err)
	}
	first, err := OpenKey(dir, "", true)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := OpenKey(dir, "", true); err != nil || !bytes.Equal(first.secret, again.secret) {
		t.Errorf("another key, %v", err)
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, KeyName)), os.WriteFile(ListPath(dir, "l"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKey(dir, "", true); !errors.Is(err, entry.ErrKey) {
		t.Errorf("made beside a list: %v", err)
	}
}
