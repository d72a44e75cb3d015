package systemd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReload runs `systemctl reload` under a real systemd: the daemon stays, what can
// change has changed, the log names what cannot, and a configuration with a mistake
// is refused and changes nothing.
func TestReload(t *testing.T) {
	b := boot(t)
	b.want("started")
	file := filepath.Join(b.dir, "platewatch.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(more, old, other string) {
		t.Helper()
		changed := strings.Replace(string(text), old, other, 1) + more
		if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pid := b.systemctl("show", "--property=MainPID", "--value", service)
	stays := func() {
		t.Helper()
		if now := b.systemctl("show", "--property=MainPID,ActiveState", "--value", service); now != pid+"\nactive" {
			t.Errorf("the unit is %q, was %q\n%s", now, pid, b.log())
		}
	}

	edit("[ocr]\nregion = \"nl\"\n[log]\nlevel = \"debug\"\n", "roadside-1", "roadside-2")
	b.systemctl("reload", service)
	b.waitLog(`msg="configuration reloaded" changed="ocr.region log.level" not_changed=1`)
	b.waitLog(`key=unit.name hint="systemctl restart platewatch`)
	stays()

	edit("nonsense = 1\n", "", "")
	if out, err := b.run("systemctl", "reload", service); err == nil {
		t.Errorf("a refused configuration was reloaded: %s", out)
	}
	stays()
	b.systemctl("kill", "--kill-who=main", "--signal=SIGHUP", service) // past the check
	b.waitLog("configuration not reloaded: the one in force stays, unchanged")
	stays()

	// The unit is no longer reloading, and its watchdog is fed.
	edit("", "", "")
	b.systemctl("reload", service)
	b.waitLog(`changed="ocr.region log.level" not_changed=0`)
	stays()
}
