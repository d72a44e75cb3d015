package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFieldSecretFiles: keys to sign, to trust and to encrypt that an editor of Windows
// has saved, with a byte-order mark, blanks and line ends of its own, are the same as
// before. Passwords and tokens: TestSecretFilesAreReadAlike.
func TestFieldSecretFiles(t *testing.T) {
	s := newHotlistSession(t)
	edited := func(name string) {
		path := filepath.Join(s.dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s.file(name, "\ufeff"+string(b)+" \t\r\n\r\n")
	}
	s.want(0, "office.pub", "", "", "keygen", "$DIR/office")
	s.want(0, "encrypts", "", "", "keygen", "-storage", "$DIR/storage")
	s.want(0, "list l", "", "plate\nAB123\n", "import", "-db", "$DIR/db", "-storage-key", "$DIR/storage", "-list", "l", "-reason", "r", "-")
	for _, name := range []string{"office.key", "office.pub", "storage"} {
		edited(name)
	}
	s.want(0, "1 entries", "", "", "sign", "-db", "$DIR/db", "-storage-key", "$DIR/storage", "-list", "l", "-key", "$DIR/office.key", "$DIR/v1")
	s.want(0, "signed by office", "", "", "verify", "-trust", "$DIR/office.pub", "$DIR/v1")
	s.want(0, "1 added", "", "", "apply", "-db", "$DIR/unit", "-storage-key", "$DIR/storage", "-trust", "$DIR/office.pub", "$DIR/v1")
	s.want(0, "AB123", "", "", "list", "-db", "$DIR/unit", "-storage-key", "$DIR/storage", "-list", "l")
}
