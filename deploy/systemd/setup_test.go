package systemd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSetup runs `platewatch setup` under a real systemd: the service waits for its
// configuration, and after one command it runs, with its secrets as credentials, the
// list under a key bound to this board, and is enabled.
func TestSetup(t *testing.T) {
	b := start(t, "/etc/platewatch/platewatch.toml")
	for name, content := range map[string]string{
		"gate.csv": "plate,category\nKR64VHT,stolen\n", "password": "se cret\n", "login": "viewer:p:ss\n",
	} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := b.systemctl("show", "--property=ConditionResult,ActiveState", service); out != "ActiveState=inactive\nConditionResult=no" {
		t.Errorf("before the setup: %s", out)
	}
	arguments := []string{"/run/test/platewatch", "setup", "-yes", "-untried", "-name", "roadside-1",
		"-camera", "rtsp://127.0.0.1:1/s", "-camera-credentials", "/run/test/login",
		"-broker", "mqtt://127.0.0.1:1", "-user", "roadside-1", "-password-file", "/run/test/password", "-list", "/run/test/gate.csv"}
	out, err := b.run(arguments...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.want("started")
	t.Log(out)
	if state := b.systemctl("is-enabled", service); state != "enabled" {
		t.Errorf("the service is %q", state)
	}
	for path, want := range map[string]string{
		"/etc/platewatch": "755 root", "/etc/platewatch/platewatch.toml": "644 root", "/etc/platewatch/secret": "700 root",
		"/etc/platewatch/secret/hotlist.key.cred": "600 root", "/etc/platewatch/secret/mqtt-password": "600 root",
		"/etc/platewatch/secret/front-camera": "600 root", "/var/lib/private/platewatch/hotlist/gate.hotlist": "600 platewatch",
	} {
		if got, err := b.run("stat", "--format=%a %U", path); err != nil || got != want {
			t.Errorf("%s is %q, want %q: %v", path, got, want, err)
		}
	}
	// The daemon reads the list under the key, and found its secrets.
	if b.waitLog("msg=running"); strings.Contains(b.log(), "secret") {
		t.Errorf("the log:\n%s", b.log())
	}
	if out, err := b.run("ls", "/run/credentials/"+service); err != nil || strings.Join(strings.Fields(out), " ") != "front-camera hotlist.key mqtt-password mqtt-user" {
		t.Errorf("the credentials are %q: %v", out, err)
	}

	// Once more, for the list of another file: what is there stays unless -force says
	// so, and the key always.
	key, _ := b.run("sha256sum", "/etc/platewatch/secret/hotlist.key.cred")
	arguments[5] = "roadside-2"
	if out, err := b.run(arguments...); err == nil || !strings.Contains(out, "-force replaces") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := b.run(append(arguments, "-force")...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.want("stopped success exited 0")
	b.want("started")
	if now, _ := b.run("sha256sum", "/etc/platewatch/secret/hotlist.key.cred"); now != key || key == "" {
		t.Errorf("the key was replaced: %s, before %s", now, key)
	}
	if _, err := b.run("grep", "-q", "roadside-1", "/etc/platewatch/platewatch.toml.old"); err != nil {
		t.Errorf("the old configuration is not kept: %v", err)
	}
}
