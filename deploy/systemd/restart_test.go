package systemd

import (
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

	b.systemctl("kill", "--kill-who=main", "--signal=SIGSTOP", service)
	b.want("stopped watchdog exited 2", "stopped watchdog killed ABRT")
	b.want("started")

	for _, signal := range []string{"SIGABRT", "SIGSEGV"} {
		b.systemctl("kill", "--kill-who=main", "--signal="+signal, service)
		b.want("stopped exit-code exited 2", "stopped signal killed "+strings.TrimPrefix(signal, "SIG"))
		b.want("started")
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
