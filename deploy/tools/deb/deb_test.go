package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// helpTexts are those of a program with two commands, one of which has commands
// itself, and one command that is not built yet.
var helpTexts = map[string]string{
	"-h": `platewatch reads plates.

usage: platewatch COMMAND [flags] [arguments]

  run      [-config FILE]        the daemon
  hotlist  import|list           the lists
  later                          not built yet

platewatch COMMAND -h tells more.
`,
	"run -h": `usage: platewatch run [-config FILE]
  -config FILE
    	configuration FILE (default "/etc/platewatch.toml")
  -v	more
`,
	"hotlist -h": `usage: platewatch hotlist COMMAND [flags]

  import   FILE        make a list
`,
	"hotlist import -h": "usage: platewatch hotlist import FILE\n  -list NAME\n    \t'-' or a NAME\n",
}

func testHelp(t *testing.T) help {
	t.Helper()
	h, err := readHelp(func(args ...string) (string, error) {
		text, ok := helpTexts[strings.Join(args, " ")]
		if !ok {
			return "", fmt.Errorf("%v: no help", args)
		}
		return text, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestCompletion asks bash what it would offer.
func TestCompletion(t *testing.T) {
	script := testHelp(t).completion()
	for line, want := range map[string]string{
		"platewatch ":                "run hotlist",
		"platewatch h":               "hotlist",
		"platewatch hotlist ":        "import",
		"platewatch hotlist import ": "-list",
		"platewatch run -":           "-config -v",
		"platewatch run -v -c":       "-config",
	} {
		words := strings.Split(line, " ")
		last := words[len(words)-1]
		out, err := exec.Command("bash", "-c", script+fmt.Sprintf("COMP_WORDS=(%s %q); COMP_CWORD=%d\n_platewatch platewatch %q\necho \"${COMPREPLY[@]}\"\n",
			strings.Join(words[:len(words)-1], " "), last, len(words)-1, last)).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%q is completed with %q, want %q (%v)", line, got, want, err)
		}
	}
}

// TestManPage: groff, which man uses, has nothing to complain about.
func TestManPage(t *testing.T) {
	page := testHelp(t).manPage("0.4.0-dev", time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC))
	for _, want := range []string{"\n.SH PLATEWATCH RUN\n", "\n.SH PLATEWATCH HOTLIST IMPORT\n", `\-config FILE`, "2026-11-27"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("no groff here: the page was not set")
	}
	c := exec.Command(groff, "-man", "-Tascii", "-ww")
	c.Stdin = strings.NewReader(page)
	var complaints strings.Builder
	c.Stderr = &complaints
	if out, err := c.Output(); err != nil || complaints.Len() > 0 || len(out) == 0 {
		t.Errorf("groff: %v\n%s", err, complaints.String())
	}
}

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
