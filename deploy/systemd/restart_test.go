package systemd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRestart runs the service file and the real daemon under a real systemd, in
// namespaces of its own: it comes back from a hang, from the watchdog's signal
// and from a crash, and stays down where its configuration is refused.
//
// The kernel may deliver a signal to any thread of the daemon, and does so after
// SIGSTOP. The Go runtime answers a fatal one with exit code 2, but on a thread of
// a C library it lets the signal kill the process. Either must restart it.
func TestRestart(t *testing.T) {
	b := boot(t)
	b.want("started")
	found := b.doctorFinds()
	for what, want := range map[string]string{
		"watchdog": "ok: restarts the service when it stalls for 5s", "restarts": "ok: 0 restarts since it was started",
		"process": "ok: no new privileges, no capabilities, a filter of system calls", "start": "warn: is ",
	} {
		if !strings.HasPrefix(found[what], want) {
			t.Errorf("doctor, %s: %q, want %q", what, found[what], want)
		}
	}
	if !strings.HasPrefix(found["exposure"], "ok: ") || !strings.HasSuffix(found["exposure"], " of 10") {
		t.Errorf("doctor, exposure: %q", found["exposure"])
	}
	t.Logf("doctor: %v", found)

	b.systemctl("kill", "--kill-who=main", "--signal=SIGSTOP", service)
	b.want("stopped watchdog exited 2", "stopped watchdog killed ABRT")
	b.want("started")

	for _, signal := range []string{"SIGABRT", "SIGSEGV"} {
		b.systemctl("kill", "--kill-who=main", "--signal="+signal, service)
		b.want("stopped exit-code exited 2", "stopped signal killed "+strings.TrimPrefix(signal, "SIG"))
		b.want("started")
	}

	if found := b.doctorFinds(); !strings.HasPrefix(found["restarts"], "warn: 3 restarts") {
		t.Errorf("doctor, after three: %q", found["restarts"])
	}

	if err := os.WriteFile(filepath.Join(b.dir, "platewatch.toml"), []byte("nonsense = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := b.run("systemctl", "restart", service); err == nil {
		t.Errorf("a refused configuration was started: %s", out)
	}
	b.want("stopped success exited 0")
	b.want("stopped exit-code exited 3")
	if state := b.systemctl("show", "--property=SubState", "--value", service); state != "failed" {
		t.Errorf("after a refused configuration the unit is %q, want failed", state)
	}
}

// doctorFinds runs `platewatch doctor` on the board and returns what it says about the
// service.
func (b *board) doctorFinds() map[string]string {
	b.t.Helper()
	out, _ := b.run("/run/test/platewatch", "doctor", "-json", "-watch", "1s", "-config", "/run/test/platewatch.toml") // it fails: there is no camera
	var report struct {
		Findings []struct{ About, What, Level, Measured string }
	}
	if err := json.NewDecoder(strings.NewReader(out[max(0, strings.Index(out, "{")):])).Decode(&report); err != nil {
		b.t.Fatalf("doctor: %v\n%s", err, out)
	}
	found := map[string]string{}
	for _, f := range report.Findings {
		if f.About == "service" {
			found[f.What] = f.Level + ": " + f.Measured
		}
	}
	return found
}
