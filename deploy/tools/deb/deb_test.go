package main

import (
	"bytes"
	"os/exec"
	"testing"
)

// TestCompress: gzip finds the whole text.
func TestCompress(t *testing.T) {
	packed, err := compress([]byte("a manual\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("gzip", "-dc")
	c.Stdin = bytes.NewReader(packed)
	if out, err := c.Output(); err != nil || string(out) != "a manual\n" {
		t.Errorf("gzip: %q, %v", out, err)
	}
}

func TestParseShlibs(t *testing.T) {
	got := parseShlibs(`# a comment
libopencv_core 406 libopencv-core406 (>= 4.6.0+dfsg)
udeb: libz 1 zlib1g-udeb
libdb 5.3 libdb5.3 (>= 5), other
ld-linux-aarch64 1
`)
	for soname, want := range map[string]string{
		"libopencv_core.so.406": "libopencv-core406 (>= 4.6.0+dfsg)",
		"libdb-5.3.so":          "libdb5.3 (>= 5), other",
		"ld-linux-aarch64.so.1": "",
	} {
		if d, ok := got[soname]; !ok || d != want {
			t.Errorf("%s: %q, want %q", soname, d, want)
		}
	}
	if _, ok := got["libz.so.1"]; ok {
		t.Error("a package of the installer counts")
	}
}

// TestDebianVersion: an unreleased version is lower than its release, and the
// same version for the next Debian higher.
func TestDebianVersion(t *testing.T) {
	ascending := []string{
		debianVersion("0.3.0") + releases["trixie"].suffix,
		debianVersion("0.4.0-dev") + releases["bookworm"].suffix,
		debianVersion("0.4.0-dev") + releases["trixie"].suffix,
		debianVersion("0.4.0") + releases["bookworm"].suffix,
		debianVersion("0.4.0") + releases["trixie"].suffix,
	}
	for i := range len(ascending) - 1 {
		if err := exec.Command("dpkg", "--compare-versions", ascending[i], "lt", ascending[i+1]).Run(); err != nil {
			t.Errorf("%s is not lower than %s", ascending[i], ascending[i+1])
		}
	}
}
