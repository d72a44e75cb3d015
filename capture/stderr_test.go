package capture

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/rtsptest"
)

// What the libraries below print by themselves holds no password either: the
// whole output of a process that fails to open a camera is looked through.
func TestPasswordIsNotPrinted(t *testing.T) {
	const variable, password = "CAPTURE_TEST_URL", "hunter2secret"
	if u := os.Getenv(variable); u != "" {
		_, err := Open(t.Context(), Config{Source: u})
		t.Log(err)
		return
	}
	s := capturetest.ServeWith(t, "127.0.0.1:0", func(s *rtsptest.Server) { s.Username, s.Password = "camera", "other" },
		rtsptest.Options{}, capturetest.AnnexB(t, 160, 120, 25, 25))
	for _, path := range []string{"gate", "none"} {
		u := strings.Replace(s.URL(path), "rtsp://", "rtsp://camera:"+password+"@", 1)
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), variable+"="+u)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if !strings.Contains(string(out), "camera:***@127.0.0.1") {
			t.Errorf("the output does not name the camera:\n%s", out)
		}
		if strings.Contains(string(out), password) {
			t.Errorf("the output holds the password:\n%s", out)
		}
	}
}

// The libraries do not fill the journal with lines of their own.
func TestLibrariesAreQuiet(t *testing.T) {
	const variable = "CAPTURE_TEST_QUIET_URL"
	if u := os.Getenv(variable); u != "" {
		Open(t.Context(), Config{Source: u})
		return
	}
	s := capturetest.ServeWith(t, "127.0.0.1:0", func(*rtsptest.Server) {}, rtsptest.Options{}, capturetest.AnnexB(t, 160, 120, 25, 25))
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), variable+"="+s.URL("none"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if lines := strings.TrimSpace(string(out)); lines != "PASS" {
		t.Errorf("opening a camera that is not there printed:\n%s", lines)
	}
}
