package hotlist

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/match"
)

// What lies on the disk shows neither plates nor anything else of an entry, not
// even folded, and two imports of one list have nothing in common.
func TestNothingReadableLiesOnDisk(t *testing.T) {
	dir := t.TempDir()
	text := "plate,state,category,vehicle_make,record,agency,handling,note\n" +
		"XQZ7731,CALIFORNIA,amber alert,LAMBORGHINI,REC12345,AGENCY99,approach with care,found nowhere else\nYKW99*,NEVADA,wanted,,,,,\n"
	importList(t, dir, "l", text)
	one, err := os.ReadFile(folder.ListPath(dir, "l"))
	if err != nil {
		t.Fatal(err)
	}
	importList(t, dir, "l", text)
	two, err := os.ReadFile(folder.ListPath(dir, "l"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{one, two} {
		lower := bytes.ToLower(b)
		for _, secret := range []string{"xqz7731", "x0z7731", "ykw99", "california", "amber", "wanted", "lamborghini", "rec12345", "agency99", "approach", "nowhere", "l.csv", `"entries"`} {
			if bytes.Contains(lower, []byte(secret)) {
				t.Errorf("the file shows %q", secret)
			}
		}
	}
	shared := 0
	for i := 0; i+16 <= len(one) && i+16 <= len(two); i += 16 {
		block := one[i : i+16]
		if len(bytes.Trim(block, "\x00")) > 12 && bytes.Equal(block, two[i:i+16]) {
			shared++
		}
	}
	if shared > 40 { // bbolt's headers
		t.Errorf("%d blocks are the same in both", shared)
	}
}

func TestWrongOrMissingKeyIsNoDamage(t *testing.T) {
	dir, keys := t.TempDir(), t.TempDir()
	right, wrong := filepath.Join(keys, "right"), filepath.Join(keys, "wrong")
	for _, path := range []string{right, wrong} {
		if err := folder.NewKey().WriteFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := folder.NewKey().WriteFile(right); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key was written over: %v", err)
	}
	o := ImportOptions{List: "l", KeyFile: right}
	if _, err := Import(t.Context(), dir, strings.NewReader("plate\nAB12345\n"), o); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, folder.KeyName)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a second key was made")
	}
	for name, file := range map[string]string{"wrong": wrong, "missing": filepath.Join(keys, "nowhere"), "its own": ""} {
		db, err := Open(dir, Options{KeyFile: file})
		if err != nil {
			t.Fatal(err)
		}
		d := db.Damage()
		if len(d) != 1 || !errors.Is(d[0].Err, entry.ErrKey) || errors.Is(d[0].Err, entry.ErrDamaged) || d[0].SetAside != "" {
			t.Errorf("%s: %+v", name, d)
		}
		db.Close()
	}
	// An import under another key must not push out what it cannot read.
	o.KeyFile = wrong
	if _, err := Import(t.Context(), dir, strings.NewReader("plate\nCD67890\n"), o); !errors.Is(err, entry.ErrKey) {
		t.Errorf("imported under another key: %v", err)
	}
	db, err := Open(dir, Options{KeyFile: right})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := plates(t, db, match.Query{Text: "AB12345"}); len(got) != 1 {
		t.Error(got, db.Damage())
	}
}

// A key that comes late, as a credential can, is taken up.
func TestKeyThatComesLate(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate\nAB12345\n")
	path := filepath.Join(dir, folder.KeyName)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	db := openDB(t, dir)
	if s := db.Stats(); s.Lists != 0 {
		t.Fatalf("%+v", s)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if changed, err := db.reload(t.Context()); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if got := plates(t, db, match.Query{Text: "AB12345"}); len(got) != 1 {
		t.Error(got)
	}
}
