// Package systemd holds the service file of a unit, and the test that keeps it
// acceptable to systemd.
package systemd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

const service = "platewatch.service"

// exposureLimit is the highest exposure that `systemd-analyze security` may
// give, times ten. Daemons that nobody hardened stand above 90.
const exposureLimit = "15"

// installed writes the service file as on a board where the binary is there:
// systemd-analyze complains about a program that does not exist.
func installed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile(`(?m)^(ExecStart|ExecReload)=/usr/bin/platewatch `)
	if n := len(start.FindAll(text, -1)); n != 2 {
		t.Fatalf("%d lines start /usr/bin/platewatch, want 2", n)
	}
	file := filepath.Join(t.TempDir(), service)
	if err := os.WriteFile(file, start.ReplaceAll(text, []byte("$1="+binary+" ")), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func analyze(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze here: the service file was not checked (apt install systemd)")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", "LC_ALL=C.UTF-8")
	return cmd.CombinedOutput()
}

// TestVerify fails on any output: systemd-analyze reports an unknown key as a
// warning, and ends with 0.
func TestVerify(t *testing.T) {
	out, err := analyze(t, "verify", "--man=no", installed(t))
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestVerifyComplains: the check above does find a mistake.
func TestVerifyComplains(t *testing.T) {
	file := installed(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("\nNoNewPrivileges="), []byte("\nNoNewPriviledges="), 1)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, _ := analyze(t, "verify", "--man=no", file); len(bytes.TrimSpace(out)) == 0 {
		t.Error("a misspelt key was accepted")
	}
}

func TestExposure(t *testing.T) {
	out, err := analyze(t, "security", "--offline=true", "--no-pager", "--threshold="+exposureLimit, installed(t))
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
	level := regexp.MustCompile(`Overall exposure level.*`).Find(out)
	if level == nil {
		t.Fatalf("no exposure level in:\n%s", out)
	}
	t.Logf("%s", level)
}

// TestMemoryStaysInMemory: neither swap nor a core dump takes the memory to a disk.
func TestMemoryStaysInMemory(t *testing.T) {
	text, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"MemorySwapMax=0", "LimitCORE=0"} {
		if !bytes.Contains(text, []byte("\n"+line+"\n")) {
			t.Errorf("%s is missing", line)
		}
	}
}
