package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestFieldMinisign: a manifest that the real minisign signed is accepted, its keys
// sign lists here, and it verifies manifests that were signed here.
func TestFieldMinisign(t *testing.T) {
	if _, err := exec.LookPath("minisign"); err != nil {
		t.Skip("minisign is not installed")
	}
	s := newHotlistSession(t)
	minisign := func(args ...string) {
		t.Helper()
		c := exec.Command("minisign", args...)
		c.Dir = s.dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("minisign %v: %v: %s", args, err, out)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	minisign("-G", "-W", "-p", "office.pub", "-s", "office.key")
	s.want(0, "list l", "", "plate\nAB123\n", "import", "-db", "$DIR/db", "-list", "l", "-")
	s.want(0, "1 entries", "", "", "sign", "-db", "$DIR/db", "-list", "l", "-key", "$DIR/office.key", "$DIR/v1")
	s.want(0, "signed by office", "", "", "verify", "-trust", "$DIR/office.pub", "$DIR/v1")

	manifest := read("v1/manifest")
	lines := bytes.SplitAfterN(manifest, []byte("\n"), 5)
	s.file("m", string(lines[4]))
	s.file("m.minisig", string(bytes.Join(lines[:4], nil)))
	minisign("-Vm", "m", "-p", "office.pub")

	for _, args := range [][]string{nil, {"-t", "the list of November"}, {"-c", "platewatch hotlist manifest"}, {"-l"}} {
		minisign(append([]string{"-Sm", "m", "-s", "office.key"}, args...)...)
		s.file("v1/manifest", string(read("m.minisig"))+string(read("m")))
		s.want(0, "signed by office", "", "", "verify", "-trust", "$DIR/office.pub", "$DIR/v1")
	}
	s.want(0, "1 added", "", "", "apply", "-db", "$DIR/unit", "-trust", "$DIR/office.pub", "$DIR/v1")
	minisign("-Sm", "m", "-s", "office.key", "-c", "somebody else's words")
	s.file("v1/manifest", string(read("m.minisig"))+string(read("m")))
	s.want(1, "", `sign it with minisign -S -c "platewatch hotlist manifest"`, "", "verify", "-trust", "$DIR/office.pub", "$DIR/v1")
}
