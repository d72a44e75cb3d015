package outbox

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"platewatch/uplink/failure"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/outbox/internal/journal"
)

// TestNewerIsRefused: an outbox of a later version is refused with advice, and
// neither of its files is changed: not the database, the number, the installation.
func TestNewerIsRefused(t *testing.T) {
	for name, raise := range map[string]func(t *testing.T, path string){
		"database": func(t *testing.T, path string) {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			name := []byte("format")
			err = db.Update(func(tx *bolt.Tx) error { return tx.Bucket(name).Put(name, []byte("2")) })
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		},
		"number":       func(t *testing.T, path string) { replaceIn(t, path+".number", `"format":1`, `"format":2`) },
		"installation": func(t *testing.T, path string) { replaceIn(t, path+".installation", `"format":1`, `"format":2`) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outbox.db")
			opts := Default()
			opts.Machine = []string{"here"}
			o, err := Open(path, "u1", opts, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.Accept(uplinktest.Hit("AB12CDE")); err != nil {
				t.Fatal(err)
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			raise(t, path)
			before := contents(t, filepath.Dir(path))
			_, err = Open(path, "u1", opts, slog.New(slog.DiscardHandler))
			var e *failure.Error
			if !errors.Is(err, ErrNewer) || errors.Is(err, journal.ErrDamaged) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "install that version again") {
				t.Errorf("the error is %v", err)
			}
			if name == "database" {
				if _, err := Inspect(path); !errors.Is(err, ErrNewer) {
					t.Errorf("inspecting gives %v", err)
				}
			}
			for file, content := range contents(t, filepath.Dir(path)) {
				if !bytes.Equal(content, before[file]) && !(name != "database" && strings.HasSuffix(file, ".db")) { // opened to be read
					t.Errorf("%s was changed", file)
				}
			}
		})
	}
}

func replaceIn(t *testing.T, path, old, other string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s does not hold %s: %s, %v", path, old, b, err)
	}
	if err := os.WriteFile(path, bytes.Replace(b, []byte(old), []byte(other), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		if all[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
