package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configCommand runs a command line as main does, and returns its exit code.
func configCommand(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	std := stdio{strings.NewReader(""), &o, &e}
	code = report(&e, run(t.Context(), std, args))
	return code, o.String(), e.String()
}

func TestConfigCommand(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := write("good.toml", "[unit]\nname = \"gate-7\"\n[[camera]]\nname = \"front\"\nsource = \"clip.mp4\"\n")
	whole := write("whole.toml", "[unit]\nname = \"gate-7\"\n[[camera]]\nname = \"front\"\nsource = \"rtsp://192.0.2.7/s\"\n")
	bad := write("bad.toml", "[unit]\nname = \"gate-7\"\n[[camera]]\nname = \"front\"\nsource = \"clip.mp4\"\nlop = true\n")

	for _, test := range []struct {
		args string
		code int
		want string // in standard output where the code is 0, else in standard error
	}{
		{"config check " + good, exitFine, good + " is valid, but a file that it names is missing\n  unit      gate-7\n"},
		{"config check -config " + good, exitFine, "  missing   camera[0].source: " + dir + "/clip.mp4"},
		{"config check " + whole, exitFine, whole + " is valid and complete\n"},
		{"config show " + good, exitFine, "\n[[camera]]\nname = \"front\"\nsource = \"" + dir + "/clip.mp4\"\n"},
		{"config show " + good, exitFine, "agree = 2                                # default\n"},
		{"config check " + bad, exitConfig, bad + ":6: unknown key camera[0].lop; did you mean camera[0].loop?\n"},
		{"config show -config " + bad, exitConfig, "bad.toml:6: "},
		{"config check " + filepath.Join(dir, "none.toml"), exitMissing, "no such file"},
		{"config check a b", exitUsage, "one file"},
		{"config token -role aim -name anna", exitFine, "view+aim anna sha256:"},
		{"config token -role boss -name anna", exitUsage, "no role"},
		{"config token -role aim", exitUsage, "-name"},
		{"config", exitUsage, "a command is missing"},
		{"config eat " + good, exitUsage, "there are check, show, policy, token"},
		{"config -h", exitFine, "usage: platewatch config"},
	} {
		code, out, errs := configCommand(t, strings.Fields(test.args)...)
		said := errs
		if test.code == exitFine {
			said = out
			if errs != "" {
				t.Errorf("%s: on standard error: %s", test.args, errs)
			}
		} else if out != "" {
			t.Errorf("%s: on standard output: %s", test.args, out)
		}
		if code != test.code || !strings.Contains(said, test.want) {
			t.Errorf("%s: exit code %d, want %d, and\n%s\nlacks %q", test.args, code, test.code, said, test.want)
		}
	}
}
